/* Embeddings and rankings by OpenAI's dialect: what is asked, and what comes out. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

#define SET(setting, text)                                                                         \
	{ .name = setting, .value = text, .size = sizeof(text) - 1 }

#define REPLIES_MOST 4

struct asked {
	const char *capability;
	const char *prompt;
	const struct conduit_setting *settings;
	size_t n_settings;
	const char *replies[REPLIES_MOST];
	enum replay_cut cut;
	size_t at;
};

static struct replay ask(const struct asked *asked) {
	struct simple_turn simple;
	simple_turn_init(&simple, "acme/vectors", asked->prompt);
	simple.turn.capability = asked->capability;
	simple.turn.settings = asked->settings;
	simple.turn.n_settings = asked->n_settings;
	struct replay_exchange exchanges[REPLIES_MOST] = {{0}};
	struct replay_script script = {.base_url = "https://x.example/v1",
			.exchanges = exchanges,
			.files = &simple.file,
			.n_files = 1,
			.cut = asked->cut,
			.at = asked->at};
	while (script.n_exchanges < REPLIES_MOST && asked->replies[script.n_exchanges] != NULL) {
		const char *reply = asked->replies[script.n_exchanges];
		exchanges[script.n_exchanges++] = (struct replay_exchange){.status = 200,
				.content_type = "application/json",
				.body = reply,
				.size = strlen(reply)};
	}
	struct replay replay;
	replay_transform(&replay, load_provider("openai"), &script, &simple.turn);
	assert_null(replay.broken);
	return replay;
}

static const struct conduit_setting by_line[] = {SET("lines", "yes")};
static const struct conduit_setting by_line_npy[] = {SET("lines", "yes"), SET("format", "npy")};

#define ONE "{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.5,-1e-7,3]}"
#define USAGE "\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}"

static void a_prompt_becomes_one_vector(void **state) {
	(void)state;
	struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
			.prompt = "Say \"hi\"\nthere",
			.replies = {"{\"object\":\"list\",\"data\":[" ONE
				    "],\"model\":\"v-2\"," USAGE "}"}});
	assert_true(replay.finished);
	assert_string_equal(replay.requests[0].url, "https://x.example/v1/embeddings");
	assert_string_equal(replay.requests[0].body,
			"{\"model\":\"acme/vectors\",\"input\":\"Say \\\"hi\\\"\\nthere\"}");
	assert_string_equal(replay.output.data, "[0.5,-1e-7,3]\n");
	assert_string_equal(replay.model, "v-2");
	assert_int_equal(replay.usage.prompt_tokens, 7);
	assert_int_equal(replay.usage.completion_tokens, 0);
	replay_finish(&replay);
}

static void each_line_becomes_a_vector_in_its_place(void **state) {
	(void)state;
	static const char reply[] =
			"{\"data\":[{\"index\":2,\"embedding\":[3]},"
			"{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[2]}]}";
	for (int cut = REPLAY_WHOLE; cut <= REPLAY_AT; cut++) {
		struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
				.prompt = "one\r\ntwo é\nthree",
				.settings = by_line,
				.n_settings = 1,
				.replies = {reply},
				.cut = (enum replay_cut)cut,
				.at = 4});
		assert_true(replay.finished);
		assert_string_equal(replay.requests[0].body,
				"{\"model\":\"acme/vectors\",\"input\":[\"one\",\"two "
				"é\",\"three\"]}");
		assert_string_equal(replay.output.data, "[1]\n[2]\n[3]\n");
		assert_int_equal(replay.usage.prompt_tokens, -1);
		replay_finish(&replay);
	}
}

static void npy_is_a_file_that_numpy_reads(void **state) {
	(void)state;
	struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
			.prompt = "one\ntwo",
			.settings = by_line_npy,
			.n_settings = 2,
			.replies = {"{\"data\":[{\"embedding\":[1,-2.5]},{\"embedding\":[0,0.5]}]"
				    "}"}});
	static const char head[] = "\x93NUMPY\x01\x00\x76\x00"
				   "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
	static const unsigned char rows[] = {
			0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0x3f};
	assert_true(replay.finished);
	assert_int_equal(replay.output.size, 128 + sizeof(rows));
	assert_memory_equal(replay.output.data, head, sizeof(head) - 1);
	assert_int_equal(replay.output.data[127], '\n');
	assert_memory_equal(replay.output.data + 128, rows, sizeof(rows));
	replay_finish(&replay);
}

/* A reply with `n` vectors of one number each. */
static void numbered(struct buf *out, size_t first, size_t n, const char *usage) {
	for (size_t i = 0; i < n; i++) {
		buf_add_format(out, "%s{\"embedding\":[%zu]}", i == 0 ? "{\"data\":[" : ",",
				first + i);
	}
	buf_add_format(out, "],\"usage\":%s}", usage);
}

