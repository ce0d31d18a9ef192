/* The directory that the programs of a turn work in: see exchange_work.h. */
#include "core/engine/run/exchange_work.h"

#include "core/base/confine.h"
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"
#include "core/engine/run/exchange_program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often what it wrote is looked at. */
#define LOOK_MS 500

void work_remove(char *path) {
	cleanup_closedir DIR *directory = opendir(path);
	struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		unlinkat(dirfd(directory), entry->d_name, 0);
	}
	rmdir(path);
	free(path);
}

bool work_make(struct exchange *exchange, struct fail *fail) {
	if (exchange->work != NULL) {
		return true;
	}
	if (exchange->directory == NULL) {
		return fail_set(fail, EPROTO,
				"the provider %s asked for results of a program outside of a turn",
				exchange->provider->name);
	}
	cleanup_free char *path = NULL;
	if (asprintf(&path, "%s/work-XXXXXX", exchange->directory) < 0) {
		path = NULL;
		return fail_set(fail, ENOMEM, "no memory for a program");
	}
	if (mkdtemp(path) == NULL) {
		return fail_set(fail, errno, "%s can't be made: %s", path, strerror(errno));
	}
	exchange->work = take(path);
	return geteuid() != 0 || chown(exchange->work, CONFINE_NOBODY, CONFINE_NOBODY) == 0 ||
	       fail_set(fail, errno, "%s can't be made nobody's: %s", exchange->work,
			       strerror(errno));
}

static int is_result(const struct dirent *entry) {
	return entry->d_name[0] != '.' &&
	       strncmp(entry->d_name, WORK_SCRATCH, strlen(WORK_SCRATCH)) != 0;
}

static int compare(const struct dirent **a, const struct dirent **b) {
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Its results, so far; -1 with words when they can't be listed. Bounded by on_look. */
static int list_results(struct exchange *exchange, struct dirent ***ret, struct fail *fail) {
	*ret = NULL;
	int n = exchange->work != NULL ? scandir(exchange->work, ret, is_result, compare) : 0;
	if (n < 0) {
		fail_set(fail, errno, "%s can't be read: %s", exchange->work, strerror(errno));
	}
	return n;
}

int work_take_results(struct exchange *exchange, struct fail *fail) {
	struct dirent **entries;
	int n = list_results(exchange, &entries, fail);
	bool taken = n >= 0;
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", exchange->work, entries[i]->d_name);
		taken = taken && (exchange->events.file == NULL ||
						 exchange->events.file(exchange->data, path,
								 entries[i]->d_name, fail));
		free(entries[i]);
	}
	free(entries);
	return taken ? n : -1;
}

/* Whether its files are fewer bytes than `most` and no more than may be; false with words. */
static bool is_within(struct exchange *exchange, uint64_t most, struct fail *fail) {
	uint64_t bytes = 0;
	unsigned files = 0;
	cleanup_closedir DIR *directory = opendir(exchange->work);
	struct dirent *entry;
	struct stat about;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.' && fstatat(dirfd(directory), entry->d_name, &about,
							       AT_SYMLINK_NOFOLLOW) == 0) {
			bytes += (uint64_t)about.st_size;
			files++;
		}
	}
	return (bytes < most && files <= PROGRAM_FILES_MOST) ||
	       fail_set(fail, EFBIG,
			       "the results are %u files of %llu bytes together, or would be more: "
			       "%u files and %llu bytes are the most; limits.media in config.yml "
			       "raises the latter",
			       files, (unsigned long long)bytes, PROGRAM_FILES_MOST,
			       (unsigned long long)exchange->provider->engine->config.media_most);
}

static void on_look(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	uint64_t most = exchange->provider->engine->config.media_most;
	if (!is_within(exchange, most < UINT64_MAX ? most + 1 : most, &exchange->failure)) {
		exchange_fail_later(exchange);
	}
}

bool work_has_room(struct exchange *exchange, struct fail *fail) {
	return exchange->work == NULL ||
	       is_within(exchange, exchange->provider->engine->config.media_most, fail);
}

void work_watch(struct exchange *exchange) {
	uv_timer_start(&exchange->timer, on_look, LOOK_MS, LOOK_MS);
}
