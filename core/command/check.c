/* `conduitfs provider check`: the manifest, the build, and every recorded exchange of a provider.
 */
#include "core/command/check.h"

#include "core/base/plain.h"
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/command/fetching.h"
#include "core/command/files.h"
#include "core/command/locked.h"
#include "core/command/subcommand.h"

#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#define SECONDS 60.0
#define SECONDS_MOST 3600.0

/* A file of the provider by its name in there. */
static const char *inside(const struct check *check, const char *words) {
	size_t length = strlen(check->directory);
	bool below = starts_with(words, check->directory) && words[length] == '/';
	return words + (below ? length + 1 : 0);
}

void check_fault(struct check *check, const char *format, ...) {
	cleanup_buf struct buf words = {0};
	va_list args;
	va_start(args, format);
	buf_add_vformat(&words, format, args);
	va_end(args);
	check->faults++;
	printf("    fault: %s\n", inside(check, buf_string(&words)));
}

void check_note(struct check *check, const char *format, ...) {
	cleanup_buf struct buf words = {0};
	va_list args;
	va_start(args, format);
	buf_add_vformat(&words, format, args);
	va_end(args);
	check->notes++;
	printf("    note: %s\n", inside(check, buf_string(&words)));
}

void check_each(struct check *check, const char *lines,
		void (*say)(struct check *check, const char *format, ...)) {
	while (*lines != '\0') {
		size_t size = strcspn(lines, "\n");
		say(check, "%.*s", (int)size, lines);
		lines += size + (lines[size] == '\n' ? 1 : 0);
	}
}

/* ---- the manifest ---- */

static bool check_manifest(struct check *check) {
	cleanup_fail struct fail fail = {0};
	cleanup_buf struct buf path = {0}, notes = {0};
	buf_add_format(&path, "%s/MediaConduit.provider.yml", check->directory);
	printf("MediaConduit.provider.yml\n");
	check->has_manifest = manifest_read_noting(
			&check->manifest, buf_string(&path), &notes, &fail);
	if (!check->has_manifest) {
		check_each(check, fail_words(&fail), check_fault);
	}
	check_each(check, buf_string(&notes), check_note);
	return check->has_manifest;
}

static bool is_there(const struct check *check, const char *name) {
	cleanup_buf struct buf path = {0};
	struct stat about;
	buf_add_format(&path, "%s/%s", check->directory, name);
	return stat(buf_string(&path), &about) == 0;
}

static void check_papers(struct check *check) {
	static const char *const licences[] = {
			"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"};
	bool licensed = false;
	for (size_t i = 0; i < sizeof(licences) / sizeof(licences[0]); i++) {
		licensed = licensed || is_there(check, licences[i]);
	}
	if (!is_there(check, "README.md")) {
		check_note(check, "there is no README.md: say what the provider is, and where its "
				  "key comes from");
	}
	if (!licensed) {
		check_note(check, "there is no LICENSE: without one nobody else may use it");
	}
}

/* ---- the object ---- */

/* A bundled provider's object. One that is declared itself has its driver's. */
static bool use_bundled(struct check *check, const char *name, struct fail *fail) {
	struct manifest manifest cleanup(manifest_finish) = {0};
	cleanup_buf struct buf path = {0};
	buf_add_format(&path, "%s/%s.yml", check->parts.providers, name);
	if (!manifest_read(&manifest, buf_string(&path), fail)) {
		return false;
	}
	const char *object = manifest.driver != NULL ? manifest.driver : name;
	if (asprintf(&check->object, "%s/%s.so", check->parts.providers, object) < 0) {
		check->object = NULL;
	}
	return check->object != NULL || fail_set(fail, ENOMEM, "no memory");
}

/* What holds no code for this host: its name says which bundled provider stands in for it. */
static bool use_stand_in(struct check *check, struct fail *fail) {
	cleanup_free char *name = manifest_tree_name(&check->manifest);
	cleanup_fail struct fail why = {0};
	if (name == NULL || !use_bundled(check, name, &why)) {
		return fail_set(fail, ENOENT,
				"there is neither `driver:` nor `sources:`, and no bundled "
				"provider %s to use in its stead",
				name != NULL ? name : "");
	}
	check_note(check,
			"there is neither `driver:` nor `sources:`: the bundled provider %s is "
			"used in its stead",
			name);
	return true;
}