static void many_lines_go_out_in_several_requests(void **state) {
	(void)state;
	cleanup_buf struct buf prompt = {0};
	cleanup_buf struct buf expected = {0};
	cleanup_buf struct buf first = {0};
	cleanup_buf struct buf second = {0};
	cleanup_buf struct buf third = {0};
	for (size_t i = 0; i < 130; i++) {
		buf_add_format(&prompt, "line %zu\n", i);
		buf_add_format(&expected, "[%zu]\n", i);
	}
	numbered(&first, 0, 64, "{\"prompt_tokens\":64,\"cost\":6.4e-7}");
	numbered(&second, 64, 64, "{\"prompt_tokens\":64,\"cost\":6.4e-7}");
	numbered(&third, 128, 2, "{\"total_tokens\":2,\"cost\":2e-8}");
	struct asked asked = {.capability = "text-to-embedding",
			.prompt = prompt.data,
			.settings = by_line,
			.n_settings = 1,
			.replies = {first.data, second.data, third.data}};
	struct replay replay = ask(&asked);
	assert_true(replay.finished);
	assert_int_equal(replay.n_requests, 3);
	assert_string_equal(replay.requests[2].body,
			"{\"model\":\"acme/vectors\",\"input\":[\"line 128\",\"line 129\"]}");
	assert_string_equal(replay.output.data, expected.data);
	assert_int_equal(replay.usage.prompt_tokens, 130);
	assert_true(fabs(replay.usage.cost - 1.3e-6) < 1e-15);
	replay_finish(&replay);
}

static void long_lines_are_fewer_a_request(void **state) {
	(void)state;
	cleanup_buf struct buf prompt = {0};
	cleanup_buf struct buf first = {0};
	cleanup_buf struct buf second = {0};
	for (size_t line = 0; line < 3; line++) {
		for (size_t i = 0; i < 15000; i++) {
			buf_add_byte(&prompt, 'x');
		}
		buf_add_byte(&prompt, '\n');
	}
	numbered(&first, 0, 2, "null");
	numbered(&second, 2, 1, "null");
	struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
			.prompt = prompt.data,
			.settings = by_line,
			.n_settings = 1,
			.replies = {first.data, second.data}});
	assert_true(replay.finished);
	assert_string_equal(replay.output.data, "[0]\n[1]\n[2]\n");
	replay_finish(&replay);
}

static void members_of_extra_go_with_each_request(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {
			SET("lines", "yes"), SET("extra", "{\"dimensions\":1}")};
	struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
			.prompt = "one",
			.settings = settings,
			.n_settings = 2,
			.replies = {"{\"data\":[{\"embedding\":[1]}]}"}});
	assert_string_equal(replay.requests[0].body,
			"{\"model\":\"acme/vectors\",\"input\":[\"one\"],\"dimensions\":1}");
	replay_finish(&replay);
}

static void what_cannot_be_embedded_is_refused_before_anything_is_sent(void **state) {
	(void)state;
	static const struct conduit_setting odd[] = {SET("format", "csv")};
	static const struct {
		struct asked asked;
		const char *words;
	} wrong[] = {
			{{.capability = "text-to-embedding",
					 .prompt = "one\n\ntwo",
					 .settings = by_line,
					 .n_settings = 1},
					"line 2 of the prompt is empty"},
			{{.capability = "text-to-embedding",
					 .prompt = "",
					 .settings = by_line,
					 .n_settings = 1},
					"the prompt is empty"},
			{{.capability = "text-to-embedding",
					 .prompt = "one",
					 .settings = odd,
					 .n_settings = 1},
					"the setting format is \"csv\", and vectors come as json "
					"or npy"},
			{{.capability = "text-to-rerank", .prompt = "a query alone"},
					"write the query as the prompt's first line"},
			{{.capability = "text-to-rerank", .prompt = "\na document"},
					"write the query as the prompt's first line"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct replay replay = ask(&wrong[i].asked);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
		assert_int_equal(replay.n_requests, 0);
		assert_non_null(strstr(replay.words, wrong[i].words));
		replay_finish(&replay);
	}
}

static void an_attachment_is_not_embedded(void **state) {
	(void)state;
	static const struct replay_file files[] = {{"what?", 5}, {"\xff\xd8\xff", 3}};
	static const struct conduit_part parts[] = {
			{0, "text/plain", "", 5}, {1, "image/jpeg", "a.jpg", 3}};
	static const struct conduit_message message = {CONDUIT_USER, parts, 2};
	static const struct conduit_turn turn = {.model = "m",
			.capability = "text-to-embedding",
			.messages = &message,
			.n_messages = 1};
	struct replay_script script = {.files = files, .n_files = 2};
	struct replay replay;
	replay_transform(&replay, load_provider("openai"), &script, &turn);
	assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
	assert_non_null(strstr(replay.words, "without attachments"));
	replay_finish(&replay);
}

static void a_prompt_that_is_too_long_by_line_is_refused(void **state) {
	(void)state;
	static char prompt[(8 << 20) + 2];
	memset(prompt, 'x', sizeof(prompt) - 1);
	struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
			.prompt = prompt,
			.settings = by_line,
			.n_settings = 1});
	assert_int_equal(replay.kind, CONDUIT_FAIL_TOO_LONG);
	assert_non_null(strstr(replay.words, "8388609 bytes"));
	replay_finish(&replay);
}

