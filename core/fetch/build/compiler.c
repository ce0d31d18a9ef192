/* The compiler's line: see compiler.h. */
#include "core/fetch/build/compiler.h"

#include "core/base/plain.h"
#include "core/base/siphash.h"
#include "core/base/strings.h"
#include "core/base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* What a program has to say about itself or a library, and how long it may take. */
#define ANSWER_MOST ((size_t)8 << 10)
#define ANSWER_SECONDS 10

/* The libraries that a manifest may name when nobody says otherwise: parsers and the like, with
 * which a provider can do nothing that it couldn't without. */
static const char *const standard_libraries[] = {
		"jansson", "json-c", "libcjson", "yajl", "zlib", NULL};

static const char *const before_sources[] = {"-shared", "-fPIC", "-O2", "-std=gnu11", "-Wall",
		"-fvisibility=hidden", "-fstack-protector-strong", "-U_FORTIFY_SOURCE",
		"-D_FORTIFY_SOURCE=2", "-fdiagnostics-color=never",
		"-fmacro-prefix-map=" CONFINED_READABLE "/=", "-Wl,-z,relro,-z,now,-z,noexecstack",
		"-Wl,--as-needed", "-I" CONFINED_READABLE, "-o", CONFINED_WRITABLE "/provider.so",
		NULL};
static const char *const after_sources[] = {"-lm", NULL};

void compiler_finish(struct compiler *compiler) {
	free(compiler->program);
	free(compiler->version);
	strings_free(compiler->cflags);
	strings_free(compiler->libs);
	free(compiler->libraries);
	*compiler = (struct compiler){0};
}

/* ---- what programs say ---- */

/* Runs one of the system's programs with nothing of a stranger's but names that were checked. */
static bool ask(const char *const *arguments, struct buf *answer, bool *ret_well,
		struct fail *fail) {
	struct confined confined = {.arguments = arguments,
			.writable = -1,
			.readable = -1,
			.current = -1,
			.seconds = ANSWER_SECONDS};
	struct confined_end end;
	answer->limit = ANSWER_MOST;
	if (!confined_run(&confined, answer, &end, fail)) {
		return false;
	}
	*ret_well = end.status == 0 && !end.cut;
	return true;
}

/* The first line, as text. */
static char *first_line(const struct buf *answer) {
	const char *text = buf_string(answer);
	return plain_text(text, strcspn(text, "\n"), ANSWER_MOST, false);
}

static bool find_program(char **ret, const char *const *candidates) {
	for (; *candidates != NULL; candidates++) {
		if (access(*candidates, X_OK) == 0) {
			*ret = strdup(*candidates);
			return true;
		}
	}
	return false;
}

bool compiler_ask_version(struct compiler *compiler, struct fail *fail) {
	const char *const arguments[] = {compiler->program, "--version", NULL};
	cleanup_buf struct buf answer = {0};
	bool well = false;
	if (!ask(arguments, &answer, &well, fail)) {
		return false;
	}
	if (!well) {
		return fail_set(fail, ENOEXEC, "%s doesn't work: %s --version said: %.200s",
				compiler->program, compiler->program, buf_string(&answer));
	}
	compiler->version = first_line(&answer);
	return compiler->version != NULL || fail_set(fail, ENOMEM, "no memory to build");
}

/* ---- libraries ---- */

static bool allowed(const struct build_options *options, const char *name, struct fail *fail) {
	const char *const *list = options->pkg_config != NULL ? options->pkg_config
							      : standard_libraries;
	cleanup_buf struct buf names = {0};
	for (; *list != NULL; list++) {
		if (strcmp(*list, name) == 0) {
			return true;
		}
		buf_add_format(&names, "%s%s", names.size > 0 ? ", " : "", *list);
	}
	return fail_set(fail, EACCES,
			"pkg_config: '%s' is not among the libraries that a provider may be "
			"compiled against: %s",
			name, names.size > 0 ? buf_string(&names) : "none");
}

/* Splits pkg-config's flags into those of the compiler and those of the linker; no others are
 * taken, whatever a library's author wrote into its .pc file. */
static bool sort_flags(struct compiler *compiler, const char *text, struct fail *fail) {
	cleanup_free char *copy = strdup(text);
	bool added = copy != NULL;
	char *rest = copy;
	for (char *flag; added && (flag = strsep(&rest, " \t\n")) != NULL;) {
		if (starts_with(flag, "-I/usr/") || starts_with(flag, "-D")) {
			added = strings_add(&compiler->cflags, flag);
		} else if (starts_with(flag, "-l") || starts_with(flag, "-L/usr/")) {
			added = strings_add(&compiler->libs, flag);
		} else if (flag[0] != '\0' && strcmp(flag, "-pthread") != 0) {
			return fail_set(fail, EINVAL,
					"pkg-config answers with the flag '%s', which a provider "
					"is "
					"not compiled with",
					flag);
		}
	}
	return added || fail_set(fail, ENOMEM, "no memory to build");
}

