/* What the OpenAI dialect asks for: the request that a turn becomes. */
#include "tests/unit/provider/support.h"

#include <conduit/kit/json.h>
#include <string.h>

static const char answer[] = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":"
			     "\"stop\"}]}\n\ndata: [DONE]\n\n";

#define SETTINGS(...)                                                                              \
	(const struct conduit_setting[]) {                                                         \
		__VA_ARGS__, {                                                                     \
			0                                                                          \
		}                                                                                  \
	}
#define SET(setting, text)                                                                         \
	{ .name = setting, .value = text, .size = sizeof(text) - 1 }

static struct replay ask(const char *provider, const char *base_url,
		const struct conduit_setting *settings) {
	struct simple_turn simple;
	simple_turn_init(&simple, "acme/model:free", "Say \"hi\"\n\x01");
	simple.turn.settings = settings;
	while (settings[simple.turn.n_settings].name != NULL) {
		simple.turn.n_settings++;
	}
	struct replay_exchange exchange = {.status = 200,
			.content_type = "text/event-stream",
			.body = answer,
			.size = strlen(answer)};
	struct replay_script script = {.base_url = base_url,
			.exchanges = &exchange,
			.n_exchanges = 1,
			.files = &simple.file,
			.n_files = 1};
	struct replay replay;
	replay_transform(&replay, load_provider(provider), &script, &simple.turn);
	assert_null(replay.broken);
	return replay;
}

static void assert_body(struct replay *replay, const char *expected) {
	assert_int_equal(replay->n_requests, 1);
	assert_true(replay->finished);
	assert_string_equal(replay->requests[0].body, expected);
	struct conduit_json *json = conduit_json_parse(
			replay->requests[0].body, replay->requests[0].size);
	assert_non_null(json);
	conduit_json_free(json);
	replay_finish(replay);
}

#define HEAD                                                                                       \
	"{\"model\":\"acme/model:free\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "       \
	"\\\"hi\\\"\\n\\u0001\"}],\"stream\":true"

static void a_prompt_is_posted_as_a_streamed_chat(void **state) {
	(void)state;
	struct replay replay = ask("openrouter", "https://x.example/api/v1", SETTINGS({0}));
	const struct replay_request *request = &replay.requests[0];
	assert_string_equal(request->method, "POST");
	assert_string_equal(request->url, "https://x.example/api/v1/chat/completions");
	assert_non_null(strstr(request->headers, "Content-Type: application/json\n"));
	assert_null(strstr(request->headers, "Referer"));
	assert_null(strstr(request->headers, "Authorization"));
	assert_body(&replay, HEAD "}");
}

static void fallback_models_are_named_where_the_service_asks_them_by_itself(void **state) {
	(void)state;
	struct replay replay = ask("openrouter", "",
			SETTINGS(SET("fallback_models", "[\"acme/model:free\",\"b/c:free\"]")));
	assert_body(&replay, HEAD ",\"models\":[\"acme/model:free\",\"b/c:free\"]}");
	replay = ask("together", "", SETTINGS(SET("fallback_models", "[\"a\",\"b\"]")));
	assert_null(strstr(replay.requests[0].body, "models"));
	replay_finish(&replay);
}

static void each_setting_has_its_json_type(void **state) {
	(void)state;
	struct replay replay = ask("openrouter", "",
			SETTINGS(SET("temperature", "0.70\n"), SET("top_k", "+5"),
					SET("seed", "9313781139405380123"),
					SET("max_tokens", "100"), SET("stop", "END\n\n\"x\" \n"),
					SET("logprobs", "yes"),
					SET("logit_bias", "{\"50256\": -100}"),
					SET("reasoning_effort", "low"), SET("tool_choice", "auto"),
					SET("parallel_tool_calls", "off"), SET("top_p", "")));
	assert_body(&replay, HEAD ",\"temperature\":0.70,\"top_k\":5,\"seed\":9313781139405380123,"
				  "\"max_tokens\":100,\"stop\":[\"END\",\"\\\"x\\\" \"],"
				  "\"logit_bias\":{\"50256\": -100},"
				  "\"reasoning_effort\":\"low\",\"tool_choice\":\"auto\","
				  "\"parallel_tool_calls\":false,\"logprobs\":true}");
}

