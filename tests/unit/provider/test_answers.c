/* What the OpenAI dialect makes of replies: streams, whole answers, errors, and what is neither.
 * Written by us in the shapes that services were seen to send; test_recordings.c has theirs. */
#include "tests/unit/provider/support.h"

#include <string.h>

static struct replay answered(int status, const char *type, const char *body) {
	const struct conduit_provider *provider = load_provider("openrouter");
	struct replay_exchange exchange = {
			.status = status, .content_type = type, .body = body, .size = strlen(body)};
	assert_cuts_make_no_difference(provider, &exchange);
	struct replay replay = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
	assert_null(replay.broken);
	return replay;
}

static void assert_answer(const char *body, const char *output, const char *finish) {
	struct replay replay = answered(200, "text/event-stream", body);
	if (!replay.finished) {
		fail_msg("%s: %s", body, replay.words);
	}
	assert_string_equal(buf_string(&replay.output), output);
	assert_string_equal(replay.finish, finish);
	replay_finish(&replay);
}

static void assert_failure(int status, const char *type, const char *body, enum conduit_kind kind,
		const char *words) {
	struct replay replay = answered(status, type, body);
	assert_true(replay.failed);
	if (replay.kind != kind || strstr(replay.words, words) == NULL) {
		fail_msg("%s: kind %d, %s", body, (int)replay.kind, replay.words);
	}
	assert_int_equal(replay.status, status == 200 ? 0 : status);
	replay_finish(&replay);
}

#define TEXT(text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define FINISH(why) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"" why "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

static void text_comes_piece_by_piece(void **state) {
	(void)state;
	assert_answer(": hello\n\n" TEXT("a") ": busy\n\n" TEXT("b") FINISH("stop") DONE, "ab",
			"stop");
}

static void the_end_mark_isnt_needed_after_a_finish_reason(void **state) {
	(void)state;
	assert_answer(TEXT("a") FINISH("length"), "a", "length");
	assert_answer(TEXT("a") DONE, "a", "stop");
	assert_answer(TEXT("a") FINISH("stop") "data: [DO", "a", "stop");
}

static void the_first_finish_reason_stands(void **state) {
	(void)state;
	assert_answer(TEXT("a") FINISH("length") FINISH("stop") DONE, "a", "length");
	assert_answer(TEXT("a") FINISH("eos"), "a", "stop");
}

static void events_without_blank_lines_between_them_are_read(void **state) {
	(void)state;
	assert_answer("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
		      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n"
		      "data: [DONE]\n",
			"a", "stop");
}

static void only_the_first_of_several_answers_counts(void **state) {
	(void)state;
	assert_answer("data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"},"
		      "\"finish_reason\":\"length\"},{\"index\":0,\"delta\":{\"content\":\"yes\"}}]"
		      "}"
		      "\n\n" FINISH("stop"),
			"yes", "stop");
}

static void a_stream_that_ends_without_its_end_was_cut_short(void **state) {
	(void)state;
	assert_failure(200, "text/event-stream", TEXT("a") TEXT("b"), CONDUIT_FAIL_MALFORMED,
			"cut short");
	assert_failure(200, "text/event-stream", TEXT("a") "data: {\"choi", CONDUIT_FAIL_MALFORMED,
			"cut short");
}

static void what_came_before_a_failure_stands(void **state) {
	(void)state;
	struct replay replay = answered(200, "text/event-stream", TEXT("a") TEXT("b"));
	assert_true(replay.failed);
	assert_string_equal(replay.output.data, "ab");
	replay_finish(&replay);
}

