/* Anthropic's messages API: what a turn becomes. */
#include "tests/unit/provider/support.h"

#include <conduit/kit/json.h>
#include <string.h>

static const char answer[] =
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"type\":"
		"\"message\",\"model\":\"claude\",\"content\":[],\"usage\":{\"input_tokens\":1}}}"
		"\n\n"
		"event: message_delta\ndata: "
		"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
		"\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n"
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

static struct replay converse(const struct conduit_message *messages, size_t n_messages,
		const struct conduit_setting *settings, size_t n_settings,
		const struct replay_file *files, size_t n_files) {
	struct conduit_turn turn = {.model = "claude",
			.capability = "text-to-text",
			.messages = messages,
			.n_messages = n_messages,
			.settings = settings,
			.n_settings = n_settings};
	struct replay_exchange exchange = {.status = 200,
			.content_type = "text/event-stream",
			.body = answer,
			.size = strlen(answer)};
	struct replay_script script = {.base_url = "https://acme.example",
			.exchanges = &exchange,
			.n_exchanges = 1,
			.files = files,
			.n_files = n_files};
	struct replay replay;
	replay_transform(&replay, load_provider("anthropic"), &script, &turn);
	assert_null(replay.broken);
	return replay;
}

static struct replay ask(const struct conduit_setting *settings, size_t n) {
	static const struct conduit_part part = {0, "text/plain", "", 2};
	static const struct conduit_message message = {CONDUIT_USER, &part, 1};
	static const struct replay_file file = {"hi", 2};
	return converse(&message, 1, settings, n, &file, 1);
}

#define SET(setting, text)                                                                         \
	{ .name = setting, .value = text, .size = sizeof(text) - 1 }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HI "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]"

static void assert_body(struct replay *replay, const char *expected) {
	if (!replay->finished) {
		fail_msg("%s", replay->words);
	}
	assert_string_equal(replay->requests[0].body, expected);
	struct conduit_json *json = conduit_json_parse(
			replay->requests[0].body, replay->requests[0].size);
	/* What the API's own document calls required. */
	assert_int_equal(conduit_json_type(json, "model"), CONDUIT_JSON_STRING);
	assert_int_equal(conduit_json_type(json, "messages.0.role"), CONDUIT_JSON_STRING);
	assert_int_equal(conduit_json_type(json, "max_tokens"), CONDUIT_JSON_NUMBER);
	conduit_json_free(json);
	replay_finish(replay);
}

static void max_tokens_is_always_sent(void **state) {
	(void)state;
	struct replay replay = ask(NULL, 0);
	assert_string_equal(replay.requests[0].url, "https://acme.example/v1/messages");
	assert_string_equal(replay.requests[0].method, "POST");
	assert_null(strstr(replay.requests[0].headers, "api-key"));
	assert_body(&replay, "{\"model\":\"claude\",\"max_tokens\":4096," HI ",\"stream\":true}");
}

static void each_setting_becomes_the_member_that_the_api_has(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {SET("max_tokens", "9\n"),
			SET("temperature", "0.50"), SET("top_p", "1"), SET("top_k", "3"),
			SET("stop", "A\nB"), SET("reasoning_effort", "low\n"),
			SET("schema", "{\"type\":\"object\"}"), SET("system", "Be \"brief\".")};
	struct replay replay = ask(settings, COUNT(settings));
	assert_body(&replay, "{\"model\":\"claude\",\"max_tokens\":9,\"system\":\"Be "
			     "\\\"brief\\\".\"," HI ",\"stream\":true,\"temperature\":0.50,"
			     "\"top_p\":1,\"top_k\":3,\"stop_sequences\":[\"A\",\"B\"],"
			     "\"output_config\":{\"effort\":\"low\",\"format\":{\"type\":\"json_"
			     "schema\",\"schema\":{\"type\":\"object\"}}}}");
}

static void a_setting_that_the_api_has_not_is_left_out_and_told(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {
			SET("max_tokens", "9"), SET("seed", "7"), SET("min_p", "")};
	struct replay replay = ask(settings, COUNT(settings));
	assert_non_null(strstr(buf_string(&replay.log), "seed isn't sent: Anthropic has none"));
	assert_null(strstr(buf_string(&replay.log), "min_p"));
	assert_body(&replay, "{\"model\":\"claude\",\"max_tokens\":9," HI ",\"stream\":true}");
}

static void members_of_extra_win(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {SET("max_tokens", "9"),
			SET("tools", "[]"), SET("tool_choice", "auto"), SET("schema", "{}"),
			SET("extra", "{\"tools\":[{\"type\":\"web_search_20250305\"}],"
				     "\"max_tokens\":10,\"tool_choice\":{\"type\":\"none\"},"
				     "\"output_config\":{},\"thinking\":{\"type\":\"adaptive\"}}")};
	struct replay replay = ask(settings, COUNT(settings));
	assert_body(&replay, "{\"model\":\"claude\"," HI ",\"stream\":true,\"tools\":[{\"type\":"
			     "\"web_search_20250305\"}],\"max_tokens\":10,\"tool_choice\":{"
			     "\"type\":\"none\"},\"output_config\":{},\"thinking\":{\"type\":"
			     "\"adaptive\"}}");
}