static void a_schema_becomes_a_strict_response_format(void **state) {
	(void)state;
	struct replay replay = ask(
			"openrouter", "", SETTINGS(SET("schema", "{\"type\":\"object\"}")));
	assert_body(&replay, HEAD ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
				  "\"name\":\"output\",\"strict\":true,\"schema\":{\"type\":"
				  "\"object\"}}}}");
}

static void members_of_extra_win_and_keep_their_digits(void **state) {
	(void)state;
	struct replay replay = ask("openrouter", "",
			SETTINGS(SET("temperature", "1"), SET("schema", "{}"),
					SET("extra", "{\"stream\" : false, \"temperature\":0.10,"
						     "\"response_format\":null,\"n\":1e400}")));
	assert_body(&replay, "{\"model\":\"acme/model:free\",\"messages\":[{\"role\":\"user\","
			     "\"content\":\"Say \\\"hi\\\"\\n\\u0001\"}],\"stream\":false,"
			     "\"temperature\":0.10,\"response_format\":null,\"n\":1e400}");
}

static void openai_itself_is_told_max_completion_tokens(void **state) {
	(void)state;
	struct replay replay = ask(
			"openai", "https://api.openai.com/v1", SETTINGS(SET("max_tokens", "9")));
	assert_body(&replay, HEAD ",\"stream_options\":{\"include_usage\":true},"
				  "\"max_completion_tokens\":9}");
	replay = ask("openai", "http://127.0.0.1:8080/v1", SETTINGS(SET("max_tokens", "9")));
	assert_body(&replay, HEAD ",\"stream_options\":{\"include_usage\":true},\"max_tokens\":9}");
}

