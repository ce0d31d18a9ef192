/* Where a turn's files lie, turns/<thousand>/<id>/, so that no directory grows past a thousand. */
#include "core/base/text.h"
#include "core/store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define TURNS_A_DIRECTORY 1000
#define DIRECTORY_ONLY (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

static bool make_directory(const char *path, struct fail *fail) {
	if (mkdir(path, 0700) == 0 || errno == EEXIST) {
		return true;
	}
	int code = errno;
	return fail_set(fail, code, "%s: %s%s", path, strerror(code),
			code == ENOSPC ? "; free some space there" : "");
}

bool store_turn_path(struct store *store, int64_t id, bool make, char *ret, size_t size,
		struct fail *fail) {
	if (id <= 0) {
		return fail_set(fail, EINVAL, "%" PRId64 " isn't the id of a turn", id);
	}
	int length = snprintf(ret, size, "%s/turns/%06" PRId64 "/%" PRId64, store->files,
			id / TURNS_A_DIRECTORY, id);
	if (length < 0 || (size_t)length >= size) {
		return fail_set(fail, ENAMETOOLONG,
				"the path of turn %" PRId64 " below %s is too long", id,
				store->files);
	}
	/* Nearly always only the last directory is missing. */
	if (!make || mkdir(ret, 0700) == 0 || errno == EEXIST) {
		return true;
	}
	if (errno != ENOENT) {
		return make_directory(ret, fail);
	}
	bool made = true;
	for (char *slash = ret + strlen(store->files) + 1; made && slash != NULL;) {
		slash = strchr(slash, '/');
		if (slash != NULL) {
			*slash = '\0';
			made = make_directory(ret, fail);
			*slash++ = '/';
		}
	}
	return made && make_directory(ret, fail);
}

/* The highest number below `limit` that names an entry of `path`; 0 when there is none. */
static int64_t highest_entry(const char *path, int64_t limit) {
	cleanup_closedir DIR *directory = opendir(path);
	int64_t highest = 0, number;
	struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (parse_int64(entry->d_name, &number) && number > highest && number < limit) {
			highest = number;
		}
	}
	return highest;
}

int64_t files_last_turn(const char *directory) {
	char path[4096];
	int64_t thousand = INT64_MAX / TURNS_A_DIRECTORY, highest;
	/* The last thousand may be empty: what was begun there was dropped, or never came so far. A
	 * directory that somebody put there doesn't decide. */
	do {
		int length = snprintf(path, sizeof(path), "%s/turns", directory);
		if (length < 0 || (size_t)length + sizeof("/-9223372036854775808") > sizeof(path)) {
			return 0;
		}
		thousand = highest_entry(path, thousand);
		snprintf(path + length, sizeof(path) - (size_t)length, "/%06" PRId64, thousand);
		highest = highest_entry(path, (thousand + 1) * TURNS_A_DIRECTORY);
	} while (thousand != 0 && highest / TURNS_A_DIRECTORY != thousand);
	return highest / TURNS_A_DIRECTORY == thousand ? highest : 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
	(void)status, (void)type, (void)ftw;
	remove(path);
	return 0;
}

void files_remove_turn(const char *directory, int64_t turn) {
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/turns/%06" PRId64 "/%" PRId64, directory,
			turn / TURNS_A_DIRECTORY, turn);
	if (length > 0 && (size_t)length < sizeof(path)) {
		nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
}

void files_remove_work(const char *directory, int64_t turn) {
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/turns/%06" PRId64 "/%" PRId64, directory,
			turn / TURNS_A_DIRECTORY, turn);
	cleanup_closedir DIR *files = length > 0 && (size_t)length + NAME_MAX + 2 < sizeof(path)
						      ? opendir(path)
						      : NULL;
	struct dirent *entry;
	while (files != NULL && (entry = readdir(files)) != NULL) {
		if (starts_with(entry->d_name, "work-")) {
			snprintf(path + length, sizeof(path) - (size_t)length, "/%s",
					entry->d_name);
			nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		}
	}
}

/* Calls for each number that names an entry of `path`. */
static void each_number(const char *path, void (*visit)(void *data, int64_t number), void *data) {
	cleanup_closedir DIR *directory = opendir(path);
	int64_t number;
	struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (parse_int64(entry->d_name, &number) && number > 0) {
			visit(data, number);
		}
	}
}

struct walk {
	const char *directory;
	int64_t from; /* the first thousand */
	void (*visit)(void *data, int64_t turn);
	void *data;
};

static void on_thousand(void *data, int64_t thousand) {
	const struct walk *walk = data;
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/turns/%06" PRId64, walk->directory, thousand);
	if (thousand >= walk->from && length > 0 && (size_t)length < sizeof(path)) {
		each_number(path, walk->visit, walk->data);
	}
}

void files_each_turn(const char *directory, int64_t after, void (*visit)(void *data, int64_t turn),
		void *data) {
	struct walk walk = {directory, after / TURNS_A_DIRECTORY, visit, data};
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/turns", directory);
	if (length > 0 && (size_t)length < sizeof(path)) {
		if (walk.from == 0) {
			on_thousand(&walk, 0);
		}
		each_number(path, on_thousand, &walk);
	}
}

static bool sync_at(int directory, const char *name) {
	/* A fifo or a link that somebody put there is neither waited for nor followed. */
	cleanup_close int fd = openat(
			directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	/* EINVAL: not a thing that can be synced. */
	return fd < 0 || fsync(fd) == 0 || errno == EINVAL;
}

/* All that lies in a directory, and in those in it down to `depth`; takes the descriptor. */
static bool sync_entries(int fd, int depth) {
	if (fd < 0) {
		return true;
	}
	cleanup_closedir DIR *stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return false;
	}
	bool synced = true;
	struct dirent *entry;
	while ((entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		synced &= sync_at(fd, entry->d_name);
		if (depth > 0) {
			synced &= sync_entries(
					openat(fd, entry->d_name, DIRECTORY_ONLY), depth - 1);
		}
	}
	return synced;
}

bool files_sync_turn(const char *directory, int64_t turn) {
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/turns/%06" PRId64 "/%" PRId64, directory,
			turn / TURNS_A_DIRECTORY, turn);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return true;
	}
	int fd = open(path, DIRECTORY_ONLY);
	if (fd < 0) {
		return true; /* forgotten meanwhile */
	}
	cleanup_close int top = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	bool synced = sync_entries(fd, 1);
	/* The names too: the turn's own, its directory's, and that one's. */
	return sync_at(top, ".") & sync_at(top, "..") & sync_at(top, "../..") & synced;
}
