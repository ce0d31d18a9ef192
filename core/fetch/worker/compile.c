/* Building in the cache: see compile.h. The compiler and its sandbox are build.h's. */
#include "core/fetch/worker/compile.h"

#include "core/base/file.h"
#include "core/fetch/build/build.h"
#include "core/fetch/cache.h"
#include "core/fetch/staging.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SECONDS_MOST 120.0

static bool no_memory(struct fail *fail) {
	return fail_set(fail, ENOMEM, "no memory to build a provider");
}

/* CACHE/built/NAME; NULL with words. */
static char *built_path(const struct task *task, const struct build_options *options,
		const struct manifest *manifest, const char *commit, struct fail *fail) {
	char flags[17];
	char *prefix cleanup_free = cache_built_prefix(commit, task->source.path);
	char *name cleanup_free = NULL;
	if (!build_flags_hash(options, manifest, flags, fail)) {
		return NULL;
	}
	if (prefix == NULL || asprintf(&name, "%s%s", prefix, flags) < 0) {
		no_memory(fail);
		return NULL;
	}
	return cache_path(task->cache, "built", name, fail);
}

static void tell_line(void *data, const char *words) {
	report_progress(data, FETCH_BUILDING, 0, 0, 0, "%s", words);
}

static bool build(struct report *report, const struct task *task,
		const struct build_options *options, const struct manifest *manifest,
		const char *built, struct fetch_result *ret, struct fail *fail) {
	struct staging staging cleanup_staging = {.fd = -1};
	char *directory cleanup_free = NULL, *path cleanup_free = NULL;
	struct buf messages cleanup_buf = {0};
	if (!staging_make(&staging, task->cache, fail)) {
		return false;
	}
	if (asprintf(&directory, "%s/built", staging.path) < 0 ||
			asprintf(&path, "%s/messages", directory) < 0) {
		return no_memory(fail);
	}
	if (mkdir(directory, 0700) != 0) {
		return fail_set(fail, errno, "can't make %s: %s", directory, strerror(errno));
	}
	bool good = build_provider(options, manifest, ret->files, directory, tell_line, report,
			&messages, fail);
	ret->messages = strdup(buf_string(&messages));
	if (!good && strstr(buf_string(&messages), strerror(ENOSPC)) != NULL) {
		return fail_set(fail, ENOSPC,
				"no room is left in %s to compile: make some, or free some with "
				"`conduitfs provider prune`",
				task->cache);
	}
	return good && staging_write(path, buf_string(&messages), messages.size, fail) &&
	       staging_publish(directory, built, fail);
}

static bool compile_sources(struct report *report, const struct task *task,
		const struct manifest *manifest, struct fetch_result *ret, struct fail *fail) {
	const struct build_options options = {.include = task->include,
			.pkg_config = (const char *const *)task->pkg_config,
			.seconds = task->total_seconds < SECONDS_MOST ? task->total_seconds
								      : SECONDS_MOST};
	char *built cleanup_free = built_path(task, &options, manifest, ret->commit, fail);
	if (built == NULL || asprintf(&ret->object, "%s/provider.so", built) < 0) {
		ret->object = NULL;
		return built != NULL ? no_memory(fail) : false;
	}
	if (access(ret->object, R_OK) != 0) {
		return build(report, task, &options, manifest, built, ret, fail);
	}
	struct buf messages cleanup_buf = {0};
	char *path cleanup_free = NULL;
	if (asprintf(&path, "%s/messages", built) < 0) {
		path = NULL;
		return no_memory(fail);
	}
	if (!file_read(path, BUILD_MESSAGES_MOST, &messages, fail)) {
		return false;
	}
	ret->messages = strdup(buf_string(&messages));
	return true;
}

/* Faults are told with the file's name: where the cache keeps it is nobody's business. */
static bool refuse_manifest(const char *files, struct fail *fail) {
	struct buf words cleanup_buf = {0};
	size_t length = strlen(files);
	for (const char *rest = fail_words(fail); *rest != '\0';) {
		if (strncmp(rest, files, length) == 0 && rest[length] == '/') {
			rest += length + 1;
		} else {
			buf_add_byte(&words, *rest++);
		}
	}
	return fail_set(fail, fail->code, "%s", buf_string(&words));
}

bool compile(struct report *report, const struct task *task, struct fetch_result *ret,
		struct fail *fail) {
	struct manifest manifest cleanup(manifest_finish) = {0};
	char *path cleanup_free = NULL;
	if (asprintf(&path, "%s/" CACHE_MANIFEST, ret->files) < 0) {
		path = NULL;
		return no_memory(fail);
	}
	if (!manifest_read(&manifest, path, fail)) {
		return refuse_manifest(ret->files, fail);
	}
	if (manifest.sources != NULL) {
		return compile_sources(report, task, &manifest, ret, fail);
	}
	ret->object = strdup("");
	return ret->object != NULL || no_memory(fail);
}