static void an_answer_that_is_not_what_was_asked_for_is_eproto(void **state) {
	(void)state;
	static const char *const answers[][2] = {
			{"{\"data\":[]}", "holds 0 of 2 vectors"},
			{"{\"data\":[{\"embedding\":[1]}]}", "holds 1 of 2 vectors"},
			{"{\"data\":[{\"embedding\":[1]},{\"embedding\":[1,2]}]}",
					"isn't an array"},
			{"{\"data\":[{\"embedding\":[]},{\"embedding\":[1]}]}", "isn't an array"},
			{"{\"data\":[{\"embedding\":\"AACAPw==\"}]}", "isn't an array"},
			{"{\"data\":[{\"embedding\":[[1],[2]]}]}", "isn't an array"},
			{"{\"data\":[{\"index\":7,\"embedding\":[1]}]}", "nobody asked for"},
			{"{\"data\":[{\"index\":1,\"embedding\":[1]},{\"index\":1,\"embedding\":[1]"
			 "}]}",
					"nobody asked for"},
			{"{\"data\":[{\"embedding\":[1]},{\"embedding\":[2]},{\"embedding\":[3]}]}",
					"nobody asked for"},
			{"{\"object\":\"list\"}", "holds no \"data\" array"},
			{"<html>", "isn't JSON"},
			{"", "was cut short"},
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
				.prompt = "one\ntwo",
				.settings = by_line,
				.n_settings = 1,
				.replies = {answers[i][0]},
				.cut = REPLAY_BYTES});
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
		assert_int_equal(replay.output.size, 0);
		assert_non_null(strstr(replay.words, answers[i][1]));
		replay_finish(&replay);
	}
}

static void an_error_that_comes_with_200_is_one(void **state) {
	(void)state;
	static const char *const capabilities[] = {"text-to-embedding", "text-to-rerank"};
	for (size_t i = 0; i < 2; i++) {
		struct replay replay = ask(&(struct asked){.capability = capabilities[i],
				.prompt = "query\ndocument",
				.replies = {"{\"error\":{\"message\":\"no "
					    "credit\",\"code\":402}}"}});
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_QUOTA);
		assert_non_null(strstr(replay.words, "no credit"));
		replay_finish(&replay);
	}
}

static void a_later_request_that_fails_leaves_what_came(void **state) {
	(void)state;
	cleanup_buf struct buf prompt = {0};
	cleanup_buf struct buf first = {0};
	for (size_t i = 0; i < 65; i++) {
		buf_add_format(&prompt, "%zu\n", i);
	}
	numbered(&first, 0, 64, "{\"prompt_tokens\":64}");
	struct replay replay = ask(&(struct asked){.capability = "text-to-embedding",
			.prompt = prompt.data,
			.settings = by_line,
			.n_settings = 1,
			.replies = {first.data, "{\"error\":\"busy\"}"}});
	assert_true(replay.failed);
	assert_true(ends_with(buf_string(&replay.output), "[62]\n[63]\n"));
	assert_int_equal(replay.usage.prompt_tokens, 64);
	replay_finish(&replay);
}

