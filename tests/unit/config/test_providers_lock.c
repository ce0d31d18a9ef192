/* providers.lock: what is written is read again, byte for byte, and what a stranger wrote is not
 * believed. */
#include "core/config/providers_lock.h"

#include "core/base/file.h"
#include "core/base/strings.h"
#include "tests/unit/config/scratch.h"

#include <errno.h>
#include <sys/file.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define TREE "89abcdef0123456789abcdef0123456789abcdef"

#define WHOLE                                                                                      \
	"# Written by conduitfs: the providers that are loaded, each pinned to a commit.\n"        \
	"version: 1\n"                                                                             \
	"providers:\n"                                                                             \
	"  acme:\n"                                                                                \
	"    source: https://github.com/acme/acme-provider@v1.2\n"                                 \
	"    commit: " COMMIT "\n"                                                                 \
	"    tree: " TREE "\n"                                                                     \
	"    previous: {commit: " TREE ", tree: " COMMIT "}\n"                                     \
	"    allow:\n"                                                                             \
	"      key: ACME_API_KEY\n"                                                                \
	"      key_hosts: [api.acme.dev, auth.acme.dev:8443]\n"                                    \
	"      hosts: [\"*.acme.dev\", \"[::1]:81\", http://127.0.0.1:8080]\n"                     \
	"      programs: [ffmpeg]\n"                                                               \
	"  bare:\n"                                                                                \
	"    source: \"/srv/a dir#sub\"\n"                                                         \
	"    allow: {}\n"

static struct providers_lock lock;

static void read_good(const char *text) {
	struct fail fail = {0};
	if (!providers_lock_read(&lock, scratch_write("l", text), &fail)) {
		print_error("%s\n", fail_words(&fail));
		fail();
	}
}