static void what_is_no_answer_is_malformed(void **state) {
	(void)state;
	assert_failure(200, "text/event-stream", "", CONDUIT_FAIL_MALFORMED, "empty");
	assert_failure(200, "application/json", "\n   \n", CONDUIT_FAIL_MALFORMED, "empty");
	assert_failure(200, "text/event-stream", ": only\n\n: comments\n\n", CONDUIT_FAIL_MALFORMED,
			"no choices");
	assert_failure(200, "text/event-stream", DONE, CONDUIT_FAIL_MALFORMED, "no choices");
	assert_failure(200, "text/event-stream", TEXT("a") "data: {oops}\n\n" DONE,
			CONDUIT_FAIL_MALFORMED, "isn't JSON");
	assert_failure(200, "application/json", "{\"choices\":[{\"mess", CONDUIT_FAIL_MALFORMED,
			"cut short");
	assert_failure(200, "application/json", "{\"hello\":1}", CONDUIT_FAIL_MALFORMED,
			"no choices");
	assert_failure(200, "text/html", "<html><title>Sign in</title></html>",
			CONDUIT_FAIL_MALFORMED, "Sign in");
	assert_failure(200, "text/plain", "rubbish", CONDUIT_FAIL_MALFORMED, "rubbish");
}

static void a_whole_answer_is_taken_though_a_stream_was_asked_for(void **state) {
	(void)state;
	assert_answer("\n         \n\n         \n{\"choices\":[{\"message\":{\"content\":\"hi\"},"
		      "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}",
			"hi", "stop");
}

static void thinking_is_kept_apart_and_counted_once(void **state) {
	(void)state;
	static const char *const deltas[] = {
			"{\"reasoning\":\"hm\",\"reasoning_details\":[{\"type\":\"reasoning.text\","
			"\"text\":\"hm\"}]}",
			"{\"reasoning_content\":\"hm\",\"content\":null}",
			"{\"reasoning\":null,\"reasoning_details\":[{\"type\":\"reasoning."
			"summary\","
			"\"summary\":\"hm\"},{\"type\":\"reasoning.encrypted\",\"data\":\"x\"}]}",
			"{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
			"\"text\":\"hm\"}]}]}"};
	for (size_t i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
		char body[512];
		snprintf(body, sizeof(body), "data: {\"choices\":[{\"delta\":%s}]}\n\n%s%s",
				deltas[i], TEXT("yes"), FINISH("stop"));
		struct replay replay = answered(200, "text/event-stream", body);
		assert_true(replay.finished);
		assert_string_equal(replay.reasoning.data, "hm");
		assert_string_equal(replay.output.data, "yes");
		replay_finish(&replay);
	}
}

static void tool_calls_are_put_together_after_the_text(void **state) {
	(void)state;
	assert_answer(TEXT("Let me see") "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{"
					 "\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\","
					 "\"arguments\":\"{\\\"a"
					 "\"}}]}}]}\n\ndata: "
					 "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
					 "\"function\":{\"arguments\":\"\\\":1}\"}},{\"index\":1,"
					 "\"id\":\"c2\","
					 "\"function\":{\"name\":\"g\",\"arguments\":{\"b\":2}}}]}}"
					 "]}\n\n" FINISH("tool_calls"),
			"Let me "
			"see\n[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
			"\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"c2\",\"type\":\"function\","
			"\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"b\\\":2}\"}}]",
			"tool_calls");
}

