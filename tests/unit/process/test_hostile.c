/* Providers that misbehave: each fails its turn with words, and a good turn afterwards works. */
#include "tests/unit/process/support.h"

#include <errno.h>
#include <string.h>

/* Runs `model` and expects EIO with these words; then a good turn in the next process. */
static void expect(const char *model, double ack, const char *words) {
	struct fixture fixture;
	struct owner bad, good;
	fixture_init_with(&fixture, "hostile", 0, ack);
	owner_run(&bad, &fixture, model);
	assert_int_equal(bad.code, EIO);
	if (strstr(bad.words, words) == NULL) {
		fail_msg("%s: expected \"%s\" in \"%s\"", model, words, bad.words);
	}
	assert_non_null(strstr(bad.words, "provider acme "));
	assert_int_equal(bad.n_ends, 1);
	owner_run(&good, &fixture, "good");
	assert_int_equal(good.code, 0);
	assert_string_equal(buf_string(&good.output), "good");
	owner_finish(&bad);
	owner_finish(&good);
	fixture_finish(&fixture);
}

/* A sanitized runner reports a crash itself and ends with a status. */
static void a_crash_is_named_by_its_signal(void **state) {
	(void)state;
	expect("segfault", 0, SANDBOX_LENIENT ? "ended by itself" : "crashed (SIGSEGV)");
	expect("abort", 0, SANDBOX_LENIENT ? "" : "crashed (SIGABRT)");
}

static void the_others_jobs_of_a_crashed_process_are_told_too(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner held, bad, other;
	fixture_init(&fixture, "hostile");
	owner_init(&held, &fixture);
	held.answers = false;
	owner_transform(&held, "hold");
	run_until_count(&fixture, &held.n_reads, 1);
	owner_run(&bad, &fixture, "segfault");
	run_until(&fixture, &held.ended);
	assert_true(bad.crashed && held.crashed);
	assert_int_equal(held.code, EIO);
	owner_run(&other, &fixture, "good");
	assert_int_equal(other.code, 0);
	owner_finish(&held);
	owner_finish(&bad);
	owner_finish(&other);
	fixture_finish(&fixture);
}

static void one_that_acknowledges_nothing_is_killed(void **state) {
	(void)state;
	expect("spin", 0.4, "was killed: it acknowledged nothing for 0.4 s");
	expect("wait", 0.4, "was killed: it acknowledged nothing for 0.4 s");
	expect("flood", 0.4, "was killed: it acknowledged nothing for 0.4 s");
}

static void one_that_ends_or_hangs_up_is_found_out(void **state) {
	(void)state;
	expect("leave", 0, "ended by itself (exit status 3: goodbye  [31m)");
	expect("hang-up", 0, "crashed (SIGKILL)");
}

static void nonsense_on_the_socket_kills_it(void **state) {
	(void)state;
	expect("garbage", 0, "was killed: it sent a malformed message");
	expect("truncated", 0, "was killed: it sent a malformed message");
	expect("oversized", 0, "was killed: it sent a packet above 64 KiB");
	expect("unknown", 0, "was killed: it sent a malformed message");
	expect("no-job", 0, "was killed: it sent a ");
	expect("as-daemon", 0, "was killed: it sent a message of type 9");
}