static void a_setting_that_cannot_be_sent_is_refused_with_words(void **state) {
	(void)state;
	static const struct {
		struct conduit_setting setting;
		const char *words;
	} wrong[] = {
			{SET("temperature", "hot"), "temperature is \"hot\", which is no number"},
			{SET("logprobs", "maybe"), "logprobs"},
			{SET("schema", "[]"), "schema"},
			{SET("extra", "{\"a\":}"), "extra"},
			{SET("tools", "none"), "tools"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct replay replay = ask("openrouter", "", SETTINGS(wrong[i].setting));
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
		assert_int_equal(replay.n_requests, 0);
		assert_non_null(strstr(replay.words, wrong[i].words));
		replay_finish(&replay);
	}
}

static struct replay converse(const struct conduit_message *messages, size_t n,
		const struct replay_file *files, size_t n_files, const char *capability) {
	struct conduit_setting system = SET("system", "Be \"brief\".");
	struct conduit_turn turn = {.model = "m",
			.capability = capability,
			.messages = messages,
			.n_messages = n,
			.settings = &system,
			.n_settings = 1};
	struct replay_exchange exchange = {.status = 200,
			.content_type = "text/event-stream",
			.body = answer,
			.size = strlen(answer)};
	struct replay_script script = {.base_url = "",
			.exchanges = &exchange,
			.n_exchanges = 1,
			.files = files,
			.n_files = n_files};
	struct replay replay;
	replay_transform(&replay, load_provider("openrouter"), &script, &turn);
	assert_null(replay.broken);
	return replay;
}

static void a_conversation_is_sent_in_order_after_the_system_setting(void **state) {
	(void)state;
	static const struct replay_file files[] = {{"one", 3}, {"two", 3}, {"three", 5}};
	static const struct conduit_part parts[] = {{0, "text/plain", "", 3},
			{1, "text/plain", "", 3}, {2, "text/plain", "", 5}};
	struct conduit_message messages[] = {{CONDUIT_USER, &parts[0], 1},
			{CONDUIT_ASSISTANT, &parts[1], 1}, {CONDUIT_USER, &parts[2], 1}};
	struct replay replay = converse(messages, 3, files, 3, "text-to-text");
	assert_body(&replay, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
			     "\\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"one\"},{\"role\":"
			     "\"assistant\",\"content\":\"two\"},{\"role\":\"user\",\"content\":"
			     "\"three\"}],\"stream\":true}");
	messages[0].role = CONDUIT_SYSTEM;
	replay = converse(messages, 1, files, 3, "text-to-text");
	assert_body(&replay, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
			     "\"one\"}],\"stream\":true}");
}

static void attachments_follow_the_text_each_in_its_form(void **state) {
	(void)state;
	static const struct replay_file files[] = {
			{"\xff\xd8\xff", 3}, {"what?", 5}, {"RIFF", 4}, {"%PDF-", 5}};
	static const struct conduit_part parts[] = {{0, "image/jpeg", "a.jpg", 3},
			{1, "text/plain", "", 5}, {2, "audio/x-wav", "a.wav", 4},
			{3, "application/pdf", "a \"b\".pdf", 5}};
	struct conduit_message message = {CONDUIT_USER, parts, 4};
	struct replay replay = converse(&message, 1, files, 4, "image-to-text");
	const char *body = replay.requests[0].body;
	assert_non_null(strstr(body,
			"\"content\":[{\"type\":\"text\",\"text\":\"what?\"},"
			"{\"type\":\"image_url\",\"image_url\":{\"url\":"
			"\"data:image/jpeg;base64,/9j/\"}},"
			"{\"type\":\"input_audio\",\"input_audio\":{\"data\":"
			"\"UklGRg==\",\"format\":\"wav\"}},"
			"{\"type\":\"file\",\"file\":{\"filename\":\"a \\\"b\\\".pdf\","
			"\"file_data\":\"data:application/pdf;base64,JVBERi0=\"}}]}"));
	replay_finish(&replay);
}

static void what_no_endpoint_does_is_refused_before_anything_is_sent(void **state) {
	(void)state;
	static const char *const capabilities[] = {
			"text-to-3d", "text-to-ocr", "text-to-moderation"};
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		struct replay replay = converse(NULL, 0, NULL, 0, capabilities[i]);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
		assert_int_equal(replay.n_requests, 0);
		assert_non_null(strstr(replay.words, capabilities[i]));
		replay_finish(&replay);
	}
}

static void a_conversation_beyond_the_recipe_fails_with_words(void **state) {
	(void)state;
	static struct conduit_message messages[3000];
	static const struct conduit_part part = {0, "text/plain", "", 1};
	static const struct replay_file file = {"x", 1};
	for (size_t i = 0; i < 3000; i++) {
		messages[i] = (struct conduit_message){CONDUIT_USER, &part, 1};
	}
	struct replay replay = converse(messages, 3000, &file, 1, "text-to-text");
	assert_true(replay.failed);
	assert_int_equal(replay.n_requests, 0);
	assert_non_null(strstr(replay.words, "too large"));
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_prompt_is_posted_as_a_streamed_chat),
			cmocka_unit_test(
					fallback_models_are_named_where_the_service_asks_them_by_itself),
			cmocka_unit_test(each_setting_has_its_json_type),
			cmocka_unit_test(a_schema_becomes_a_strict_response_format),
			cmocka_unit_test(members_of_extra_win_and_keep_their_digits),
			cmocka_unit_test(openai_itself_is_told_max_completion_tokens),
			cmocka_unit_test(a_setting_that_cannot_be_sent_is_refused_with_words),
			cmocka_unit_test(a_conversation_is_sent_in_order_after_the_system_setting),
			cmocka_unit_test(attachments_follow_the_text_each_in_its_form),
			cmocka_unit_test(what_no_endpoint_does_is_refused_before_anything_is_sent),
			cmocka_unit_test(a_conversation_beyond_the_recipe_fails_with_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