static void an_error_in_any_chunk_fails_the_turn(void **state) {
	(void)state;
	static const struct {
		const char *chunk;
		enum conduit_kind kind;
		const char *words;
	} errors[] = {
			{"{\"error\":{\"code\":502,\"message\":\"lost it\"},\"choices\":[]}",
					CONDUIT_FAIL_UPSTREAM, "lost it (code 502"},
			{"{\"error\":{\"code\":\"server_error\",\"message\":\"oops\"}}",
					CONDUIT_FAIL_UPSTREAM, "oops"},
			{"{\"error\":{\"code\":\"429\",\"message\":\"slow down\"}}",
					CONDUIT_FAIL_BUSY, "slow down"},
			{"{\"error\":\"plain\",\"error_type\":\"validation\"}",
					CONDUIT_FAIL_INVALID, "plain"},
			{"{\"choices\":[{\"delta\":{},\"error\":{\"code\":504,\"message\":\"late\"}"
			 "}]}",
					CONDUIT_FAIL_TIMED_OUT, "late"},
			{"{\"choices\":[{\"delta\":{},\"finish_reason\":\"error\","
			 "\"native_finish_reason\":\"boom\"}]}",
					CONDUIT_FAIL_UPSTREAM, "boom"},
			{"{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\","
			 "\"native_finish_reason\":\"network_error\"}]}",
					CONDUIT_FAIL_UPSTREAM, "network_error"},
			{"{\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}",
					CONDUIT_FAIL_MODERATED, "content_filter"},
			{"{\"choices\":[{\"delta\":{\"refusal\":\"I can't\"},"
			 "\"finish_reason\":\"stop\"}]}",
					CONDUIT_FAIL_MODERATED, "I can't"},
	};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		char body[512];
		snprintf(body, sizeof(body), "data: %s\n\n%s", errors[i].chunk, DONE);
		assert_failure(200, "text/event-stream", body, errors[i].kind, errors[i].words);
	}
	assert_failure(200, "text/event-stream",
			TEXT("a") "event: error\ndata: {\"message\":\"gone\"}\n\n",
			CONDUIT_FAIL_UPSTREAM, "gone");
	assert_failure(200, "application/json",
			"  {\"error\":{\"code\":402,\"message\":\"broke\"}}", CONDUIT_FAIL_QUOTA,
			"broke");
}

static void an_error_that_is_null_is_none(void **state) {
	(void)state;
	assert_answer("data: {\"error\":null,\"choices\":[{\"error\":null,\"delta\":{\"content\":"
		      "\"a\"},\"finish_reason\":\"stop\"}]}\n\n",
			"a", "stop");
}

static const struct {
	int status;
	const char *body;
	enum conduit_kind kind;
	const char *words;
} told_errors[] = {
		{401,
				"{\"error\":{\"message\":\"Provider returned "
				"error\",\"code\":401,"
				"\"metadata\":{\"raw\":\"{\\\"message\\\":\\\"bad "
				"token\\\"}\","
				"\"provider_name\":\"Acme\"}}}",
				CONDUIT_FAIL_UPSTREAM, "Acme says: bad token (HTTP 401)"},
		{403,
				"{\"error\":{\"message\":\"flagged\",\"code\":403,"
				"\"metadata\":{"
				"\"reasons\":[\"violence\"],\"flagged_input\":\"x\","
				"\"provider_name\":\"Acme\"}}}",
				CONDUIT_FAIL_MODERATED, "flagged"},
		{403, "{\"error\":{\"message\":\"not in your country\"}}", CONDUIT_FAIL_FORBIDDEN,
				"country"},
		{400,
				"{\"error\":{\"message\":\"This model's maximum context "
				"length is 8192 "
				"tokens\",\"code\":400}}",
				CONDUIT_FAIL_TOO_LONG, "8192"},
		{400,
				"{\"error\":{\"message\":\"x\",\"type\":\"exceed_context_"
				"size_error\"}}",
				CONDUIT_FAIL_TOO_LONG, "x"},
		{413, "too big", CONDUIT_FAIL_TOO_LONG, "too big (HTTP 413)"},
		{429, "{\"error\":{\"message\":\"slow\",\"code\":\"rate_limit_exceeded\"}}",
				CONDUIT_FAIL_BUSY, "slow"},
		{429,
				"{\"error\":{\"message\":\"Provider returned "
				"error\",\"metadata\":{"
				"\"raw\":\"try later\",\"provider_name\":\"Acme\"}}}",
				CONDUIT_FAIL_BUSY, "Acme says: try later"},
		{429,
				"{\"error\":{\"message\":\"You exceeded your current "
				"quota\",\"code\":"
				"\"insufficient_quota\"}}",
				CONDUIT_FAIL_QUOTA, "quota"},
		{404, "{\"message\":\"no Route matched\"}", CONDUIT_FAIL_GONE, "Route"},
		{408, "", CONDUIT_FAIL_TIMED_OUT, "without words (HTTP 408)"},
		{504, "<html><body>Gateway\ntime-out</body></html>", CONDUIT_FAIL_TIMED_OUT,
				"Gateway time-out"},
		{524, "", CONDUIT_FAIL_TIMED_OUT, ""},
		{422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}",
				CONDUIT_FAIL_INVALID, "field required"},
		{500, "{\"detail\":{\"error\":\"x\",\"message\":\"nested\"}}",
				CONDUIT_FAIL_UPSTREAM, "nested"},
		{529, "[{\"error\":{\"message\":\"overloaded\"}}]", CONDUIT_FAIL_UPSTREAM,
				"overloaded"},
		{418, "\"teapot\"", CONDUIT_FAIL_OTHER, "teapot"},
};