/* Fetches the directory as a mount would, builds it, and sets the object. */
static bool build(struct check *check, struct fail *fail) {
	struct source source cleanup_source = {0};
	struct fetched fetched cleanup_fetched = {0};
	if (!source_parse(&source, check->directory, fail)) {
		return false;
	}
	struct fetching_options options = {.parts = &check->parts,
			.cache = check->cache,
			.source = &source,
			.quiet = !check->verbose};
	bool built = fetching_run(&options, &fetched, fail);
	if (fetched.messages != NULL && fetched.messages[0] != '\0' && (!built || check->verbose)) {
		printf("%s%s", fetched.messages, ends_with(fetched.messages, "\n") ? "" : "\n");
	}
	if (!built) {
		return false;
	}
	switch (check->manifest.kind) {
	case MANIFEST_DECLARED:
		return is_bundled(&check->parts, check->manifest.driver)
				       ? use_bundled(check, check->manifest.driver, fail)
				       : fail_set(fail, ENOENT,
							 "driver: there is no bundled provider "
							 "'%s' in %s; write one of those that are",
							 check->manifest.driver,
							 check->parts.providers);
	case MANIFEST_ELSEWHERE:
		return use_stand_in(check, fail);
	case MANIFEST_COMPILED:
		break;
	}
	check->object = take(fetched.object);
	return check->object != NULL || fail_set(fail, ENOMEM, "no memory");
}

static bool check_build(struct check *check) {
	cleanup_fail struct fail fail = {0};
	const struct manifest *manifest = &check->manifest;
	if (manifest->driver != NULL) {
		printf("driver %s\n", manifest->driver);
	}
	for (char **source = manifest->sources; source != NULL && *source != NULL; source++) {
		printf("%s%s", source == manifest->sources ? "" : " ", *source);
	}
	printf("%s", manifest->sources != NULL ? "\n" : "");
	fflush(stdout);
	if (!build(check, &fail)) {
		check->interrupted = fail.code == EINTR;
		check_each(check, fail_words(&fail), check_fault);
		return false;
	}
	if (check->object == NULL || access(check->object, R_OK) != 0) {
		check_fault(check, "%s: %s",
				check->object != NULL ? check->object : "what was built",
				strerror(errno));
		return false;
	}
	return true;
}

/* ---- the exchanges ---- */

/* What is left over is removed also when it is interrupted. Building had signals of its own. */
static void watch_signals(struct check *check) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) {
		check->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	}
}

/* Names go to the terminal as well. */
static bool is_plain(const char *name) {
	cleanup_free char *plain = plain_text(name, strlen(name), PATH_MAX, false);
	return plain != NULL && strcmp(plain, name) == 0;
}

static void check_exchanges(struct check *check) {
	cleanup_buf struct buf pattern = {0};
	glob_t found = {0};
	buf_add_format(&pattern, "%s/tests/*.exchange", check->directory);
	if (glob(buf_string(&pattern), 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && !check->interrupted; i++) {
			const char *name = found.gl_pathv[i] + strlen(check->directory) + 1;
			if (is_plain(name)) {
				check_exchange(check, name);
			} else {
				check_fault(check, "tests: a file's name has control bytes, or "
						   "isn't UTF-8");
			}
		}
	}
	globfree(&found);
}

/* What isn't recorded isn't known to work. */
static void check_coverage(struct check *check) {
	const struct manifest *manifest = &check->manifest;
	if (check->exchanges == 0) {
		check_note(check, "there are no tests/*.exchange: nothing was replayed; "
				  "conduitfs provider exchange records one of a turn");
		return;
	}
	if (!check->discovers) {
		check_note(check, "no exchange has a discovery");
	}
	for (char **name = manifest->capabilities; name != NULL && *name != NULL; name++) {
		if (!strings_contain(check->capabilities, *name)) {
			check_note(check, "no exchange has a turn of %s, which the manifest names",
					*name);
		}
	}
}

