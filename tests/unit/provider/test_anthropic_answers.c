/* Anthropic's messages API: what replies give, and lists of models. */
#include "tests/unit/provider/support.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- replies ---- */

static struct replay answered(int status, const char *type, const char *body) {
	const struct conduit_provider *provider = load_provider("anthropic");
	struct replay_exchange exchange = {
			.status = status, .content_type = type, .body = body, .size = strlen(body)};
	assert_cuts_make_no_difference(provider, &exchange);
	struct replay replay = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
	assert_null(replay.broken);
	return replay;
}

#define START "data: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\"}}\n\n"
#define TEXT                                                                                       \
	"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","  \
	"\"text\":\"a\"}}\n\n"
#define STOP(why) "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" why "\"}}\n\n"

static void each_stop_reason_has_the_word_of_the_others(void **state) {
	(void)state;
	static const char *const reasons[][2] = {{START TEXT STOP("end_turn"), "stop"},
			{START TEXT STOP("stop_sequence"), "stop"},
			{START TEXT STOP("max_tokens"), "length"},
			{START TEXT STOP("model_context_window_exceeded"), "length"},
			{START TEXT STOP("tool_use"), "tool_calls"},
			{START TEXT STOP("pause_turn"), "pause_turn"}};
	for (size_t i = 0; i < COUNT(reasons); i++) {
		struct replay replay = answered(200, "text/event-stream", reasons[i][0]);
		assert_true(replay.finished);
		assert_string_equal(replay.finish, reasons[i][1]);
		assert_string_equal(replay.output.data, "a");
		replay_finish(&replay);
	}
}

static const struct {
	int status;
	const char *type;
	const char *body;
	enum conduit_kind kind;
	const char *words;
} failures[] = {
		{200, "text/event-stream", START TEXT, CONDUIT_FAIL_MALFORMED, "cut short"},
		{200, "text/event-stream", START TEXT "data: {\"type\":\"mess",
				CONDUIT_FAIL_MALFORMED, "cut short"},
		{200, "text/event-stream", START "data: oops\n\n" STOP("end_turn"),
				CONDUIT_FAIL_MALFORMED, "isn't JSON"},
		{200, "text/event-stream", "", CONDUIT_FAIL_MALFORMED, "no message"},
		{200, "text/event-stream", STOP("end_turn"), CONDUIT_FAIL_MALFORMED, "no message"},
		{200, "text/html", "<html>", CONDUIT_FAIL_MALFORMED, "neither"},
		{200, "application/json", "{\"type\":\"message\"", CONDUIT_FAIL_MALFORMED,
				"neither"},
		{200, "application/json", "{\"choices\":[]}", CONDUIT_FAIL_MALFORMED, "no message"},
		{200, "application/json", "{\"type\":\"message\",\"content\":[]}",
				CONDUIT_FAIL_MALFORMED, "cut short"},
		{200, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":"
				"\"rate_limit_error\",\"message\":\"slow\"}}",
				CONDUIT_FAIL_BUSY, "slow"},
		{200, "text/event-stream", START STOP("refusal"), CONDUIT_FAIL_MODERATED,
				"the model refused to answer"},
		{403, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":"
				"\"permission_error\",\"message\":\"no\"}}",
				CONDUIT_FAIL_FORBIDDEN, "no (HTTP 403)"},
		{413, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":"
				"\"request_too_large\",\"message\":\"big\"}}",
				CONDUIT_FAIL_TOO_LONG, "big (HTTP 413)"},
		{429, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":"
				"\"rate_limit_error\",\"message\":\"slow\"}}",
				CONDUIT_FAIL_BUSY, "slow (HTTP 429)"},
		{500, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":\"api_error\","
				"\"message\":\"oops\"}}",
				CONDUIT_FAIL_UPSTREAM, "oops (HTTP 500)"},
		{504, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":"
				"\"timeout_error\",\"message\":\"late\"}}",
				CONDUIT_FAIL_TIMED_OUT, "late (HTTP 504)"},
		{529, "application/json",
				"{\"type\":\"error\",\"error\":{\"type\":"
				"\"overloaded_error\",\"message\":\"Overloaded\"}}",
				CONDUIT_FAIL_UPSTREAM, "Overloaded (HTTP 529)"},
};

static void what_fails_says_how(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++) {
		struct replay replay = answered(
				failures[i].status, failures[i].type, failures[i].body);
		assert_true(replay.failed);
		if (replay.kind != failures[i].kind ||
				strstr(replay.words, failures[i].words) == NULL) {
			fail_msg("%s: kind %d, %s", failures[i].body, (int)replay.kind,
					replay.words);
		}
		assert_int_equal(replay.status, failures[i].status == 200 ? 0 : failures[i].status);
		replay_finish(&replay);
	}
}