static void forbidden_system_calls_kill_it_and_are_named(void **state) {
	(void)state;
	if (SANDBOX_LENIENT) {
		skip();
	}
	static const struct {
		const char *model, *call;
	} cases[] = {{"open", "(openat)"}, {"socket", "(socket)"}, {"execve", "(execve)"},
			{"fork", "(clone)"}, {"kill", "(kill)"}, {"ptrace", "(ptrace)"},
			{"code", "(mmap)"}, {"open-slyly", "forbidden system call"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect(cases[i].model, 0, "was killed: it tried a forbidden system call");
		expect(cases[i].model, 0, cases[i].call);
	}
}

static void memory_is_bounded(void **state) {
	(void)state;
	if (SANDBOX_LENIENT) {
		skip();
	}
	expect("grow", 0, "crashed (SIGSEGV)");
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "hostile");
	owner_run(&owner, &fixture, "memory");
	assert_string_equal(owner.words, "no memory");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_flood_of_log_lines_is_cut_short(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "hostile");
	owner_run(&owner, &fixture, "flood-log");
	assert_int_equal(owner.code, 0);
	/* 50 a second: the few seconds that it may take make a few hundred of 40,000. */
	assert_true(fixture.log.size < 20000);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

/* ---- those that never get ready ---- */

static void expect_unready(const char *object, const char *words) {
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, object);
	owner_run(&owner, &fixture, "good");
	assert_int_equal(owner.code, EIO);
	assert_false(owner.crashed);
	if (strstr(owner.words, words) == NULL) {
		fail_msg("%s: expected \"%s\" in \"%s\"", object, words, owner.words);
	}
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void an_object_that_is_no_provider_is_refused_with_words(void **state) {
	(void)state;
	expect_unready("undefined", "undefined symbol: not_to_be_found_anywhere");
	expect_unready("entryless", "no symbol conduit_provider_entry");
	expect_unready("newer",
			"was built for ABI 2 of provider.h, and this conduitfs knows ABI 1: "
			"update conduitfs");
	expect_unready("nameless", "names no name or no version");
	expect_unready("absent", "No such file or directory");
}

/* Of a header that was smaller, with nonsense where the newer fields would be; and of one that has
 * grown meanwhile. */
static void an_object_of_an_older_or_a_longer_header_runs(void **state) {
	(void)state;
	static const char *const objects[] = {"older", "grown"};
	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;
		struct owner owner;
		fixture_init(&fixture, objects[i]);
		for (int turn = 0; turn < 2; turn++) {
			owner_run(&owner, &fixture, "any");
			assert_string_equal(owner.words, "");
			assert_int_equal(owner.code, 0);
			assert_string_equal(buf_string(&owner.output), objects[i]);
			owner_finish(&owner);
		}
		fixture_finish(&fixture);
	}
}

static void a_constructor_is_in_the_sandbox_already(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	if (SANDBOX_LENIENT) {
		skip();
	}
	expect_unready("constructor-connects", "forbidden system call (socket)");
	static const char *const objects[] = {"constructor-opens", "constructor-writes"};
	for (size_t i = 0; i < 2; i++) {
		fixture_init(&fixture, objects[i]);
		owner_run(&owner, &fixture, "good");
		assert_int_equal(owner.code, 0);
		assert_string_equal(buf_string(&owner.output), i == 0 ? "EACCES" : "EPERM");
		owner_finish(&owner);
		fixture_finish(&fixture);
	}
}

static void a_constructor_that_ends_or_hangs_is_found_out(void **state) {
	(void)state;
	expect_unready("constructor-leaves", "ended by itself (exit status 0)");
	expect_unready("constructor-hangs", "was killed: it wasn't ready within 5 s");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_crash_is_named_by_its_signal),
			cmocka_unit_test(the_others_jobs_of_a_crashed_process_are_told_too),
			cmocka_unit_test(one_that_acknowledges_nothing_is_killed),
			cmocka_unit_test(one_that_ends_or_hangs_up_is_found_out),
			cmocka_unit_test(nonsense_on_the_socket_kills_it),
			cmocka_unit_test(forbidden_system_calls_kill_it_and_are_named),
			cmocka_unit_test(memory_is_bounded),
			cmocka_unit_test(a_flood_of_log_lines_is_cut_short),
			cmocka_unit_test(an_object_that_is_no_provider_is_refused_with_words),
			cmocka_unit_test(an_object_of_an_older_or_a_longer_header_runs),
			cmocka_unit_test(a_constructor_is_in_the_sandbox_already),
			cmocka_unit_test(a_constructor_that_ends_or_hangs_is_found_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
