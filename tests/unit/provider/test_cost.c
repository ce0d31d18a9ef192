/* What a turn cost that was cut off, asked by the id in its reply's head. */
#include "tests/unit/provider/support.h"

#include <math.h>
#include <string.h>

#define HEAD "content-type: text/event-stream\nx-generation-id: gen-17-abc_D.~\ndate: today\n"

/* Asks a provider, whose service answers so, cut as said. */
static struct replay ask(const char *provider, const char *head, int status, const char *body,
		enum replay_cut cut, size_t at) {
	struct conduit_setting setting = {.name = "reply", .value = head, .size = strlen(head)};
	struct conduit_turn turn = {.model = "maker/one",
			.capability = "cost",
			.settings = &setting,
			.n_settings = 1};
	struct replay_exchange exchange = {.status = status,
			.content_type = "application/json",
			.body = body,
			.size = strlen(body)};
	struct replay_script script = {.base_url = "https://acme.example/v1",
			.exchanges = &exchange,
			.n_exchanges = 1,
			.cut = cut,
			.at = at};
	struct replay replay;
	replay_transform(&replay, load_provider(provider), &script, &turn);
	assert_null(replay.broken);
	return replay;
}

static void the_cost_is_asked_by_the_id_of_the_reply(void **state) {
	(void)state;
	static const char body[] =
			"{\"data\":{\"total_cost\":1.9e-5,\"native_tokens_prompt\":11,"
			"\"native_tokens_completion\":9,\"native_tokens_reasoning\":null}}";
	for (size_t at = 0; at <= strlen(body); at++) {
		struct replay replay = ask("openrouter", HEAD, 200, body,
				at == 0 ? REPLAY_WHOLE : REPLAY_AT, at);
		assert_int_equal(replay.n_requests, 1);
		assert_string_equal(replay.requests[0].method, "GET");
		assert_string_equal(replay.requests[0].url,
				"https://acme.example/v1/generation?id=gen-17-abc_D.~");
		assert_int_equal(replay.requests[0].size, 0);
		assert_true(replay.finished && replay.has_usage);
		assert_true(fabs(replay.usage.cost - 1.9e-5) < 1e-12);
		assert_int_equal(replay.usage.prompt_tokens, 11);
		assert_int_equal(replay.usage.completion_tokens, 9);
		assert_int_equal(replay.usage.reasoning_tokens, -1);
		assert_int_equal(replay.output.size, 0);
		replay_finish(&replay);
	}
}

static void the_recorded_answer_is_read(void **state) {
	(void)state;
	struct buf body = recording("openrouter/json/generation_200.json");
	struct replay replay = ask("openrouter", HEAD, 200, buf_string(&body), REPLAY_BYTES, 0);
	assert_true(fabs(replay.usage.cost - 0.000019) < 1e-12);
	assert_int_equal(replay.usage.prompt_tokens, 11);
	assert_int_equal(replay.usage.completion_tokens, 9);
	assert_int_equal(replay.usage.cached_tokens, 0);
	replay_finish(&replay);
	buf_finish(&body);
}

static void what_isnt_known_yet_fails_and_costs_no_request_more(void **state) {
	(void)state;
	static const struct {
		int status;
		const char *body;
	} bad[] = {{404, "{\"error\":{\"message\":\"Generation gen-17 not found\",\"code\":404}}"},
			{200, "{\"data\":{\"total_cost\":null}}"},
			{200, "{\"data\":{\"total_cost\":-1}}"}, {200, "<html>"}, {200, ""}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct replay replay = ask(
				"openrouter", HEAD, bad[i].status, bad[i].body, REPLAY_BYTES, 0);
		assert_true(replay.failed);
		assert_false(replay.has_usage);
		replay_finish(&replay);
	}
}

static void without_an_id_nothing_is_asked(void **state) {
	(void)state;
	static const char *const heads[] = {"", "x-generation-id:\n", "date: x-generation-id: a\n",
			"x-generation-id: a&b=c\n", "x-generation-id: a/../b\n",
			"x-generation-ids: a\n"};
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct replay replay = ask("openrouter", heads[i], 200, "{}", REPLAY_WHOLE, 0);
		assert_true(replay.failed);
		assert_int_equal(replay.n_requests, 0);
		replay_finish(&replay);
	}
	/* Nor by a provider that can't say. */
	struct replay replay = ask("openai", HEAD, 200, "{}", REPLAY_WHOLE, 0);
	assert_true(replay.failed);
	assert_int_equal(replay.n_requests, 0);
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(the_cost_is_asked_by_the_id_of_the_reply),
			cmocka_unit_test(the_recorded_answer_is_read),
			cmocka_unit_test(what_isnt_known_yet_fails_and_costs_no_request_more),
			cmocka_unit_test(without_an_id_nothing_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