static void a_whole_message_is_taken_as_well(void **state) {
	(void)state;
	struct replay replay = answered(200, "application/json",
			"{\"type\":\"message\",\"model\":\"claude\",\"content\":[{\"type\":"
			"\"thinking\",\"thinking\":\"hm\"},{\"type\":\"text\",\"text\":\"hi\"},{"
			"\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}}],"
			"\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":1,"
			"\"cache_read_input_tokens\":2,\"output_tokens\":3}}");
	assert_true(replay.finished);
	assert_string_equal(replay.output.data,
			"hi\n[{\"id\":\"t\",\"type\":\"function\",\"function\":{\"name\":\"f\","
			"\"arguments\":\"{\\\"a\\\":1}\"}}]");
	assert_string_equal(replay.reasoning.data, "hm");
	assert_int_equal(replay.usage.prompt_tokens, 3);
	assert_int_equal(replay.usage.cached_tokens, 2);
	assert_int_equal(replay.usage.completion_tokens, 3);
	replay_finish(&replay);
}

/* ---- models ---- */

static struct replay pages(const char *const *bodies, size_t n, int status) {
	struct replay_exchange exchanges[4] = {0};
	for (size_t i = 0; i < n; i++) {
		exchanges[i] = (struct replay_exchange){
				.status = status, .body = bodies[i], .size = strlen(bodies[i])};
	}
	struct replay_script script = {.base_url = "https://acme.example",
			.exchanges = exchanges,
			.n_exchanges = n,
			.cut = REPLAY_BYTES};
	struct replay replay;
	replay_discover(&replay, load_provider("anthropic"), &script);
	assert_null(replay.broken);
	return replay;
}

static void an_entry_gives_every_fact_it_states(void **state) {
	(void)state;
	const char *body = "{\"data\":[{\"type\":\"model\",\"id\":\"claude-x\",\"display_name\":"
			   "\"Claude X\",\"created_at\":\"2026-09-01T00:00:00Z\","
			   "\"max_input_tokens\":200000,\"max_tokens\":64000,\"capabilities\":{"
			   "\"image_input\":{\"supported\":true},\"pdf_input\":{\"supported\":"
			   "false}}},{\"id\":7},{\"id\":\"bare\",\"max_tokens\":null}],"
			   "\"has_more\":false}";
	struct replay replay = pages(&body, 1, 200);
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 2);
	assert_string_equal(replay.models[0].name, "Claude X");
	assert_int_equal(replay.models[0].created, 1788220800);
	assert_int_equal(replay.models[0].context_length, 200000);
	assert_int_equal(replay.models[0].max_output, 64000);
	assert_string_equal(replay.models[0].input_modalities, "text,image");
	assert_int_equal(replay.models[0].n_prices, 0);
	assert_string_equal(replay.models[1].input_modalities, "text");
	assert_int_equal(replay.models[1].max_output, 0);
	assert_non_null(strstr(replay.log.data, "it has no id"));
	replay_finish(&replay);
}

static void a_list_that_does_not_end_or_is_none_fails_with_words(void **state) {
	(void)state;
	static const struct {
		const char *body;
		int status;
		enum conduit_kind kind;
		const char *words;
	} wrong[] = {
			{"{\"data\":[],\"has_more\":true}", 200, CONDUIT_FAIL_MALFORMED,
					"doesn't end"},
			{"{\"data\":[],\"has_more\":true,\"last_id\":\"a&b=/../x\"}", 200,
					CONDUIT_FAIL_MALFORMED, "doesn't end"},
			{"{\"data\":[{\"id\":\"a\"}", 200, CONDUIT_FAIL_MALFORMED, "cut short"},
			{"<html>", 200, CONDUIT_FAIL_MALFORMED, "is none"},
			{"{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\","
			 "\"message\":\"invalid x-api-key\"}}",
					401, CONDUIT_FAIL_BAD_KEY, "invalid x-api-key"},
	};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct replay replay = pages(&wrong[i].body, 1, wrong[i].status);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, wrong[i].kind);
		assert_non_null(strstr(replay.words, wrong[i].words));
		replay_finish(&replay);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_stop_reason_has_the_word_of_the_others),
			cmocka_unit_test(what_fails_says_how),
			cmocka_unit_test(a_whole_message_is_taken_as_well),
			cmocka_unit_test(an_entry_gives_every_fact_it_states),
			cmocka_unit_test(a_list_that_does_not_end_or_is_none_fails_with_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