static void the_status_and_the_words_say_what_an_error_is(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(told_errors) / sizeof(told_errors[0]); i++) {
		assert_failure(told_errors[i].status, "", told_errors[i].body, told_errors[i].kind,
				told_errors[i].words);
	}
}

static void an_error_names_the_member_that_is_wrong(void **state) {
	(void)state;
	assert_failure(422, "application/json",
			"{\"detail\":[{\"loc\":[\"body\",\"loras\",0,\"path\"],\"msg\":\"str "
			"expected\"}]}",
			CONDUIT_FAIL_INVALID, "loras.0.path: str expected (HTTP 422)");
	assert_failure(422, "application/json",
			"{\"detail\":[{\"loc\":[\"language\"],\"msg\":\"no\"},{\"loc\":[],\"msg\":"
			"\"x\"}]}",
			CONDUIT_FAIL_INVALID, "language: no (HTTP 422)");
	assert_failure(422, "application/json",
			"{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"no\"}]}", CONDUIT_FAIL_INVALID,
			"no (HTTP 422)");
	assert_failure(415, "application/json", "{\"detail\":\"not sound\"}", CONDUIT_FAIL_INVALID,
			"not sound (HTTP 415)");
}

static void a_reset_connection_leaves_nothing_behind(void **state) {
	(void)state;
	const char *body = TEXT("a");
	struct replay_exchange exchange = {.status = 200,
			.content_type = "text/event-stream",
			.body = body,
			.size = strlen(body),
			.breaks = true};
	struct replay replay = replay_chat(load_provider("openai"), &exchange, REPLAY_WHOLE, 0);
	assert_false(replay.finished);
	assert_false(replay.failed);
	assert_string_equal(replay.output.data, "a");
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(text_comes_piece_by_piece),
			cmocka_unit_test(the_end_mark_isnt_needed_after_a_finish_reason),
			cmocka_unit_test(the_first_finish_reason_stands),
			cmocka_unit_test(events_without_blank_lines_between_them_are_read),
			cmocka_unit_test(only_the_first_of_several_answers_counts),
			cmocka_unit_test(a_stream_that_ends_without_its_end_was_cut_short),
			cmocka_unit_test(what_came_before_a_failure_stands),
			cmocka_unit_test(what_is_no_answer_is_malformed),
			cmocka_unit_test(a_whole_answer_is_taken_though_a_stream_was_asked_for),
			cmocka_unit_test(thinking_is_kept_apart_and_counted_once),
			cmocka_unit_test(tool_calls_are_put_together_after_the_text),
			cmocka_unit_test(an_error_in_any_chunk_fails_the_turn),
			cmocka_unit_test(an_error_that_is_null_is_none),
			cmocka_unit_test(the_status_and_the_words_say_what_an_error_is),
			cmocka_unit_test(an_error_names_the_member_that_is_wrong),
			cmocka_unit_test(a_reset_connection_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