static void tools_and_their_choice_are_taken_in_either_shape(void **state) {
	(void)state;
	static const char *const choices[][2] = {{"auto", "{\"type\":\"auto\"}"},
			{"\"none\"", "{\"type\":\"none\"}"}, {"required", "{\"type\":\"any\"}"},
			{"any\n", "{\"type\":\"any\"}"},
			{"{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
					"{\"type\":\"tool\",\"name\":\"f\"}"},
			{"{\"type\":\"tool\",\"name\":\"g\"}",
					"{\"type\":\"tool\",\"name\":\"g\"}"}};
	for (size_t i = 0; i < COUNT(choices); i++) {
		struct conduit_setting settings[] = {SET("max_tokens", "9"),
				SET("tools", "[{\"name\":\"g\",\"input_schema\":{}},{\"type\":"
					     "\"function\",\"function\":{\"name\":\"f\"}}]"),
				{.name = "tool_choice",
						.value = choices[i][0],
						.size = strlen(choices[i][0])}};
		struct replay replay = ask(settings, COUNT(settings));
		char expected[512];
		snprintf(expected, sizeof(expected),
				"{\"model\":\"claude\",\"max_tokens\":9,%s,\"stream\":true,"
				"\"tools\":[{\"name\":\"g\",\"input_schema\":{}},{\"name\":\"f\","
				"\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":%s}",
				HI, choices[i][1]);
		assert_body(&replay, expected);
	}
}

static void a_setting_that_cannot_be_sent_is_refused_with_words(void **state) {
	(void)state;
	static const struct conduit_setting wrong[] = {SET("temperature", "hot"),
			SET("tools", "{}"), SET("tool_choice", "[1]"), SET("schema", "[]"),
			SET("extra", "7"), SET("max_tokens", "many")};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct replay replay = ask(&wrong[i], 1);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
		assert_int_equal(replay.n_requests, 0);
		assert_non_null(strstr(replay.words, wrong[i].name));
		replay_finish(&replay);
	}
}

static void a_conversation_keeps_its_instructions_beside_it(void **state) {
	(void)state;
	static const struct replay_file files[] = {{"one", 3}, {"two", 3}, {"", 0}, {"four", 4}};
	static const struct conduit_part parts[] = {{0, "text/plain", "", 3},
			{1, "text/plain", "", 3}, {2, "text/plain", "", 0},
			{3, "text/plain", "", 4}};
	/* The third is an answer that was empty: the API refuses empty texts. */
	static const struct conduit_message messages[] = {{CONDUIT_SYSTEM, &parts[0], 1},
			{CONDUIT_USER, &parts[1], 1}, {CONDUIT_ASSISTANT, &parts[2], 1},
			{CONDUIT_USER, &parts[3], 1}};
	static const struct conduit_setting system = SET("system", "not this");
	struct replay replay = converse(messages, 4, &system, 1, files, 4);
	assert_body(&replay, "{\"model\":\"claude\",\"max_tokens\":4096,\"system\":[{\"type\":"
			     "\"text\",\"text\":\"one\"}],\"messages\":[{\"role\":\"user\","
			     "\"content\":[{\"type\":\"text\",\"text\":\"two\"}]},{\"role\":"
			     "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"four\"}]}],"
			     "\"stream\":true}");
}

static void images_and_documents_are_sent_before_the_text_about_them(void **state) {
	(void)state;
	static const struct replay_file files[] = {{"what?", 5}, {"\xff\xd8\xff", 3}, {"%PDF-", 5}};
	static const struct conduit_part parts[] = {{0, "text/plain", "", 5},
			{1, "image/jpeg", "a.jpg", 3}, {2, "application/pdf", "a.pdf", 5}};
	static const struct conduit_message message = {CONDUIT_USER, parts, 3};
	struct replay replay = converse(&message, 1, NULL, 0, files, 3);
	assert_body(&replay,
			"{\"model\":\"claude\",\"max_tokens\":4096,\"messages\":[{\"role\":"
			"\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":"
			"\"base64\",\"media_type\":\"image/jpeg\",\"data\":\"/9j/\"}},{\"type\":"
			"\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
			"\"application/pdf\",\"data\":\"JVBERi0=\"}},{\"type\":\"text\",\"text\":"
			"\"what?\"}]}],\"stream\":true}");
}

static void an_attachment_that_the_api_does_not_take_is_refused_by_name(void **state) {
	(void)state;
	static const struct replay_file file = {"RIFF", 4};
	static const struct conduit_part part = {0, "audio/wav", "moo.wav", 4};
	static const struct conduit_message message = {CONDUIT_USER, &part, 1};
	struct replay replay = converse(&message, 1, NULL, 0, &file, 1);
	assert_true(replay.failed);
	assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
	assert_int_equal(replay.n_requests, 0);
	assert_non_null(strstr(replay.words, "\"moo.wav\" is audio/wav"));
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(max_tokens_is_always_sent),
			cmocka_unit_test(each_setting_becomes_the_member_that_the_api_has),
			cmocka_unit_test(a_setting_that_the_api_has_not_is_left_out_and_told),
			cmocka_unit_test(members_of_extra_win),
			cmocka_unit_test(tools_and_their_choice_are_taken_in_either_shape),
			cmocka_unit_test(a_setting_that_cannot_be_sent_is_refused_with_words),
			cmocka_unit_test(a_conversation_keeps_its_instructions_beside_it),
			cmocka_unit_test(images_and_documents_are_sent_before_the_text_about_them),
			cmocka_unit_test(
					an_attachment_that_the_api_does_not_take_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
