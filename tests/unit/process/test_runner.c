/* The runner's jobs without a sandbox, in this process, where memory checkers see them. */
#include "core/provider/runner.h"

#include "tests/unit/process/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned releases;

static void on_transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_set_state(job, strdup(turn->model));
	if (strcmp(turn->model, "read") == 0) {
		conduit_read(job, 3);
	} else if (strcmp(turn->model, "twice") == 0) {
		conduit_read(job, 3);
		conduit_read(job, 4);
	} else if (strcmp(turn->model, "large") == 0) {
		static char bytes[(1 << 20) + 1];
		struct conduit_body_part part = {.bytes = bytes, .size = sizeof(bytes)};
		conduit_request(job, &(struct conduit_request){.method = "POST",
						     .url = "https://a.example/",
						     .body = &part,
						     .n_body = 1});
	} else if (strcmp(turn->model, "after") == 0) {
		conduit_finish(job, "stop", NULL);
		conduit_output(job, "late", 4);
		conduit_fail(job, &(struct conduit_failure){.words = "late"});
	}
}

static void on_data(struct conduit_job *job, const void *bytes, size_t size) {
	for (size_t i = 0; i < size; i++) {
		conduit_output(job, (const char *)bytes + i, 1);
	}
}

static void on_end(struct conduit_job *job) {
	conduit_finish(job, "stop", NULL);
}

static void on_release(struct conduit_job *job) {
	free(conduit_state(job));
	releases++;
}

static const struct conduit_provider provider = {.abi = CONDUIT_ABI,
		.size = sizeof(provider),
		.name = "test",
		.version = "1",
		.transform = on_transform,
		.data = on_data,
		.end = on_end,
		.release = on_release};

/* A runner, and the daemon's end of its socket. */
struct fixture {
	struct runner runner;
	int fds[2];
};

static void fixture_init(struct fixture *fixture) {
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fixture->fds), 0);
	runner_init(&fixture->runner, fixture->fds[1], &provider);
	releases = 0;
}

static void fixture_finish(struct fixture *fixture) {
	runner_finish(&fixture->runner);
	close(fixture->fds[0]);
	close(fixture->fds[1]);
}

static void tell(struct fixture *fixture, struct wire_message message) {
	struct buf packet cleanup_buf = {0};
	message.job = 1;
	assert_true(wire_encode(&packet, &message));
	assert_true(runner_packet(&fixture->runner, (uint8_t *)packet.data, packet.size));
}

static void begin(struct fixture *fixture, const char *model) {
	tell(fixture, (struct wire_message){.type = WIRE_TURN, .turn = {model, "text-to-text"}});
	tell(fixture, (struct wire_message){.type = WIRE_GO});
}

/* All that the runner sent, a word a message: "TYPE" or "TYPE:bytes". */
static void expect(struct fixture *fixture, const char *expected) {
	struct buf said cleanup_buf = {0};
	static uint8_t packet[WIRE_PACKET_MOST];
	ssize_t size;
	while ((size = recv(fixture->fds[0], packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		const uint8_t *at = packet;
		size_t left = (size_t)size;
		while (left > 0) {
			struct wire_message message;
			assert_true(wire_decode(&at, &left, &message));
			buf_add_format(&said, "%s%d", said.size > 0 ? " " : "", (int)message.type);
			if (message.type == WIRE_OUTPUT) {
				buf_add_format(&said, ":%.*s", (int)message.bytes.size,
						(const char *)message.bytes.bytes);
			} else if (message.type == WIRE_FAIL) {
				buf_add_format(&said, ":%d", message.fail.kind);
			} else if (message.type == WIRE_ACK) {
				buf_add_format(&said, ":%u", message.ack.bytes);
			}
		}
	}
	assert_string_equal(buf_string(&said), expected);
}

static void small_pieces_of_output_travel_as_one(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	begin(&fixture, "read");
	expect(&fixture, "37 46:0");
	tell(&fixture, (struct wire_message){.type = WIRE_DATA, .bytes = {"abcdef", 6}});
	expect(&fixture, "40:abcdef 46:6");
	tell(&fixture, (struct wire_message){.type = WIRE_END});
	expect(&fixture, "44 46:0");
	assert_int_equal(releases, 1);
	fixture_finish(&fixture);
}

static void a_second_request_at_once_fails_the_job(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	begin(&fixture, "twice");
	expect(&fixture, "37 43:12 46:0");
	assert_int_equal(releases, 1);
	fixture_finish(&fixture);
}

static void a_body_above_its_bound_fails_the_job(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	begin(&fixture, "large");
	expect(&fixture, "43:12 46:0");
	fixture_finish(&fixture);
}

static void what_comes_after_the_end_is_ignored(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	begin(&fixture, "after");
	expect(&fixture, "44 46:0");
	tell(&fixture, (struct wire_message){.type = WIRE_DATA, .bytes = {"late", 4}});
	expect(&fixture, "46:4");
	fixture_finish(&fixture);
}

static void jobs_are_released_by_cancel_and_at_the_end(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	begin(&fixture, "read");
	tell(&fixture, (struct wire_message){.type = WIRE_CANCEL});
	assert_int_equal(releases, 1);
	begin(&fixture, "read");
	fixture_finish(&fixture);
	assert_int_equal(releases, 2);
}

static void a_turn_is_gathered_from_many_messages(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	tell(&fixture, (struct wire_message){.type = WIRE_TURN, .turn = {"read", "text-to-text"}});
	for (size_t i = 0; i < N_SAMPLES; i++) {
		if (samples[i].type == WIRE_MESSAGE || samples[i].type == WIRE_SETTING) {
			tell(&fixture, samples[i]);
			tell(&fixture, samples[i]);
		}
	}
	struct conduit_job *job = list_entry(fixture.runner.jobs.next, struct conduit_job, link);
	struct conduit_turn turn = turn_view(job->turn);
	assert_int_equal(turn.n_messages, 2);
	assert_int_equal(turn.messages[1].n_parts, 2);
	assert_string_equal(turn.messages[1].parts[1].name, "a.png");
	assert_string_equal(conduit_setting(&turn, "temperature"), "0.5");
	assert_null(conduit_setting(&turn, "top_p"));
	fixture_finish(&fixture);
}

static void a_malformed_packet_is_refused(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	assert_false(runner_packet(&fixture.runner, (const uint8_t *)"garbage", 7));
	fixture_finish(&fixture);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(small_pieces_of_output_travel_as_one),
			cmocka_unit_test(a_second_request_at_once_fails_the_job),
			cmocka_unit_test(a_body_above_its_bound_fails_the_job),
			cmocka_unit_test(what_comes_after_the_end_is_ignored),
			cmocka_unit_test(jobs_are_released_by_cancel_and_at_the_end),
			cmocka_unit_test(a_turn_is_gathered_from_many_messages),
			cmocka_unit_test(a_malformed_packet_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
