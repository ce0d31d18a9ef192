/* The working process: see worker.h. */
#include "core/fetch/worker/worker.h"

#include "core/fetch/cache.h"
#include "core/fetch/staging.h"
#include "core/fetch/worker/compile.h"
#include "core/fetch/worker/obtain.h"
#include "core/fetch/worker/repository.h"
#include "core/fetch/worker/shut_in.h"

#include <errno.h>
#include <string.h>

/* Memory for packs: they are mapped in pieces, so that a repository of gigabytes that lies on this
 * machine can be read within the limit. */
#define WINDOW_SIZE ((size_t)32 << 20)
#define WINDOWS_MOST ((size_t)256 << 20)
#define PACK_OBJECTS_MOST ((size_t)1000000)

struct worker {
	struct report report;
	const struct task *task;
};

/* No configuration of the user's or the system's: it can name programs to run and other addresses.
 */
static bool configure(const struct task *task, struct fail *fail) {
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
			GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};
	int error = git_libgit2_init() < 0;
	for (size_t i = 0; error == 0 && i < sizeof(levels) / sizeof(levels[0]); i++) {
		error = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	}
	error = error != 0 ? error : git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, WINDOW_SIZE);
	error = error != 0 ? error
			   : git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, WINDOWS_MOST);
	error = error != 0 ? error
			   : git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, PACK_OBJECTS_MOST);
	error = error != 0 ? error : git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* A repository that is named by its path is meant, whoever owns it: nothing in it is run.
	 */
	error = error != 0 ? error : git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	if (error == 0 && task->ca_file[0] != '\0') {
		error = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, task->ca_file, NULL);
	}
	if (error == 0) {
		return true;
	}
	char *words cleanup_free = git_failure();
	return fail_set(fail, EINVAL, "libgit2 can't be set up%s%s: %s",
			task->ca_file[0] != '\0' ? " with the CA file " : "", task->ca_file,
			words != NULL ? words : "no memory");
}

static void tell_waiting(void *data) {
	struct worker *worker = data;
	report_plain(&worker->report, MESSAGE_WAITING);
	report_progress(&worker->report, FETCH_CONNECTING, 0, 0, 0,
			"waiting for another process that fetches it");
}

static bool is_cached(const struct task *task, struct fetch_result *ret) {
	return task->commit[0] != '\0' &&
	       cache_find(task->cache, task->source.path, task->commit, ret);
}

static bool work(struct worker *worker, struct fetch_result *ret, struct fail *fail) {
	const struct task *task = worker->task;
	char name[CACHE_HASH_SIZE];
	cache_hash(task->source.url, name);
	if (!shut_in(task, fail)) {
		return false;
	}
	if (is_cached(task, ret)) {
		return true;
	}
	int lock cleanup_close = cache_lock(task->cache, name, tell_waiting, worker, fail);
	if (lock < 0) {
		return false;
	}
	report_plain(&worker->report, MESSAGE_GOING_ON);
	if (is_cached(task, ret)) {
		return true;
	}
	staging_sweep(task->cache, NULL);
	if (!configure(task, fail) || !obtain(&worker->report, task, ret, fail)) {
		return false;
	}
	/* Nobody is to prune them before they are in a lock. */
	cache_hold(ret);
	return compile(&worker->report, task, ret, fail);
}

void worker_run(const struct task *task, int channel) {
	struct worker worker = {.report = {.fd = channel}, .task = task};
	struct fetch_result result = {0};
	struct fail fail cleanup_fail = {0};
	if (!work(&worker, &result, &fail)) {
		result.code = fail.code != 0 ? fail.code : EIO;
		if (asprintf(&result.words, "%s: %s", task->source.text, fail_words(&fail)) < 0) {
			result.words = NULL;
		}
	}
	report_end(&worker.report, &result);
	fetch_result_finish(&result);
	git_libgit2_shutdown();
}
