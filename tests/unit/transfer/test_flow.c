/* The flow of events: pausing down to the service's socket, cancelling, and calls from inside. */
#include "tests/unit/transfer/harness.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

/* Bytes of our own heap in use; 0 under a sanitizer, which keeps its own. */
static size_t heap(void) {
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void a_pause_stops_the_services_sending_and_memory_stays_bounded(void **state) {
	(void)state;
	struct fetch fetch = {.drop_data = true, .pause_at = 100000, .timeouts = {1, 1, 0.3, 0}};
	fetch_start(&fetch, "%s/endless", http_base());
	turn_until(&fetch.bytes, 100000);
	size_t before = heap();
	uint64_t at_pause = fetch.bytes;
	/* Stalled: the socket's buffers are full. The idle time-out doesn't run meanwhile. */
	assert_true(atoll(fact("endless-stalled")) > 100000);
	turn_for(500);
	assert_int_equal(fetch.bytes, at_pause);
	assert_int_equal(fetch.pauses, 1);
	assert_int_equal(fetch.ends, 0);
	assert_true(heap() < before + (1 << 20));

	fetch.pause_at = 0;
	transfer_resume(fetch.transfer);
	assert_int_equal(fetch.bytes, at_pause);
	turn_until(&fetch.bytes, at_pause + (32 << 20));
	assert_true(atoll(fact("endless-went-on")) > (long long)at_pause);
	transfer_cancel(fetch.transfer);
	assert_int_not_equal(strcmp(fact("endless-closed"), "never"), 0);
	assert_int_equal(fetch.ends, 0);
	fetch_finish(&fetch);
}

static void every_byte_arrives_once_through_many_pauses(void **state) {
	(void)state;
	struct fetch fetch = {.pause_at = 1, .drop_data = true};
	fetch_start(&fetch, "%s/zeros?n=3000001", http_base());
	while (fetch.ends == 0) {
		uv_run(&loop, UV_RUN_ONCE);
		if (fetch.ends == 0) {
			transfer_resume(fetch.transfer);
		}
	}
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.bytes, 3000001);
	assert_int_equal(fetch.pauses, fetch.datas);
	fetch_finish(&fetch);
}

static void a_gzip_bomb_that_is_paused_unpacks_no_more_than_a_piece(void **state) {
	(void)state;
	struct fetch fetch = {.drop_data = true, .pause_at = 1};
	fetch_start(&fetch, "%s/gzip?n=268435456", http_base());
	turn_until(&fetch.bytes, 1);
	turn_for(200);
	assert_true(heap() < 40 << 20);
	fetch.pause_at = 0;
	transfer_resume(fetch.transfer);
	fetch_wait(&fetch);
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.bytes, 268435456);
	fetch_finish(&fetch);
}

static void resuming_from_inside_the_event_undoes_the_pause(void **state) {
	(void)state;
	struct fetch fetch = {.pause_at = 1, .resume_at_once = true, .drop_data = true};
	fetch_run(&fetch, "%s/zeros?n=1000000", http_base());
	assert_int_equal(fetch.bytes, 1000000);
	assert_true(fetch.pauses > 1);
	fetch_finish(&fetch);
}

static void resuming_what_is_not_paused_means_nothing(void **state) {
	(void)state;
	struct fetch fetch = {.pause_at = 1, .drop_data = true};
	fetch_start(&fetch, "%s/zeros?n=1000000", http_base());
	transfer_resume(fetch.transfer);
	turn_until(&fetch.bytes, 1);
	turn_for(100);
	assert_int_equal(fetch.pauses, 1);
	assert_int_equal(fetch.ends, 0);
	transfer_cancel(fetch.transfer);
	fetch_finish(&fetch);
}

