/* Disks that can't be written: words, never a crash. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Anybody but root: "nobody" of every distribution. */
#define NOBODY 65534

static int in_child(int (*act)(const struct fixture *), const struct fixture *f) {
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		_exit(act(f));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int open_as_nobody(const struct fixture *f) {
	uv_loop_t loop;
	cleanup_fail struct fail fail = {0};
	if (geteuid() == 0 && setuid(NOBODY) != 0) {
		return 2;
	}
	uv_loop_init(&loop);
	struct store *store = store_open(&loop, f->directory, &fail);
	uv_loop_close(&loop);
	return store == NULL && (fail.code == EACCES || fail.code == EPERM) &&
					       strstr(fail.words, f->directory) != NULL
			       ? 0
			       : 1;
}

static void a_directory_that_cant_be_written_is_refused_with_words(void **state) {
	struct fixture *f = *state;
	assert_int_equal(chmod(f->directory, 0500), 0);
	assert_int_equal(in_child(open_as_nobody, f), 0);
	assert_int_equal(chmod(f->directory, 0700), 0);
}

/* A small file system of the test's own; false when it may not be mounted. */
static bool mount_small(const struct fixture *f, const char *options) {
	if (mount("tmpfs", f->directory, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0) {
		return true;
	}
	print_message("not allowed to mount a small tmpfs: skipped\n");
	return false;
}

static void a_full_disk_fails_a_turn_with_enospc_and_recovers(void **state) {
	struct fixture *f = *state;
	if (!mount_small(f, "size=512k,mode=0700")) {
		skip();
	}
	cleanup_fail struct fail fail = {0};
	char words[2000], path[128];
	memset(words, 'w', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	open_catalogue(f);
	int64_t id = 0;
	bool stored = true;
	while (stored && id < 10000) {
		struct turn_row row = {.id = ++id,
				.place = 1,
				.number = id,
				.state = TURN_DONE,
				.words = words};
		stored = store_turn_insert(f->store, &row, &fail);
	}
	assert_false(stored);
	assert_int_equal(fail.code, ENOSPC);
	assert_non_null(strstr(fail.words, "free some space"));
	/* Everything else fails as politely. */
	static char many[60000];
	memset(many, 'm', sizeof(many) - 1);
	assert_false(store_setting_set(f->store, 1, "system", many, &fail));
	struct place *root = catalogue_root(f->catalogue);
	assert_int_equal(root->n_models, 0);
	struct turn_row back;
	assert_true(store_turn_get(f->store, 1, &back, NULL)); /* reading goes on */
	turn_row_finish(&back);
	close_all(f);
	/* With room again all that was acknowledged is there. */
	snprintf(path, sizeof(path), "%s", f->directory);
	assert_int_equal(
			mount("tmpfs", path, "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV, "size=8m"),
			0);
	open_store(f);
	assert_null(store_notice(f->store));
	int64_t number;
	assert_int_equal(store_turn_newest(f->store, 1, &number), id - 1);
	close_all(f);
	assert_int_equal(umount(f->directory), 0);
}

static void a_catalogue_that_doesnt_fit_says_so_and_fits_later(void **state) {
	struct fixture *f = *state;
	if (!mount_small(f, "size=512k,mode=0700")) {
		skip();
	}
	open_catalogue(f);
	struct place *provider = provider_of(f, "acme");
	const char *why = "";
	int64_t when;
	static char text[4000];
	memset(text, 'd', sizeof(text) - 1);
	for (int round = 0; round < 2; round++) {
		struct refresh *refresh = refresh_begin(f->catalogue, provider);
		for (int i = 0; i < 300; i++) {
			char id[32];
			snprintf(id, sizeof(id), "vendor/m%d", i);
			struct job_model model = model_of(id);
			model.description = text;
			refresh_add(refresh, &model);
		}
		commit(f, refresh);
		f->n_heard = 0;
		if (round == 0) {
			catalogue_refreshed(f->catalogue, provider, &when, &why);
			assert_int_equal(when, 0); /* not a good refresh */
			assert_int_equal(mount("tmpfs", f->directory, "tmpfs",
							 MS_REMOUNT | MS_NOSUID | MS_NODEV,
							 "size=16m"),
					0);
		}
	}
	assert_int_equal(f->total, 300);
	close_all(f);
	open_catalogue(f);
	provider = provider_of(f, "acme");
	assert_int_equal(provider->n_models, 300);
	catalogue_refreshed(f->catalogue, provider, &when, &why);
	assert_true(when > 0);
	assert_string_equal(why, "");
	assert_non_null(catalogue_record(f->catalogue, at(provider, "vendor/m299")));
	close_all(f);
	assert_int_equal(umount(f->directory), 0);
}

static void a_disk_that_turns_read_only_gives_words(void **state) {
	struct fixture *f = *state;
	if (!mount_small(f, "size=4m,mode=0700")) {
		skip();
	}
	open_store(f);
	close_all(f);
	assert_int_equal(mount("tmpfs", f->directory, "tmpfs",
					 MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4m"),
			0);
	cleanup_fail struct fail fail = {0};
	assert_null(store_open(&f->loop, f->directory, &fail));
	assert_int_equal(fail.code, EROFS);
	assert_non_null(strstr(fail.words, "must be writable"));
	assert_int_equal(umount(f->directory), 0);
}

/* A test that failed may have left its file system mounted. */
static int teardown_disk(void **state) {
	struct fixture *f = *state;
	close_all(f);
	umount2(f->directory, MNT_DETACH);
	return teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown_disk)

int main(void) {
	const struct CMUnitTest tests[] = {
			TEST(a_directory_that_cant_be_written_is_refused_with_words),
			TEST(a_full_disk_fails_a_turn_with_enospc_and_recovers),
			TEST(a_catalogue_that_doesnt_fit_says_so_and_fits_later),
			TEST(a_disk_that_turns_read_only_gives_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