static void documents_come_the_best_first(void **state) {
	(void)state;
	static const char reply[] =
			"{\"model\":\"r\",\"results\":[{\"index\":0,\"relevance_score\":0.25},"
			"{\"index\":1,\"relevance_score\":3.4e-7,\"document\":{\"text\":\"x\"}},"
			"{\"index\":2,\"score\":0.828125}],\"usage\":{\"total_tokens\":17,"
			"\"cost\":3.4e-7}}";
	for (int cut = REPLAY_WHOLE; cut <= REPLAY_AT; cut++) {
		struct replay replay = ask(&(struct asked){.capability = "text-to-rerank",
				.prompt = "what?\nfirst \"one\"\n\nthird\nfourth",
				.replies = {reply},
				.cut = (enum replay_cut)cut,
				.at = 9});
		assert_true(replay.finished);
		assert_string_equal(replay.requests[0].url, "https://x.example/v1/rerank");
		assert_string_equal(replay.requests[0].body,
				"{\"model\":\"acme/vectors\",\"query\":\"what?\",\"documents\":["
				"\"first \\\"one\\\"\",\"third\",\"fourth\"]}");
		assert_string_equal(replay.output.data,
				"{\"index\":3,\"relevance_score\":0.828125,\"document\":\"fourth\"}"
				"\n"
				"{\"index\":0,\"relevance_score\":0.25,\"document\":\"first "
				"\\\"one\\\"\"}\n"
				"{\"index\":2,\"relevance_score\":3.4e-07,\"document\":\"third\"}"
				"\n");
		assert_int_equal(replay.usage.prompt_tokens, 17);
		assert_true(fabs(replay.usage.cost - 3.4e-7) < 1e-20);
		replay_finish(&replay);
	}
}

static void a_ranking_of_what_nobody_sent_is_eproto(void **state) {
	(void)state;
	static const char *const answers[] = {"{\"results\":[]}", "{\"results\":{}}", "{}", "[]",
			"", "{\"results\":[{\"index\":1,\"relevance_score\":1}]}",
			"{\"results\":[{\"index\":-1,\"relevance_score\":1}]}",
			"{\"results\":[{\"index\":0}]}", "{\"results\":[{\"relevance_score\":1}]}",
			"{\"results\":[{\"index\":0,\"relevance_score\":1},"
			"{\"index\":0,\"relevance_score\":1}]}"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct replay replay = ask(&(struct asked){.capability = "text-to-rerank",
				.prompt = "query\ndocument",
				.replies = {answers[i]}});
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
		assert_int_equal(replay.output.size, 0);
		replay_finish(&replay);
	}
}

static void models_that_embed_have_the_settings_of_vectors(void **state) {
	(void)state;
	static const char list[] =
			"{\"data\":[{\"id\":\"text-embedding-x\"},{\"id\":\"bge-m3\"},"
			"{\"id\":\"bge-reranker-v2\"},{\"id\":\"chatty\"},"
			"{\"id\":\"embed-gguf\",\"owned_by\":\"llamacpp\",\"architecture\":{"
			"\"output_modalities\":[\"text\"]}},{\"id\":\"embed-of-text\","
			"\"architecture\":{\"output_modalities\":[\"text\"]}}]}";
	struct replay_exchange exchange = {.status = 200, .body = list, .size = strlen(list)};
	struct replay replay = replay_models(load_provider("openai"), &exchange, REPLAY_WHOLE, 0);
	static const char *const kinds[][2] = {{"embeddings", "lines,format"},
			{"embeddings", "lines,format"}, {"rerank", NULL}, {"text", "top_k"},
			{"embeddings", "lines,format"}, {"text", "top_k"}};
	assert_int_equal(replay.n_models, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(replay.models[i].output_modalities, kinds[i][0]);
		const char *parameters = replay.models[i].parameters;
		assert_int_equal(parameters == NULL, kinds[i][1] == NULL);
		assert_true(parameters == NULL || starts_with(parameters, kinds[i][1]));
	}
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_prompt_becomes_one_vector),
			cmocka_unit_test(each_line_becomes_a_vector_in_its_place),
			cmocka_unit_test(npy_is_a_file_that_numpy_reads),
			cmocka_unit_test(many_lines_go_out_in_several_requests),
			cmocka_unit_test(long_lines_are_fewer_a_request),
			cmocka_unit_test(members_of_extra_go_with_each_request),
			cmocka_unit_test(
					what_cannot_be_embedded_is_refused_before_anything_is_sent),
			cmocka_unit_test(an_attachment_is_not_embedded),
			cmocka_unit_test(a_prompt_that_is_too_long_by_line_is_refused),
			cmocka_unit_test(an_answer_that_is_not_what_was_asked_for_is_eproto),
			cmocka_unit_test(an_error_that_comes_with_200_is_one),
			cmocka_unit_test(a_later_request_that_fails_leaves_what_came),
			cmocka_unit_test(documents_come_the_best_first),
			cmocka_unit_test(a_ranking_of_what_nobody_sent_is_eproto),
			cmocka_unit_test(models_that_embed_have_the_settings_of_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