static void the_idle_time_out_starts_anew_when_resumed(void **state) {
	(void)state;
	struct fetch fetch = {.pause_at = 4, .timeouts = {1, 1, 0.2, 0}};
	fetch_start(&fetch, "%s/stall?resumed", http_base());
	turn_until(&fetch.bytes, 4);
	turn_for(400);
	assert_int_equal(fetch.ends, 0);
	transfer_resume(fetch.transfer);
	fetch_wait(&fetch);
	assert_int_equal(fetch.result.code, ETIMEDOUT);
	assert_true(fetch.result.total_us > 580000);
	fetch_finish(&fetch);
}

static void cancelling_closes_the_connection_and_is_silent(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_start(&fetch, "%s/silent?cancelled", http_base());
	assert_string_equal(fact("silent-cancelled"), "waiting");
	transfer_cancel(fetch.transfer);
	assert_int_equal(transfer_engine_running(engine), 0);
	assert_string_equal(fact("silent-closed-cancelled"), "closed");
	assert_int_equal(fetch.heads + fetch.ends, 0);
	fetch_finish(&fetch);
}

static void cancelling_from_inside_its_own_data_event_is_the_last_of_it(void **state) {
	(void)state;
	struct fetch fetch = {.cancel_at = 1};
	fetch_start(&fetch, "%s/stall?inside", http_base());
	assert_string_equal(fact("stall-inside"), "closed");
	assert_int_equal(fetch.datas, 1);
	assert_int_equal(fetch.ends, 0);
	assert_int_equal(transfer_engine_running(engine), 0);
	fetch_finish(&fetch);
}

static void cancel_it(struct fetch *fetch) {
	transfer_cancel(fetch->transfer);
	fetch->transfer = NULL;
}

static void cancelling_from_inside_its_own_head_event_brings_no_data(void **state) {
	(void)state;
	struct fetch fetch = {.on_head = cancel_it};
	fetch_start(&fetch, "%s/stall?head", http_base());
	assert_string_equal(fact("stall-head"), "closed");
	assert_int_equal(fetch.heads, 1);
	assert_int_equal(fetch.datas + fetch.ends, 0);
	fetch_finish(&fetch);
}

static struct fetch other;

static void cancel_other(struct fetch *fetch) {
	(void)fetch;
	if (other.transfer != NULL) {
		cancel_it(&other);
	}
}

static void cancelling_another_from_inside_any_event_is_fine(void **state) {
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char name[32];
		other = (struct fetch){0};
		fetch_start(&other, "%s/silent?other%zu", http_base(), i);
		snprintf(name, sizeof(name), "silent-other%zu", i);
		assert_string_equal(fact(name), "waiting");
		struct fetch fetch = {0};
		fetch.on_head = i == 0 ? cancel_other : NULL;
		fetch.on_data = i == 1 ? cancel_other : NULL;
		fetch.on_end = i == 2 ? cancel_other : NULL;
		fetch_run(&fetch, "%s/echo", http_base());
		assert_int_equal(fetch.result.code, 0);
		snprintf(name, sizeof(name), "silent-closed-other%zu", i);
		assert_string_equal(fact(name), "closed");
		assert_int_equal(other.ends, 0);
		assert_int_equal(transfer_engine_running(engine), 0);
		fetch_finish(&fetch);
	}
}

/* Both replies lie in their sockets before the loop turns; the first to end cancels the other. */
static void cancelling_one_that_is_about_to_end_is_fine(void **state) {
	(void)state;
	struct fetch fetch = {.on_end = cancel_other};
	other = (struct fetch){.on_end = NULL};
	fetch_start(&other, "nonsense");
	fetch_start(&fetch, "also nonsense");
	cancel_other(NULL);
	fetch_wait(&fetch);
	assert_int_equal(other.ends, 0);
	other = (struct fetch){0};
	struct fetch second = {.on_end = cancel_other};
	fetch_start(&second, "nonsense");
	fetch_start(&other, "also nonsense");
	fetch_wait(&second);
	turn_for(10);
	assert_int_equal(other.ends, 0);
	fetch_finish(&fetch);
	fetch_finish(&second);
}

static void start_other(struct fetch *fetch) {
	(void)fetch;
	if (other.transfer == NULL && other.ends == 0) {
		fetch_start(&other, "%s/echo", http_base());
	}
}

