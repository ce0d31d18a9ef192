/* See building.h. */
#include "tests/unit/fetch/building.h"

#include "core/base/landlock.h"

#include <time.h>

bool building_possible(void) {
	if (landlock_abi() > 0) {
		return true;
	}
	puts("skipped: there is no Landlock here, without which nothing is built");
	return false;
}

static void on_line(void *data, const char *words) {
	struct building *building = data;
	buf_add_format(&building->lines, "%s\n", words);
}

void building_init(struct building *building, const char *directory) {
	*building = (struct building){.options = {.include = INCLUDE, .seconds = 60}};
	snprintf(building->files, sizeof(building->files), "%s/files", directory);
	snprintf(building->directory, sizeof(building->directory), "%s/build", directory);
	assert_int_equal(mkdir(building->files, 0755), 0);
	assert_int_equal(mkdir(building->directory, 0755), 0);
}

void building_write(struct building *building, const char *name, const char *text) {
	char path[600];
	snprintf(path, sizeof(path), "%s/%s", building->files, name);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	*slash = '/';
	unlink(path);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0444), 0);
}

void building_run(struct building *building, const char *manifest) {
	struct fail fail = {0};
	manifest_finish(&building->manifest);
	fail_finish(&building->fail);
	building->fail = (struct fail){0};
	buf_clear(&building->messages);
	building_write(building, "MediaConduit.provider.yml", manifest);
	char path[600];
	snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", building->files);
	if (!manifest_read(&building->manifest, path, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	building->built = build_provider(&building->options, &building->manifest, building->files,
			building->directory, on_line, building, &building->messages,
			&building->fail);
}

void building_one(struct building *building, const char *source) {
	building_write(building, "provider.c", source);
	building_run(building, MANIFEST "sources: [provider.c]\n");
}

void building_finish(struct building *building) {
	manifest_finish(&building->manifest);
	fail_finish(&building->fail);
	buf_finish(&building->messages);
	buf_finish(&building->lines);
}

bool building_holds(const struct building *building, const char *text) {
	cleanup_closedir DIR *listing = opendir(building->directory);
	assert_non_null(listing);
	bool found = false;
	struct dirent *entry;
	while ((entry = readdir(listing)) != NULL) {
		char path[600];
		struct buf bytes = {.limit = 100 << 20};
		snprintf(path, sizeof(path), "%s/%s", building->directory, entry->d_name);
		if (file_read(path, 100 << 20, &bytes, NULL)) {
			found = found || memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
		}
		buf_finish(&bytes);
	}
	return found;
}

void assert_built(const struct building *building) {
	if (!building->built) {
		fail_msg("%s\n%s", fail_words(&building->fail), buf_string(&building->messages));
	}
}

void assert_failed(const struct building *building, int code, const char *words) {
	assert_false(building->built);
	assert_contains(fail_words(&building->fail), words);
	assert_int_equal(building->fail.code, code);
}

int building_runs_in(const char *directory) {
	cleanup_closedir DIR *listing = opendir("/proc");
	assert_non_null(listing);
	struct dirent *entry;
	while ((entry = readdir(listing)) != NULL) {
		char path[300], where[300] = "";
		snprintf(path, sizeof(path), "/proc/%.20s/cwd", entry->d_name);
		if (readlink(path, where, sizeof(where) - 1) > 0 && strcmp(where, directory) == 0) {
			return (int)strtol(entry->d_name, NULL, 10);
		}
	}
	return 0;
}

void assert_nothing_runs(const char *directory) {
	/* What was killed is gone a moment later. */
	for (int i = 0; i < 200 && building_runs_in(directory) != 0; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	assert_int_equal(building_runs_in(directory), 0);
}
