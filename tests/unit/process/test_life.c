/* The life of a provider's process: what it is started with, when it ends and starts again. */
#include "tests/unit/process/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child isn't dumpable: only root may look at these of its files in /proc. */
static void needs_root(void) {
	if (geteuid() != 0) {
		skip();
	}
}

static size_t read_proc(int pid, const char *name, char *bytes, size_t most) {
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t size = read(fd, bytes, most - 1);
	close(fd);
	assert_true(size >= 0);
	bytes[size] = '\0';
	return (size_t)size;
}

static void nothing_runs_before_the_first_job(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, "good");
	uv_run(&fixture.loop, UV_RUN_NOWAIT);
	assert_int_equal(process_pid(fixture.process), 0);
	fixture_finish(&fixture);
}

static void the_child_has_no_environment_and_no_key_in_its_arguments(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	char bytes[4096];
	needs_root();
	setenv("ACME_API_KEY", "sk-very-secret", 1);
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "echo");
	assert_int_equal(read_proc(process_pid(fixture.process), "environ", bytes, sizeof(bytes)),
			0);
	size_t size = read_proc(process_pid(fixture.process), "cmdline", bytes, sizeof(bytes));
	assert_null(memmem(bytes, size, "secret", 6));
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void the_child_has_four_descriptors(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	char path[64];
	needs_root();
	int leak = open("/dev/null", O_RDONLY);
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "echo");
	snprintf(path, sizeof(path), "/proc/%d/fd", process_pid(fixture.process));
	DIR *dir = opendir(path);
	assert_non_null(dir);
	unsigned n = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.') {
			assert_in_range(atoi(entry->d_name), 0, 3);
			n++;
		}
	}
	closedir(dir);
	close(leak);
	assert_int_equal(n, 4);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void the_child_is_nobody_filtered_and_without_privileges(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	char bytes[8192];
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "echo");
	read_proc(process_pid(fixture.process), "status", bytes, sizeof(bytes));
	assert_non_null(strstr(bytes, "NoNewPrivs:\t1"));
	assert_non_null(strstr(bytes, "Seccomp:\t2"));
	assert_non_null(strstr(bytes, "Seccomp_filters:\t2"));
	if (geteuid() == 0) {
		assert_non_null(strstr(bytes, "Uid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(bytes, "Gid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(bytes, "CapEff:\t0000000000000000"));
	}
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void an_idle_child_ends_and_the_next_job_starts_another(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner first, second;
	fixture_init_with(&fixture, "good", 0.05, 0);
	owner_run(&first, &fixture, "echo");
	int pid = process_pid(fixture.process);
	assert_true(pid > 0);
	run_until_ended(&fixture);
	/* Reaped, not a zombie. */
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	owner_run(&second, &fixture, "echo");
	assert_int_equal(second.code, 0);
	assert_true(process_pid(fixture.process) != pid);
	owner_finish(&first);
	owner_finish(&second);
	fixture_finish(&fixture);
}

static void on_over(uv_timer_t *timer) {
	*(bool *)timer->data = true;
}

static void a_job_under_way_keeps_the_child(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner held;
	fixture_init_with(&fixture, "good", 0.05, 0);
	owner_init(&held, &fixture);
	held.answers = false;
	owner_transform(&held, "echo");
	run_until_count(&fixture, &held.n_reads, 1);
	int pid = process_pid(fixture.process);
	uv_timer_t timer;
	bool over = false;
	uv_timer_init(&fixture.loop, &timer);
	timer.data = &over;
	/* Four times the idle time: what is waited for is that nothing happens. */
	uv_timer_start(&timer, on_over, 200, 0);
	run_until(&fixture, &over);
	uv_close((uv_handle_t *)&timer, NULL);
	assert_int_equal(process_pid(fixture.process), pid);
	assert_true(job_data(held.job, "x", 1));
	job_body_end(held.job);
	run_until(&fixture, &held.ended);
	assert_int_equal(held.code, 0);
	owner_finish(&held);
	fixture_finish(&fixture);
}

static void a_child_killed_from_outside_is_started_again(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner held, next;
	fixture_init(&fixture, "good");
	owner_init(&held, &fixture);
	held.answers = false;
	owner_transform(&held, "echo");
	run_until_count(&fixture, &held.n_reads, 1);
	kill(process_pid(fixture.process), SIGKILL);
	run_until(&fixture, &held.ended);
	assert_true(held.crashed);
	assert_int_equal(held.code, EIO);
	assert_string_equal(held.words,
			"provider acme crashed (SIGKILL), while it was working on this");
	owner_run(&next, &fixture, "echo");
	assert_int_equal(next.code, 0);
	owner_finish(&held);
	owner_finish(&next);
	fixture_finish(&fixture);
}

static void restarts_slow_down_until_jobs_fail_at_once(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "entryless");
	/* 0.1, 0.2, 0.4, 0.8, 1.6, 3.2 s are waited for; 6.4 s are not. */
	uint64_t begun = uv_hrtime();
	for (int i = 0; i < 7; i++) {
		owner_run(&owner, &fixture, "echo");
		assert_int_equal(owner.code, EIO);
		owner_finish(&owner);
	}
	assert_true(uv_hrtime() - begun > 6 * 1000000000ULL);
	begun = uv_hrtime();
	owner_run(&owner, &fixture, "echo");
	assert_true(uv_hrtime() - begun < 1000000000ULL);
	assert_int_equal(owner.code, EIO);
	assert_non_null(strstr(owner.words, "conduit_provider_entry"));
	assert_non_null(strstr(owner.words, "after 7 failures in a row it is started again in "));
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_runner_that_is_missing_fails_with_its_path(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	process_destroy(fixture.process);
	struct process_options options = {
			.name = "acme", .runner = "/nowhere/conduitfs-provider", .object = "x.so"};
	fixture.process = process_create(&fixture.loop, &options);
	owner_run(&owner, &fixture, "echo");
	assert_int_equal(owner.code, EIO);
	assert_string_equal(owner.words,
			"can't start /nowhere/conduitfs-provider: No such file or directory");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

/* What the forked stand-in for the daemon does: a turn that never ends, and no farewell. */
static void start_and_vanish(int report) {
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "hostile");
	owner_init(&owner, &fixture);
	owner.answers = false;
	owner_transform(&owner, "hold");
	run_until_count(&fixture, &owner.n_reads, 1);
	owner_transform(&owner, "spin");
	uv_run(&fixture.loop, UV_RUN_NOWAIT);
	int pid = process_pid(fixture.process);
	ssize_t written = write(report, &pid, sizeof(pid));
	_exit(written == sizeof(pid) ? 0 : 1);
}

static void a_child_does_not_outlive_the_daemon(void **state) {
	(void)state;
	int pipes[2], pid = 0, status = 0;
	/* So that the orphan comes to us, and its end can be waited for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t daemon = fork();
	assert_true(daemon >= 0);
	if (daemon == 0) {
		start_and_vanish(pipes[1]);
	}
	assert_int_equal(read(pipes[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(daemon, &status, 0), daemon);
	alarm(10);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	alarm(0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(nothing_runs_before_the_first_job),
			cmocka_unit_test(the_child_has_no_environment_and_no_key_in_its_arguments),
			cmocka_unit_test(the_child_has_four_descriptors),
			cmocka_unit_test(the_child_is_nobody_filtered_and_without_privileges),
			cmocka_unit_test(an_idle_child_ends_and_the_next_job_starts_another),
			cmocka_unit_test(a_job_under_way_keeps_the_child),
			cmocka_unit_test(a_child_killed_from_outside_is_started_again),
			cmocka_unit_test(restarts_slow_down_until_jobs_fail_at_once),
			cmocka_unit_test(a_child_does_not_outlive_the_daemon),
			cmocka_unit_test(a_runner_that_is_missing_fails_with_its_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