/* `option` of all the libraries. */
static bool ask_pkg_config(const char *program, const char *option, const char *other,
		const struct manifest *manifest, struct buf *answer, struct fail *fail) {
	char **arguments cleanup_strings = NULL;
	bool added = strings_add(&arguments, program) && strings_add(&arguments, option) &&
		     strings_add(&arguments, other);
	for (char **name = manifest->pkg_config; added && *name != NULL; name++) {
		added = strings_add(&arguments, *name);
	}
	bool well = false;
	if (!added) {
		return fail_set(fail, ENOMEM, "no memory to build");
	}
	if (!ask((const char *const *)arguments, answer, &well, fail)) {
		return false;
	}
	cleanup_free char *words = first_line(answer);
	return well || fail_set(fail, ENOENT,
				       "a library that the provider is compiled against isn't "
				       "installed: %s (install its development package)",
				       words != NULL ? words : "");
}

static bool find_libraries(struct compiler *compiler, const struct build_options *options,
		const struct manifest *manifest, struct fail *fail) {
	static const char *const candidates[] = {"/usr/bin/pkg-config", "/usr/bin/pkgconf", NULL};
	cleanup_buf struct buf flags = {0};
	cleanup_buf struct buf versions = {0};
	cleanup_free char *program = NULL;
	for (char **name = manifest->pkg_config; name != NULL && *name != NULL; name++) {
		if (!allowed(options, *name, fail)) {
			return false;
		}
		buf_add_format(&versions, "%s ", *name);
	}
	if (strings_length(manifest->pkg_config) > 0) {
		if (!find_program(&program, candidates) || program == NULL) {
			return fail_set(fail, ENOENT,
					"the manifest names libraries (pkg_config), and there is "
					"no "
					"/usr/bin/pkg-config: install pkg-config");
		}
		if (!ask_pkg_config(program, "--cflags", "--libs", manifest, &flags, fail) ||
				!sort_flags(compiler, buf_string(&flags), fail) ||
				!ask_pkg_config(program, "--print-errors", "--modversion", manifest,
						&versions, fail)) {
			return false;
		}
	}
	compiler->libraries = strdup(buf_string(&versions));
	return compiler->libraries != NULL || fail_set(fail, ENOMEM, "no memory to build");
}

/* ---- the line ---- */

bool compiler_find(struct compiler *ret, const struct build_options *options,
		const struct manifest *manifest, struct fail *fail) {
	static const char *const candidates[] = {
			"/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang", NULL};
	cleanup_compiler struct compiler compiler = {0};
	if (!find_program(&compiler.program, candidates)) {
		return fail_set(fail, ENOENT,
				"there is no C compiler (/usr/bin/cc) to build the provider with: "
				"install one (Debian, Ubuntu: apt install gcc libc6-dev; Fedora: "
				"dnf install gcc; Alpine: apk add gcc musl-dev)");
	}
	if (compiler.program == NULL) {
		return fail_set(fail, ENOMEM, "no memory to build");
	}
	if (!find_libraries(&compiler, options, manifest, fail)) {
		return false;
	}
	*ret = compiler;
	compiler = (struct compiler){0};
	return true;
}

static bool add_all(char ***line, const char *const *more) {
	for (; more != NULL && *more != NULL; more++) {
		if (!strings_add(line, *more)) {
			return false;
		}
	}
	return true;
}

char **compiler_line(const struct compiler *compiler, const struct manifest *manifest) {
	char **line cleanup_strings = NULL;
	bool added = strings_add(&line, compiler->program) && add_all(&line, before_sources) &&
		     add_all(&line, (const char *const *)compiler->cflags) &&
		     add_all(&line, (const char *const *)manifest->sources) &&
		     add_all(&line, (const char *const *)compiler->libs) &&
		     add_all(&line, after_sources);
	return added ? take(line) : NULL;
}

bool build_flags_hash(const struct build_options *options, const struct manifest *manifest,
		char ret[17], struct fail *fail) {
	/* Any key will do; it must stay what it is. */
	static const struct siphash_key key = {0x636f6e6475697466, 0x736275696c647331};
	cleanup_compiler struct compiler compiler = {0};
	if (!compiler_find(&compiler, options, manifest, fail) ||
			!compiler_ask_version(&compiler, fail)) {
		return false;
	}
	char **line cleanup_strings = compiler_line(&compiler, manifest);
	cleanup_buf struct buf all = {0};
	bool added = line != NULL &&
		     buf_add_format(&all, "%s\n%s\n", compiler.version, compiler.libraries);
	for (char **word = line; added && *word != NULL; word++) {
		added = buf_add_format(&all, "%s\n", *word);
	}
	if (!added) {
		return fail_set(fail, ENOMEM, "no memory to build");
	}
	snprintf(ret, 17, "%016llx", (unsigned long long)siphash(key, all.data, all.size));
	return true;
}
