/* What real Ollama servers said by their own API: answers, tool calls, lists, errors; whichever way
 * they are cut. The expected values were computed from the recordings by another program. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *path;
	size_t output;
	uint64_t output_hash;
	const char *finish;
	const char *model;
	int64_t prompt_tokens, completion_tokens;
} answers[] = {
		/* clang-format off */
		{"ollama/native/api_chat_stream.ndjson", 212, 0xc9023ca2f85c6774, "stop", "llama3", 17, 50},
		{"ollama/native/api_chat_schema.ndjson", 19, 0x04c7a35e7b2d4a62, "stop", "qwen3:latest", 15, 11},
		{"ollama/native/api_chat_tool_call.ndjson", 101, 0x987253b73d23dc7a, "tool_calls", "qwen3:latest", 152, 109},
		{"ollama/native/api_chat_tools_stream.ndjson", 263, 0x9cd1f94fd0fc9ef5, "tool_calls", "llama3.1:latest", 577, 90},
		{"ollama/native/api_chat_nonstream.json", 256, 0xf6514814266025d6, "stop", "llama3", 17, 66},
		{"ollama/native/api_chat_tools_nonstream.json", 535, 0x7fc7edbb1931bd58, "stop", "llama3.1", 44, 113},
		/* clang-format on */
};

static struct replay_exchange exchange_of(const char *path, const struct buf *body, int status) {
	return (struct replay_exchange){.status = status,
			.content_type = ends_with(path, ".json") ? "application/json"
								 : "application/x-ndjson",
			.body = body->data,
			.size = body->size};
}

static void each_answer_gives_what_it_holds_however_it_is_cut(void **state) {
	(void)state;
	const struct conduit_provider *provider = load_provider("ollama");
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct buf body = recording(answers[i].path);
		struct replay_exchange exchange = exchange_of(answers[i].path, &body, 200);
		print_message("%s\n", answers[i].path);
		struct replay replay = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.output.size, answers[i].output);
		assert_int_equal(fnv1a(buf_string(&replay.output), replay.output.size),
				answers[i].output_hash);
		assert_string_equal(replay.finish, answers[i].finish);
		assert_string_equal(replay.model, answers[i].model);
		assert_int_equal(replay.usage.prompt_tokens, answers[i].prompt_tokens);
		assert_int_equal(replay.usage.completion_tokens, answers[i].completion_tokens);
		assert_true(isnan(replay.usage.cost));
		replay_finish(&replay);
		assert_cuts_make_no_difference(provider, &exchange);
		buf_finish(&body);
	}
}

static void an_answer_that_is_cut_short_never_passes_for_a_whole_one(void **state) {
	(void)state;
	const struct conduit_provider *provider = load_provider("ollama");
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct buf body = recording(answers[i].path);
		struct replay_exchange exchange = exchange_of(answers[i].path, &body, 200);
		struct replay whole = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
		/* Without its last brace the last line isn't one. */
		size_t last = strlen(buf_string(&body));
		while (body.data[last - 1] != '}') {
			last--;
		}
		for (exchange.size = 0; exchange.size < last; exchange.size++) {
			struct replay cut = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
			assert_null(cut.broken);
			assert_true(cut.failed);
			assert_int_equal(cut.kind, CONDUIT_FAIL_MALFORMED);
			assert_true(cut.output.size <= whole.output.size);
			assert_memory_equal(buf_string(&cut.output), buf_string(&whole.output),
					cut.output.size);
			replay_finish(&cut);
		}
		replay_finish(&whole);
		buf_finish(&body);
	}
}

static void each_error_has_its_kind_and_words(void **state) {
	(void)state;
	static const struct {
		const char *path;
		int status;
		enum conduit_kind kind;
		const char *words;
	} errors[] = {
			{"ollama/errors/cloud_400_context.json", 400, CONDUIT_FAIL_TOO_LONG,
					"prompt too long"},
			{"ollama/errors/cloud_401.json", 401, CONDUIT_FAIL_BAD_KEY, "Unauthorized"},
	};
	const struct conduit_provider *provider = load_provider("ollama");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct buf body = recording(errors[i].path);
		struct replay_exchange exchange = exchange_of(
				errors[i].path, &body, errors[i].status);
		struct replay replay = replay_chat(provider, &exchange, REPLAY_BYTES, 0);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, errors[i].kind);
		assert_non_null(strstr(replay.words, errors[i].words));
		replay_finish(&replay);
		assert_cuts_make_no_difference(provider, &exchange);
		buf_finish(&body);
	}
}

/* How many models a list holds of which none is shown: what its entries say is all that is known.
 */
static void assert_list(const char *path, size_t n_models, const char *one) {
	enum { SHOWN = 64 };
	struct buf body = recording(path);
	struct replay_exchange exchanges[SHOWN] = {exchange_of(path, &body, 200)};
	for (size_t i = 1; i < SHOWN; i++) {
		exchanges[i] = (struct replay_exchange){.status = 404, .body = "", .size = 0};
	}
	for (enum replay_cut cut = REPLAY_WHOLE; cut <= REPLAY_AT; cut++) {
		struct replay_script script = {.base_url = "http://127.0.0.1:11434",
				.exchanges = exchanges,
				.n_exchanges = n_models + 1,
				.cut = cut,
				.at = body.size / 2};
		struct replay replay;
		bool found = false;
		replay_discover(&replay, load_provider("ollama"), &script);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_models, n_models);
		for (size_t i = 0; i < replay.n_models; i++) {
			found = found || strcmp(replay.models[i].id, one) == 0;
			assert_true(replay.models[i].created > 0);
		}
		assert_true(found);
		replay_finish(&replay);
	}
	buf_finish(&body);
}

static void each_list_gives_its_models(void **state) {
	(void)state;
	assert_list("ollama/native/api_tags.json", 6, "qwen2.5vl:7b");
	assert_list("ollama/native/api_tags_codecompanion.json", 4, "vatistasdim/Cipher:latest");
	assert_list("ollama/native/api_tags_fixture.json", 3, "llama3.2:3b");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_answer_gives_what_it_holds_however_it_is_cut),
			cmocka_unit_test(an_answer_that_is_cut_short_never_passes_for_a_whole_one),
			cmocka_unit_test(each_error_has_its_kind_and_words),
			cmocka_unit_test(each_list_gives_its_models),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
