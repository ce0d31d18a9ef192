/* `conduitfs provider new`: the skeleton of a provider, which works as it is. */
#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/command/files.h"
#include "core/command/skeleton/skeleton.h"
#include "core/command/subcommand.h"
#include "core/config/base_url.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

/* The tree's provider names go up to 64. */
#define NAME_MOST 48

struct names {
	char *lower, *title, *upper; /* my-llm, My-llm, MY_LLM */
	char *url; /* NULL: the skeleton's */
	bool local; /* the service is one of this machine: no key */
};

static void names_finish(struct names *names) {
	free(names->lower);
	free(names->title);
	free(names->upper);
	free(names->url);
}

static bool is_name(const char *text) {
	size_t length = strlen(text);
	return length >= 1 && length <= NAME_MOST && islower((unsigned char)text[0]) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
	       text[length - 1] != '-';
}

static bool make_names(struct names *names, const char *name, size_t length) {
	names->lower = strndup(name, length);
	names->title = strndup(name, length);
	names->upper = strndup(name, length);
	if (names->lower == NULL || names->title == NULL || names->upper == NULL) {
		return false;
	}
	names->title[0] = (char)toupper((unsigned char)names->title[0]);
	for (char *c = names->upper; *c != '\0'; c++) {
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	}
	return true;
}

/* Whether an address is of this machine, so that no key is asked for. */
static bool is_local(const char *url) {
	const char *host = strstr(url, "://") + 3;
	size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	cleanup_free char *copy = strndup(host, size);
	return copy != NULL && host_is_loopback(copy);
}

/* The text with this provider's names in the place of the skeleton's. A service of this machine
 * has no lines about a key. */
static void put_names(struct buf *out, const char *text, const struct names *names) {
	const struct {
		const char *from, *to;
	} words[] = {
			{SKELETON_URL, names->url},
			{"type: remote", names->local ? "type: local" : NULL},
			{"ACME", names->upper},
			{"Acme", names->title},
			{"acme", names->lower},
	};
	while (*text != '\0') {
		size_t i = 0;
		while (i < sizeof(words) / sizeof(words[0]) &&
				(words[i].to == NULL || !starts_with(text, words[i].from))) {
			i++;
		}
		if (i < sizeof(words) / sizeof(words[0])) {
			buf_add_string(out, words[i].to);
			text += strlen(words[i].from);
		} else {
			buf_add_byte(out, *text++);
		}
	}
}

static void put_text(struct buf *out, const char *text, const struct names *names) {
	while (*text != '\0') {
		size_t size = strcspn(text, "\n") + 1;
		cleanup_free char *line = strndup(text, size);
		bool about_key = line != NULL &&
				 (starts_with(line, "key_") || strstr(line, "_API_KEY") != NULL);
		if (line != NULL && !(names->local && about_key)) {
			put_names(out, line, names);
		}
		text += strnlen(text, size);
	}
}

static bool write_file(const char *directory, const struct skeleton_file *file,
		const struct names *names, struct fail *fail) {
	bool hidden = strcmp(file->name, "gitignore") == 0;
	cleanup_buf struct buf path = {0};
	cleanup_buf struct buf text = {0};
	buf_add_format(&path, "%s/%s%s", directory, hidden ? "." : "", file->name);
	put_text(&text, file->text, names);
	if (path.failed || text.failed) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	char *slash = strrchr(path.data, '/');
	*slash = '\0';
	int made = mkdir(path.data, 0777);
	int code = errno;
	if (made != 0 && code != EEXIST) {
		return fail_set(fail, code, "%s: %s", path.data, strerror(code));
	}
	*slash = '/';
	return file_write_new(path.data, text.data, text.size, fail);
}

/* In a directory of another name, which becomes the provider's when it is whole. */
static bool write_directory(const char *directory, const struct skeleton_file *files,
		const struct names *names, struct fail *fail) {
	struct stat about;
	if (lstat(directory, &about) == 0) {
		return fail_set(fail, EEXIST, "%s is there already, and nothing is overwritten",
				directory);
	}
	cleanup_free char *beside = NULL;
	if (asprintf(&beside, ".%s.XXXXXX", directory) < 0) {
		beside = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	if (mkdtemp(beside) == NULL) {
		return fail_set(fail, errno, "%s can't be made here: %s", directory,
				strerror(errno));
	}
	mode_t mask = umask(0);
	umask(mask);
	bool good = chmod(beside, 0777 & ~mask) == 0;
	for (size_t i = 0; good && files[i].name != NULL; i++) {
		good = write_file(beside, &files[i], names, fail);
	}
	if (good && rename(beside, directory) != 0) {
		good = fail_set(fail, errno, "%s: %s", directory, strerror(errno));
	}
	if (!good) {
		directory_remove(beside);
	}
	return good;
}

static void tell(const char *directory, const struct skeleton_file *files) {
	printf("%s\n", directory);
	for (size_t i = 0; files[i].name != NULL; i++) {
		printf("    %s%s\n", strcmp(files[i].name, "gitignore") == 0 ? "." : "",
				files[i].name);
	}
	printf("Next: conduitfs provider check %s\n", directory);
}

static int make(const struct names *names) {
	const struct skeleton_file *files = names->url != NULL ? skeleton_declared
							       : skeleton_compiled;
	cleanup_fail struct fail fail = {0};
	char directory[NAME_MOST + sizeof("-provider")];
	snprintf(directory, sizeof(directory), "%s-provider", names->lower);
	if (!write_directory(directory, files, names, &fail)) {
		return failure(&fail);
	}
	tell(directory, files);
	return COMMAND_DONE;
}

static int run(const struct subcommand *subcommand, int argc, char **argv) {
	static const struct option longs[] = {{"declared", required_argument, NULL, 'd'}, {0}};
	struct names names cleanup(names_finish) = {0};
	cleanup_fail struct fail fail = {0};
	int flag;
	while ((flag = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (flag != 'd') {
			return option_error(subcommand, flag, argv);
		}
		free(names.url);
		names.url = base_url_check(optarg, false, &fail);
		if (names.url == NULL) {
			return usage_error(subcommand, "--declared: %s", fail_words(&fail));
		}
		names.local = is_local(names.url);
	}
	if (argc - optind != 1) {
		return usage_error(subcommand, "takes one name");
	}
	const char *name = argv[optind];
	size_t length = strlen(name) - (ends_with(name, "-provider") ? strlen("-provider") : 0);
	if (!make_names(&names, name, length)) {
		fail_set(&fail, ENOMEM, "no memory");
		return failure(&fail);
	}
	if (!is_name(names.lower)) {
		return usage_error(subcommand,
				"'%s' can't be a provider's name: 1 to %d of a-z, 0-9 and '-', "
				"beginning with a letter",
				name, NAME_MOST);
	}
	return make(&names);
}

const struct subcommand subcommand_new = {
		.name = "new",
		.arguments = "NAME [--declared URL]",
		.summary = "Writes a provider that works into the directory NAME-provider",
		.help = "Compiled: a manifest, a commented provider.c, a README and recorded\n"
			"exchanges. Nothing is overwritten.\n"
			"\n"
			"  --declared URL  no code: the service at URL speaks OpenAI's chat "
			"dialect\n",
		.run = run,
};
