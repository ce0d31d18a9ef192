/* TLS: trust, connections that are used again or shared, and how many are made at a time. HTTP/2
 * is spoken with nginx. */
#include "tests/unit/transfer/harness.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

static void a_certificate_of_the_own_ca_is_trusted(void **state) {
	(void)state;
	struct fetch fetch = {.method = "POST", .text = "x"};
	fetch_run(&fetch, "%s/echo", https_base());
	assert_int_equal(fetch.result.code, 0);
	assert_contains(buf_string(&fetch.data), "\n\nx");
	fetch_finish(&fetch);
}

static void assert_untrusted(const char *host, int port) {
	struct transfer_host hosts[] = {{"https", (char *)host, port, true, true}};
	struct fetch fetch = {.key = "X-Key: sk-1", .hosts = hosts, .n_hosts = 1};
	fetch_run(&fetch, "https://%s:%d/echo", host, port);
	assert_int_equal(fetch.result.code, EPROTO);
	assert_contains(fetch.result.words, "certificate");
	assert_contains(fetch.result.words, host);
	assert_int_equal(fetch.heads, 0);
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void a_stranger_and_another_name_are_not_trusted(void **state) {
	(void)state;
	assert_untrusted("localhost", server.stranger);
	assert_untrusted("127.0.0.1", server.https);
}

static void without_the_ca_file_its_certificates_are_strangers(void **state) {
	(void)state;
	transfer_engine_destroy(engine);
	engine = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	engine = transfer_engine_create(&loop, &(struct transfer_engine_options){0}, NULL);
	assert_untrusted("localhost", server.https);
}

static void what_does_not_speak_tls_is_told_as_such(void **state) {
	(void)state;
	struct transfer_host hosts[] = {{"https", "localhost", server.http, true, true}};
	struct fetch fetch = {.hosts = hosts, .n_hosts = 1};
	fetch_run(&fetch, "https://localhost:%d/", server.http);
	assert_int_not_equal(fetch.result.code, 0);
	assert_contains(fetch.result.words, "localhost");
	assert_false(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void the_second_transfer_needs_no_second_handshake(void **state) {
	(void)state;
	struct fetch first = {0}, second = {0};
	fetch_run(&first, "%s/connection", https_base());
	fetch_run(&second, "%s/connection", https_base());
	assert_false(first.result.reused);
	assert_true(second.result.reused);
	assert_string_equal(buf_string(&first.data), buf_string(&second.data));
	assert_true(second.result.connect_us < first.result.connect_us);
	fetch_finish(&first);
	fetch_finish(&second);
}

/* Six hosts that accept and say nothing, then one that works. */
static void two_connect_at_a_time_and_dead_ones_do_not_hold_up_the_rest(void **state) {
	(void)state;
	struct transfer_host hosts[7] = {{"https", "localhost", server.https, true, true}};
	struct fetch mute[6] = {0};
	for (size_t i = 0; i < 6; i++) {
		hosts[i + 1] = (struct transfer_host){
				"https", "localhost", server.mute[i], true, true};
	}
	struct fetch good = {.hosts = hosts, .n_hosts = 7};
	for (size_t i = 0; i < 6; i++) {
		mute[i].hosts = hosts;
		mute[i].n_hosts = 7;
		fetch_start(&mute[i], "https://localhost:%d/", server.mute[i]);
	}
	fetch_run(&good, "%s/echo", https_base());
	assert_int_equal(good.result.code, 0);
	assert_in_range(good.result.total_us, 200000, 4000000);
	/* The third waited until the first two had had their time. */
	assert_true(atof(fact("mute-2")) < 0.08);
	assert_true(atof(fact("mute-3")) > 0.08);
	assert_true(atof(fact("mute-5")) > 0.18);
	for (size_t i = 0; i < 6; i++) {
		transfer_cancel(mute[i].transfer);
	}
	fetch_finish(&good);
}

static void a_queue_for_tls_outlives_the_cancelling_of_its_head(void **state) {
	(void)state;
	struct fetch fetches[10] = {0};
	for (size_t i = 0; i < 10; i++) {
		fetch_start(&fetches[i], "%s/echo", https_base());
	}
	uv_run(&loop, UV_RUN_NOWAIT);
	for (size_t i = 0; i < 9; i++) {
		transfer_cancel(fetches[i].transfer);
	}
	fetch_wait(&fetches[9]);
	assert_int_equal(fetches[9].result.code, 0);
	fetch_finish(&fetches[9]);
}

static void many_over_tls_at_once_all_end(void **state) {
	(void)state;
	static struct fetch fetches[40];
	memset(fetches, 0, sizeof(fetches));
	for (size_t i = 0; i < 40; i++) {
		fetch_start(&fetches[i], "%s/echo", https_base());
	}
	for (size_t i = 0; i < 40; i++) {
		if (fetches[i].ends == 0) {
			fetch_wait(&fetches[i]);
		}
		assert_int_equal(fetches[i].result.code, 0);
		fetch_finish(&fetches[i]);
	}
}

/* ---- HTTP/2 ---- */

#define needs_nginx()                                                                              \
	if (server.h2 == 0) {                                                                      \
		skip();                                                                            \
	}

static void transfers_share_one_connection(void **state) {
	(void)state;
	needs_nginx();
	struct fetch fetches[10] = {0};
	unsigned fresh = 0;
	for (size_t i = 0; i < 10; i++) {
		fetches[i].method = "POST";
		fetches[i].text = "x";
		fetch_start(&fetches[i], "%s/trickle?n=10&gap=0.1", h2_base());
	}
	for (size_t i = 0; i < 10; i++) {
		if (fetches[i].ends == 0) {
			fetch_wait(&fetches[i]);
		}
		assert_int_equal(fetches[i].result.code, 0);
		assert_string_equal(buf_string(&fetches[i].data), "0123456789");
		/* Ten side by side, not one after another: each takes 1 s. */
		assert_true(fetches[i].result.total_us < 5000000);
		fresh += fetches[i].result.reused ? 0 : 1;
		fetch_finish(&fetches[i]);
	}
	assert_int_equal(fresh, 1);
}

static void cancelling_a_stream_stops_it_and_leaves_the_others(void **state) {
	(void)state;
	needs_nginx();
	struct fetch gone = {0}, stays = {0};
	fetch_start(&gone, "%s/silent?h2", h2_base());
	assert_string_equal(fact("silent-h2"), "waiting");
	fetch_start(&stays, "%s/trickle?n=10", h2_base());
	turn_until(&stays.bytes, 1);
	transfer_cancel(gone.transfer);
	assert_string_equal(fact("silent-closed-h2"), "closed");
	if (stays.ends == 0) {
		fetch_wait(&stays);
	}
	assert_int_equal(stays.result.code, 0);
	assert_int_equal(stays.bytes, 10);
	fetch_finish(&stays);
}

/* libcurl 7.88 keeps the last frame of a stream to itself until another is sent. */
static void cancelling_the_only_stream_reaches_the_service(void **state) {
	(void)state;
	needs_nginx();
	struct fetch fetch = {0};
	fetch_start(&fetch, "%s/silent?alone", h2_base());
	assert_string_equal(fact("silent-alone"), "waiting");
	transfer_cancel(fetch.transfer);
	assert_string_equal(fact("silent-closed-alone"), "closed");
}

static void cancelling_a_stream_beside_a_silent_one_reaches_the_service(void **state) {
	(void)state;
	needs_nginx();
	struct fetch gone = {0}, silent = {0};
	fetch_start(&gone, "%s/silent?gone", h2_base());
	assert_string_equal(fact("silent-gone"), "waiting");
	fetch_start(&silent, "%s/silent?kept", h2_base());
	assert_string_equal(fact("silent-kept"), "waiting");
	transfer_cancel(gone.transfer);
	assert_string_equal(fact("silent-closed-gone"), "closed");
	assert_int_equal(transfer_engine_running(engine), 1);
	transfer_cancel(silent.transfer);
	assert_string_equal(fact("silent-closed-kept"), "closed");
}

static void cancel_inside(struct fetch *fetch) {
	transfer_cancel(fetch->transfer);
}

static void a_stream_that_is_cancelled_or_bounded_from_inside_ends_at_the_service(void **state) {
	(void)state;
	needs_nginx();
	struct fetch inside = {.on_head = cancel_inside};
	fetch_start(&inside, "%s/stall?h2-inside", h2_base());
	assert_string_equal(fact("stall-h2-inside"), "closed");
	assert_int_equal(inside.heads, 1);
	assert_int_equal(inside.datas + inside.ends, 0);
	fetch_finish(&inside);
	struct fetch bounded = {.body_most = 3};
	fetch_run(&bounded, "%s/stall?h2-bounded", h2_base());
	assert_int_equal(bounded.result.code, EMSGSIZE);
	assert_string_equal(fact("stall-h2-bounded"), "closed");
	fetch_finish(&bounded);
}

static size_t heap(void) {
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void a_paused_stream_is_bounded_and_others_go_on_beside_it(void **state) {
	(void)state;
	needs_nginx();
	struct fetch paused = {.drop_data = true, .pause_at = 100000}, beside = {0};
	fetch_start(&paused, "%s/endless", h2_base());
	turn_until(&paused.bytes, 100000);
	turn_for(500);
	uint64_t at_pause = paused.bytes;
	fetch_run(&beside, "%s/trickle?n=30", h2_base());
	assert_int_equal(beside.result.code, 0);
	assert_true(beside.result.reused);
	assert_int_equal(paused.bytes, at_pause);
	assert_int_equal(paused.pauses, 1);
	/* What libcurl had allowed the service to send before: its window of 32 MiB. */
	assert_true(heap() < 40 << 20);
	paused.pause_at = 0;
	transfer_resume(paused.transfer);
	turn_until(&paused.bytes, at_pause + (40 << 20));
	transfer_cancel(paused.transfer);
	fetch_finish(&paused);
	fetch_finish(&beside);
}

static void every_byte_of_a_stream_arrives_once_through_many_pauses(void **state) {
	(void)state;
	needs_nginx();
	struct fetch fetch = {.pause_at = 1, .drop_data = true};
	fetch_start(&fetch, "%s/zeros?n=3000001", h2_base());
	while (fetch.ends == 0) {
		uv_run(&loop, UV_RUN_ONCE);
		if (fetch.ends == 0) {
			transfer_resume(fetch.transfer);
		}
	}
	assert_int_equal(fetch.result.code, 0);
	assert_int_equal(fetch.bytes, 3000001);
	fetch_finish(&fetch);
}

static void a_stream_that_is_cut_short_is_EPROTO(void **state) {
	(void)state;
	needs_nginx();
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/cut", h2_base());
	assert_int_equal(fetch.result.code, EPROTO);
	assert_contains(fetch.result.words, "cut short after 10 bytes");
	assert_true(fetch.result.sent_whole);
	fetch_finish(&fetch);
}

static void a_large_body_goes_up_a_stream(void **state) {
	(void)state;
	needs_nginx();
	char path[] = "/tmp/transfer-stream-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	struct body_part part = {.kind = BODY_FILE, .path = path};
	struct body body = {.parts = &part, .n_parts = 1};
	struct fetch fetch = {.method = "POST", .body = &body};
	fetch_run(&fetch, "%s/hash", h2_base());
	unlink(path);
	assert_int_equal(fetch.result.code, 0);
	assert_true(fetch.result.sent_whole);
	assert_contains(buf_string(&fetch.data), "1048576 30e14955ebf1352266dc2ff8067e68104607e7");
	fetch_finish(&fetch);
}

static void a_stream_times_out_like_a_connection(void **state) {
	(void)state;
	needs_nginx();
	struct fetch silent = {.method = "POST", .text = "x", .timeouts = {1, 0.2, 1, 0}};
	fetch_run(&silent, "%s/silent?h2-late", h2_base());
	assert_int_equal(silent.result.code, ETIMEDOUT);
	assert_contains(silent.result.words, "timeout_first_byte");
	assert_true(silent.result.sent_whole);
	assert_string_equal(fact("silent-closed-h2-late"), "closed");
	fetch_finish(&silent);
}

#define tls_test(name) cmocka_unit_test_setup_teardown(name, engine_start, engine_stop)

int main(void) {
	const struct CMUnitTest tests[] = {
			tls_test(a_certificate_of_the_own_ca_is_trusted),
			tls_test(a_stranger_and_another_name_are_not_trusted),
			tls_test(without_the_ca_file_its_certificates_are_strangers),
			tls_test(what_does_not_speak_tls_is_told_as_such),
			tls_test(the_second_transfer_needs_no_second_handshake),
			tls_test(two_connect_at_a_time_and_dead_ones_do_not_hold_up_the_rest),
			tls_test(a_queue_for_tls_outlives_the_cancelling_of_its_head),
			tls_test(many_over_tls_at_once_all_end),
			tls_test(transfers_share_one_connection),
			tls_test(cancelling_a_stream_stops_it_and_leaves_the_others),
			tls_test(cancelling_the_only_stream_reaches_the_service),
			tls_test(cancelling_a_stream_beside_a_silent_one_reaches_the_service),
			tls_test(a_stream_that_is_cancelled_or_bounded_from_inside_ends_at_the_service),
			tls_test(a_paused_stream_is_bounded_and_others_go_on_beside_it),
			tls_test(every_byte_of_a_stream_arrives_once_through_many_pauses),
			tls_test(a_stream_that_is_cut_short_is_EPROTO),
			tls_test(a_large_body_goes_up_a_stream),
			tls_test(a_stream_times_out_like_a_connection),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