static void assert_refused(const char *text, const char *words) {
	struct fail fail = {0};
	assert_false(providers_lock_read(&lock, scratch_write("l", text), &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_contains(fail_words(&fail), words);
	fail_finish(&fail);
}

static void assert_file(const char *path, const char *text) {
	struct buf bytes = {0};
	assert_true(file_read(path, 1 << 20, &bytes, NULL));
	assert_string_equal(buf_string(&bytes), text);
	buf_finish(&bytes);
}

static bool keep(struct providers_lock *changed, void *data, struct fail *fail) {
	(void)changed;
	(void)data;
	(void)fail;
	return true;
}

static bool add(struct providers_lock *changed, void *data, struct fail *fail) {
	(void)fail;
	struct lock_entry *entry = providers_lock_add(changed, data);
	return entry != NULL && lock_entry_set(&entry->source, "https://a.dev/b");
}

static bool refuse(struct providers_lock *changed, void *data, struct fail *fail) {
	return add(changed, data, fail) && fail_set(fail, ECANCELED, "no");
}

static void a_lock_is_read(void **state) {
	(void)state;
	read_good(WHOLE);
	assert_int_equal(lock.n_entries, 2);
	struct lock_entry *acme = providers_lock_find(&lock, "acme");
	assert_string_equal(acme->source, "https://github.com/acme/acme-provider@v1.2");
	assert_string_equal(acme->commit, COMMIT);
	assert_string_equal(acme->tree, TREE);
	assert_string_equal(acme->previous_commit, TREE);
	assert_string_equal(acme->previous_tree, COMMIT);
	assert_true(acme->has_allow);
	assert_string_equal(acme->allow.key, "ACME_API_KEY");
	assert_string_equal(acme->allow.key_hosts[1], "auth.acme.dev:8443");
	assert_int_equal(strings_length(acme->allow.hosts), 3);
	assert_string_equal(acme->allow.programs[0], "ffmpeg");
	struct lock_entry *bare = providers_lock_find(&lock, "bare");
	assert_string_equal(bare->source, "/srv/a dir#sub");
	assert_string_equal(bare->commit, "");
	assert_true(bare->has_allow && consent_is_empty(&bare->allow));
	assert_null(providers_lock_find(&lock, "none"));
	providers_lock_finish(&lock);
}

static void what_is_read_and_written_has_the_same_bytes(void **state) {
	(void)state;
	const char *path = scratch_write("l", WHOLE);
	assert_true(providers_lock_edit(path, keep, NULL, NULL));
	assert_file(path, WHOLE);
	struct stat about;
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
}

static void a_file_that_is_absent_is_an_empty_lock(void **state) {
	(void)state;
	struct fail fail = {0};
	assert_true(providers_lock_read(&lock, scratch_path("absent"), &fail));
	assert_int_equal(lock.n_entries, 0);
	providers_lock_finish(&lock);
	read_good("");
	providers_lock_finish(&lock);
	read_good("version: 1\nproviders:\n");
	assert_int_equal(lock.n_entries, 0);
	providers_lock_finish(&lock);
}

static void entries_are_kept_in_the_order_of_their_names(void **state) {
	(void)state;
	const char *path = scratch_path("d/e/l");
	assert_true(providers_lock_edit(path, add, "b", NULL));
	assert_true(providers_lock_edit(path, add, "c", NULL));
	assert_true(providers_lock_edit(path, add, "a", NULL));
	assert_true(providers_lock_edit(path, add, "on", NULL));
	assert_true(providers_lock_edit(path, add, "12", NULL));
	assert_file(path, "# Written by conduitfs: the providers that are loaded, each pinned to a "
			  "commit.\nversion: 1\nproviders:\n"
			  "  \"12\":\n    source: https://a.dev/b\n"
			  "  a:\n    source: https://a.dev/b\n"
			  "  b:\n    source: https://a.dev/b\n"
			  "  c:\n    source: https://a.dev/b\n"
			  "  \"on\":\n    source: https://a.dev/b\n");
	assert_true(providers_lock_read(&lock, path, NULL));
	providers_lock_remove(&lock, "b");
	providers_lock_remove(&lock, "none");
	assert_int_equal(lock.n_entries, 4);
	assert_string_equal(lock.entries[2].name, "c");
	providers_lock_finish(&lock);
}

static void a_change_that_is_refused_leaves_the_file_alone(void **state) {
	(void)state;
	struct fail fail = {0};
	const char *path = scratch_write("l", WHOLE);
	assert_false(providers_lock_edit(path, refuse, "z", &fail));
	assert_int_equal(fail.code, ECANCELED);
	assert_file(path, WHOLE);
	assert_int_not_equal(access(scratch_path("l.new"), F_OK), 0);
	fail_finish(&fail);
}

static bool set_nonsense(struct providers_lock *changed, void *data, struct fail *fail) {
	(void)fail;
	struct lock_entry *entry = providers_lock_find(changed, "bare");
	return entry != NULL && lock_entry_set(&entry->source, data);
}

static void what_could_not_be_read_again_is_not_written(void **state) {
	(void)state;
	static char *const nonsense[] = {"", "-x", "a\nb", "\xc2\x80", "\xff"};
	const char *path = scratch_write("l", WHOLE);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct fail fail = {0};
		assert_false(providers_lock_edit(path, set_nonsense, nonsense[i], &fail));
		assert_int_equal(fail.code, EINVAL);
		fail_finish(&fail);
		assert_file(path, WHOLE);
	}
	char *const odd[] = {"0x1f", "1e5", "12:30", "/srv/\xc3\xa4 \"b\" \\ 'c'", "/a: b # c",
			"true", "123", "~/x", "/a:"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_true(providers_lock_edit(path, set_nonsense, odd[i], NULL));
		assert_true(providers_lock_read(&lock, path, NULL));
		assert_string_equal(providers_lock_find(&lock, "bare")->source, odd[i]);
		providers_lock_finish(&lock);
	}
}

static void one_that_another_holds_is_waited_for_and_no_longer(void **state) {
	(void)state;
	struct fail fail = {0};
	const char *path = scratch_write("l", WHOLE);
	int held = open(scratch_path("l.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(held, LOCK_EX), 0);
	assert_false(providers_lock_edit(path, add, "z", &fail));
	assert_int_equal(fail.code, EBUSY);
	assert_file(path, WHOLE);
	close(held);
	fail_finish(&fail);
	assert_true(providers_lock_edit(path, add, "z", &fail));
}

static void a_link_stays_a_link(void **state) {
	(void)state;
	struct stat about;
	const char *real = scratch_write("real", WHOLE);
	const char *path = scratch_path("l");
	assert_int_equal(symlink(real, path), 0);
	assert_true(providers_lock_edit(path, add, "z", NULL));
	assert_int_equal(lstat(path, &about), 0);
	assert_true(S_ISLNK(about.st_mode));
	assert_true(providers_lock_read(&lock, real, NULL));
	assert_int_equal(lock.n_entries, 3);
	providers_lock_finish(&lock);
}

static void every_fault_is_told_at_once(void **state) {
	(void)state;
	const char *text = "version: 1\nproviders:\n"
			   "  Acme: {source: x}\n"
			   "  a: {source: '--upload-pack=x', commit: HEAD}\n"
			   "  b: {commit: " COMMIT ", tree: 0123}\n"
			   "  c: {source: x, allow: {hosts: ['*']}, sorce: y}\n"
			   "  d: {source: \"x\\x01\", previous: {commit: ../../x}}\n"
			   "  ..: {source: x}\n"
			   "  e: text\n"
			   "extra: 1\n";
	assert_refused(text, ":3: providers: 'Acme' is no provider's name");
	assert_refused(text, ":4: providers.a.source: '--upload-pack=x' can't be a source");
	assert_refused(text, ":4: providers.a.commit: 'HEAD' is not a whole hash");
	assert_refused(text, ":5: providers.b: has no source");
	assert_refused(text, ":5: providers.b.tree: '0123' is not a whole hash");
	assert_refused(text, ":6: providers.c.allow.hosts: '*' is not a host");
	assert_refused(text, ":6: unknown field 'sorce' of providers.c, did you mean 'source'?");
	assert_refused(text, ":7: providers.d.source: 'x?' can't be a source");
	assert_refused(text, ":7: providers.d.previous.commit: '../../x' is not");
	assert_refused(text, ":8: providers: '..' is no provider's name");
	assert_refused(text, ":9: providers.e: must be a map");
	assert_refused(text, ":10: unknown field 'extra'");
}

static void another_version_is_not_guessed_at(void **state) {
	(void)state;
	assert_refused("version: 2\nproviders: {}\n", ":1: version: 2 was written by a newer");
	assert_refused("providers: {}\n", "no version");
	assert_refused("version: 1\nproviders: [a]\n", ":2: providers: must be a map");
}

static void a_directorys_own_hash_is_one(void **state) {
	(void)state;
	read_good("version: 1\nproviders:\n  a: {source: /x, commit: tree-" COMMIT "}\n");
	assert_string_equal(lock.entries[0].commit, "tree-" COMMIT);
	providers_lock_finish(&lock);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_scratch(a_lock_is_read),
			with_scratch(what_is_read_and_written_has_the_same_bytes),
			with_scratch(a_file_that_is_absent_is_an_empty_lock),
			with_scratch(entries_are_kept_in_the_order_of_their_names),
			with_scratch(a_change_that_is_refused_leaves_the_file_alone),
			with_scratch(what_could_not_be_read_again_is_not_written),
			with_scratch(one_that_another_holds_is_waited_for_and_no_longer),
			with_scratch(a_link_stays_a_link),
			with_scratch(every_fault_is_told_at_once),
			with_scratch(another_version_is_not_guessed_at),
			with_scratch(a_directorys_own_hash_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