/* ---- the whole ---- */

static void check_provider(struct check *check) {
	if (!check_manifest(check)) {
		return;
	}
	check_papers(check);
	if (!check_build(check)) {
		return;
	}
	watch_signals(check);
	check_exchanges(check);
	if (!check->interrupted) {
		check_coverage(check);
	}
}

static int conclude(const struct check *check) {
	const char *name = check->has_manifest ? check->manifest.id : check->directory;
	printf("%s: ", name);
	if (check->faults == 0) {
		printf("good, ");
	} else {
		printf("%zu fault%s, ", check->faults, check->faults == 1 ? "" : "s");
	}
	printf("%zu note%s; %zu exchange%s, replayed %zu times\n", check->notes,
			check->notes == 1 ? "" : "s", check->exchanges,
			check->exchanges == 1 ? "" : "s", check->replays);
	return check->faults == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

static void check_finish(struct check *check) {
	if (check->cache != NULL) {
		directory_remove(check->cache);
	}
	if (check->signals >= 0) {
		close(check->signals);
	}
	free(check->directory);
	free(check->cache);
	free(check->object);
	strings_free(check->capabilities);
	manifest_finish(&check->manifest);
	parts_finish(&check->parts);
}

/* Built apart from what mounts have cached, so that nothing of it stays. */
static bool make_cache(struct check *check, struct fail *fail) {
	const char *set = getenv("TMPDIR");
	const char *above = set != NULL && set[0] == '/' ? set : "/tmp";
	if (asprintf(&check->cache, "%s/conduitfs-check-XXXXXX", above) < 0) {
		check->cache = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	if (mkdtemp(check->cache) == NULL) {
		int code = errno;
		free(take(check->cache));
		return fail_set(fail, code, "no directory can be made in %s: %s", above,
				strerror(code));
	}
	return true;
}

static bool find_directory(struct check *check, const char *path, struct fail *fail) {
	check->directory = realpath(path, NULL);
	return check->directory != NULL || fail_set(fail, errno, "%s: %s", path, strerror(errno));
}

static int run(const struct subcommand *subcommand, int argc, char **argv) {
	static const struct option longs[] = {{"verbose", no_argument, NULL, 'v'},
			{"seconds", required_argument, NULL, 's'}, {0}};
	struct check check cleanup(check_finish) = {.seconds = SECONDS, .signals = -1};
	cleanup_fail struct fail fail = {0};
	int flag;
	while ((flag = getopt_long(argc, argv, ":v", longs, NULL)) != -1) {
		if (flag == 'v') {
			check.verbose = true;
		} else if (flag != 's') {
			return option_error(subcommand, flag, argv);
		} else if (!parse_double(optarg, &check.seconds) || check.seconds <= 0 ||
				check.seconds > SECONDS_MOST) {
			return usage_error(subcommand, "--seconds takes 1 to %g, not '%s'",
					SECONDS_MOST, optarg);
		}
	}
	if (argc - optind > 1) {
		return usage_error(subcommand, "takes one directory");
	}
	if (!find_directory(&check, argc > optind ? argv[optind] : ".", &fail) ||
			!locate(&check.parts, &fail) || !make_cache(&check, &fail)) {
		return failure(&fail);
	}
	check_provider(&check);
	return conclude(&check);
}

const struct subcommand subcommand_check = {
		.name = "check",
		.arguments = "[DIRECTORY] [--verbose] [--seconds N]",
		.summary = "Validates a provider, builds it and replays its recorded exchanges",
		.help = "Lists what is wrong with the manifest; builds the sources as a mount "
			"would;\n"
			"replays each tests/*.exchange whole, byte by byte and cut at every byte, "
			"in\n"
			"the sandbox that providers run in; answers its turns with each HTTP "
			"status\n"
			"of the manual's table of errors; and shows what a user of the tree would\n"
			"see. Faults make it exit 1, notes don't.\n"
			"\n"
			"  -v, --verbose  whole outputs, logs, and the compiler's warnings\n"
			"  --seconds N    how long the replays of one exchange may take (60)\n",
		.run = run,
};
