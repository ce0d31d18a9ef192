/* From a stranger's sources to a turn: built in one sandbox, loaded by its path into the other.
 * What its constructor is after it doesn't get, and what it would do isn't done; shown by what the
 * file system and a listening socket saw. */
#include "tests/unit/fetch/building.h"
#include "tests/unit/process/support.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static struct building building;
static char secret_path[300], outside[300];
static const char secret[] = "an-invented-secret-4711";

static int setup(void **state) {
	if (scratch_setup(state) != 0 || chmod(scratch, 0755) != 0) {
		return 1;
	}
	building_init(&building, scratch);
	snprintf(secret_path, sizeof(secret_path), "%s", scratch_write("id_ed25519", secret));
	snprintf(outside, sizeof(outside), "%s/outside", scratch);
	/* Everybody may read the one and write the other: only the sandbox stands before them. */
	return chmod(secret_path, 0644) != 0 || mkdir(outside, 0777) != 0 ||
	       chmod(outside, 0777) != 0;
}

static int teardown(void **state) {
	building_finish(&building);
	return scratch_teardown(state);
}

#define with_building(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* A provider whose constructor runs `statements`; every turn gives what is in `said`. */
static void build(const char *statements) {
	struct buf source = {0};
	buf_add_format(&source,
			"#include <conduit/provider.h>\n"
			"#include <arpa/inet.h>\n#include <errno.h>\n#include <fcntl.h>\n"
			"#include <netinet/in.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
			"#include <string.h>\n#include <sys/socket.h>\n#include <sys/stat.h>\n"
			"#include <unistd.h>\n"
			"static char said[256] = \"nothing\";\n"
			"__attribute__((constructor)) static void act(void) {\n%s\n}\n"
			"static void transform(struct conduit_job *job, const struct conduit_turn "
			"*turn) {\n"
			"	(void)turn;\n"
			"	conduit_output(job, said, strlen(said));\n"
			"	conduit_finish(job, \"stop\", NULL);\n}\n"
			"CONDUIT_PROVIDER(.name = \"stranger\", .version = \"1\", .transform = "
			"transform)\n",
			statements);
	building_one(&building, buf_string(&source));
	assert_built(&building);
	buf_finish(&source);
}

/* Runs one turn: its errno, and its words or output. */
static int run_turn(char words[static 1024]) {
	char path[600];
	struct fixture fixture;
	struct owner owner;
	snprintf(path, sizeof(path), "%s/provider.so", building.directory);
	fixture_init(&fixture, path);
	owner_run(&owner, &fixture, "any");
	int code = owner.code;
	snprintf(words, 1024, "%s", code != 0 ? owner.words : buf_string(&owner.output));
	owner_finish(&owner);
	fixture_finish(&fixture);
	return code;
}

static void an_honest_one_answers(void **state) {
	(void)state;
	char words[1024];
	build("strcpy(said, \"hello\");");
	assert_int_equal(run_turn(words), 0);
	assert_string_equal(words, "hello");
}

static void a_key_file_is_not_read(void **state) {
	(void)state;
	char statements[1024], words[1024];
	if (SANDBOX_LENIENT) {
		skip();
	}
	snprintf(statements, sizeof(statements),
			"int fd = open(\"%s\", O_RDONLY);\n"
			"ssize_t size = fd >= 0 ? read(fd, said, sizeof(said) - 1) : -1;\n"
			"if (size < 0) { snprintf(said, sizeof(said), \"errno %%d\", errno); }",
			secret_path);
	build(statements);
	assert_int_equal(run_turn(words), 0);
	char expected[32];
	snprintf(expected, sizeof(expected), "errno %d", EACCES);
	assert_string_equal(words, expected);
}

static void nothing_is_written_anywhere(void **state) {
	(void)state;
	char statements[1024], words[1024];
	if (SANDBOX_LENIENT) {
		skip();
	}
	snprintf(statements, sizeof(statements), "open(\"%s/made\", O_WRONLY | O_CREAT, 0644);",
			outside);
	build(statements);
	assert_int_equal(run_turn(words), 0);
	assert_int_equal(rmdir(outside), 0); /* it is empty */
	assert_int_equal(mkdir(outside, 0777), 0);
	assert_int_equal(chmod(outside, 0777), 0);
	snprintf(statements, sizeof(statements), "mkdir(\"%s/made\", 0755);", outside);
	build(statements);
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "forbidden system call (mkdir)");
	assert_int_equal(rmdir(outside), 0);
}

static void no_program_is_run(void **state) {
	(void)state;
	char statements[1024], words[1024];
	if (SANDBOX_LENIENT) {
		skip();
	}
	snprintf(statements, sizeof(statements),
			"execl(\"/bin/sh\", \"sh\", \"-c\", \"touch %s/made\", (char *)0);",
			outside);
	build(statements);
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "forbidden system call (execve)");
	snprintf(statements, sizeof(statements), "if (system(\"touch %s/made\") != 0) {}", outside);
	build(statements);
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "forbidden system call");
	assert_int_equal(rmdir(outside), 0);
}

static void nothing_is_forked(void **state) {
	(void)state;
	char words[1024];
	if (SANDBOX_LENIENT) {
		skip();
	}
	build("for (;;) { fork(); }");
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "forbidden system call (clone)");
}

static void nobody_is_connected_to(void **state) {
	(void)state;
	char statements[1024], words[1024];
	if (SANDBOX_LENIENT) {
		skip();
	}
	struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(statements, sizeof(statements),
			"struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(%d),\n"
			"	.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};\n"
			"connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, "
			"sizeof(to));",
			ntohs(address.sin_port));
	build(statements);
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "forbidden system call (socket)");
	struct pollfd called = {.fd = listener, .events = POLLIN};
	assert_int_equal(poll(&called, 1, 0), 0);
	close(listener);
}

static void one_that_ends_at_once_is_told_of(void **state) {
	(void)state;
	char words[1024];
	build("exit(0);");
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "ended by itself (exit status 0)");
}

static void what_the_host_lacks_is_named(void **state) {
	(void)state;
	char words[1024];
	build("extern void conduit_of_the_future(void); conduit_of_the_future();");
	assert_int_equal(run_turn(words), EIO);
	assert_contains(words, "undefined symbol: conduit_of_the_future");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_building(an_honest_one_answers),
			with_building(a_key_file_is_not_read),
			with_building(nothing_is_written_anywhere),
			with_building(no_program_is_run),
			with_building(nothing_is_forked),
			with_building(nobody_is_connected_to),
			with_building(one_that_ends_at_once_is_told_of),
			with_building(what_the_host_lacks_is_named),
	};
	return !building_possible() ? BUILDING_SKIPPED : cmocka_run_group_tests(tests, NULL, NULL);
}