static void starting_another_from_inside_any_event_is_fine(void **state) {
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		other = (struct fetch){0};
		struct fetch fetch = {0};
		fetch.on_head = i == 0 ? start_other : NULL;
		fetch.on_data = i == 1 ? start_other : NULL;
		fetch.on_end = i == 2 ? start_other : NULL;
		fetch_run(&fetch, "%s/echo", http_base());
		if (other.ends == 0) {
			fetch_wait(&other);
		}
		assert_int_equal(other.result.code, 0);
		fetch_finish(&fetch);
		fetch_finish(&other);
	}
}

static void cancelling_before_the_loop_turned_sends_nothing(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_start(&fetch, "%s/silent?never", http_base());
	assert_int_equal(transfer_engine_running(engine), 1);
	transfer_cancel(fetch.transfer);
	assert_int_equal(transfer_engine_running(engine), 0);
	turn_for(50);
	assert_int_equal(fetch.ends, 0);
	fetch_finish(&fetch);
}

static void cancelling_while_a_name_is_looked_up_does_not_wait_for_it(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"http", "slow.invalid", 0, true, true}};
	struct fetch fetch = {.hosts = hosts, .n_hosts = 1};
	fetch_start(&fetch, "http://slow.invalid/");
	uv_run(&loop, UV_RUN_NOWAIT);
	uint64_t before = uv_hrtime();
	transfer_cancel(fetch.transfer);
	assert_true(uv_hrtime() - before < 50000000);
	fetch_finish(&fetch);
}

static void destroying_the_engine_cancels_all_without_events(void **state) {
	(void)state;
	struct fetch waiting = {0}, paused = {.pause_at = 1, .drop_data = true}, fresh = {0};
	fetch_start(&waiting, "%s/silent?destroyed", http_base());
	fetch_start(&paused, "%s/zeros?n=9000000", http_base());
	turn_until(&paused.bytes, 1);
	assert_string_equal(fact("silent-destroyed"), "waiting");
	fetch_start(&fresh, "%s/echo", http_base());
	transfer_engine_destroy(engine);
	engine = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(waiting.ends + paused.ends + fresh.ends, 0);
	engine = transfer_engine_create(&loop, &(struct transfer_engine_options){0}, NULL);
	assert_string_equal(fact("silent-closed-destroyed"), "closed");
	fetch_finish(&paused);
}

static void an_idle_engine_does_not_turn_the_loop(void **state) {
	(void)state;
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/echo", http_base());
	fetch_finish(&fetch);
	turn_for(50);
	unsigned before = betweens;
	turn_for(200);
	assert_true(betweens - before <= 1);
}

#define flow_test(name) cmocka_unit_test_setup_teardown(name, engine_start, engine_stop)

int main(void) {
	const struct CMUnitTest tests[] = {
			flow_test(a_pause_stops_the_services_sending_and_memory_stays_bounded),
			flow_test(every_byte_arrives_once_through_many_pauses),
			flow_test(a_gzip_bomb_that_is_paused_unpacks_no_more_than_a_piece),
			flow_test(resuming_from_inside_the_event_undoes_the_pause),
			flow_test(resuming_what_is_not_paused_means_nothing),
			flow_test(the_idle_time_out_starts_anew_when_resumed),
			flow_test(cancelling_closes_the_connection_and_is_silent),
			flow_test(cancelling_from_inside_its_own_data_event_is_the_last_of_it),
			flow_test(cancelling_from_inside_its_own_head_event_brings_no_data),
			flow_test(cancelling_another_from_inside_any_event_is_fine),
			flow_test(cancelling_one_that_is_about_to_end_is_fine),
			flow_test(starting_another_from_inside_any_event_is_fine),
			flow_test(cancelling_before_the_loop_turned_sends_nothing),
			flow_test(cancelling_while_a_name_is_looked_up_does_not_wait_for_it),
			flow_test(destroying_the_engine_cancels_all_without_events),
			flow_test(an_idle_engine_does_not_turn_the_loop),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
