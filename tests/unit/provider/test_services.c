/* What sets the services that speak OpenAI's dialect apart: how they list models, what they call
 * things, what they have not. */
#include "tests/unit/provider/support.h"

#include <math.h>
#include <string.h>

static struct replay listed(const char *provider, const char *body) {
	struct replay_exchange exchange = {.status = 200,
			.content_type = "application/json",
			.body = body,
			.size = strlen(body)};
	struct replay replay = replay_models(load_provider(provider), &exchange, REPLAY_BYTES, 0);
	assert_null(replay.broken);
	assert_true(replay.finished);
	return replay;
}

/* The one model that a list of one entry gives. */
static struct replay one_of(const char *provider, const char *entry) {
	char body[2048];
	snprintf(body, sizeof(body), "{\"object\":\"list\",\"data\":[%s]}", entry);
	struct replay replay = listed(provider, body);
	assert_int_equal(replay.n_models, 1);
	return replay;
}

static bool same_price(double one, double other) {
	return isnan(one) ? isnan(other) : fabs(one - other) < 1e-15;
}

static void assert_same_text(const char *one, const char *other) {
	assert_string_equal(one != NULL ? one : "unknown", other != NULL ? other : "unknown");
}

static void what_a_model_takes_besides_text_is_told_by_a_known_name_or_unknown(void **state) {
	(void)state;
	static const char *const models[][3] = {{"openai", "gpt-4o-mini", "text,image,file"},
			{"openai", "gpt-3.5-turbo", NULL}, {"openai", "gpt-4o-transcribe", "audio"},
			{"together", "Qwen/Qwen2.5-VL-72B", "text,image"},
			{"together", "meta/Llama-3", NULL},
			{"groq", "meta/llama-4-scout", "text,image"},
			{"openai", "models/gemini-x", "text,image,audio"}};
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		char entry[128];
		snprintf(entry, sizeof(entry), "{\"id\":\"%s\",\"type\":\"chat\"}", models[i][1]);
		struct replay replay = one_of(models[i][0], entry);
		assert_same_text(replay.models[0].input_modalities, models[i][2]);
		replay_finish(&replay);
	}
}

static void a_type_of_together_says_what_comes_out(void **state) {
	(void)state;
	static const char *const types[][3] = {{"chat", NULL, "text"}, {"code", NULL, "text"},
			{"language", NULL, "text"}, {"image", "text", "image"},
			{"embedding", "text", "embeddings"}, {"moderation", "text", "moderation"},
			{"rerank", "text", "rerank"}, {"audio", "text", "speech"},
			{"video", "text", "video"}, {"transcribe", "audio", "transcription"},
			{"of-the-future", NULL, "text"}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char entry[128];
		snprintf(entry, sizeof(entry), "{\"id\":\"a/b\",\"type\":\"%s\"}", types[i][0]);
		struct replay replay = one_of("together", entry);
		assert_same_text(replay.models[0].input_modalities, types[i][1]);
		assert_string_equal(replay.models[0].output_modalities, types[i][2]);
		replay_finish(&replay);
	}
}

static void a_price_of_together_is_stated_where_it_counts_tokens(void **state) {
	(void)state;
	static const struct {
		const char *type;
		const char *pricing;
		double prompt;
		double completion;
	} prices[] = {
			{"chat", "{\"hourly\":0,\"input\":0.88,\"output\":1.5}", 0.88e-6, 1.5e-6},
			{"embedding", "{\"input\":0.02,\"output\":0}", 0.02e-6, 0},
			/* 0 stands for models that cost money as well. */
			{"chat", "{\"hourly\":0,\"input\":0,\"output\":0}", NAN, NAN},
			{"chat", "{\"hourly\":2.5,\"input\":1,\"output\":1}", NAN, NAN},
			{"chat", "{\"input\":-1,\"output\":2}", NAN, NAN},
			{"chat", "{\"input\":\"1\",\"output\":2}", NAN, NAN},
			{"chat", "null", NAN, NAN},
			{"audio", "{\"input\":65,\"output\":0}", NAN, NAN},
			{"image", "{\"input\":0,\"output\":0}", NAN, NAN},
	};
	for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
		char entry[256];
		snprintf(entry, sizeof(entry), "{\"id\":\"a/b\",\"type\":\"%s\",\"pricing\":%s}",
				prices[i].type, prices[i].pricing);
		struct replay replay = one_of("together", entry);
		const struct replay_model *model = &replay.models[0];
		assert_true(same_price(replay_price(model, "prompt"), prices[i].prompt));
		assert_true(same_price(replay_price(model, "completion"), prices[i].completion));
		assert_false(replay_is_free(model));
		replay_finish(&replay);
	}
}

static void the_capabilities_of_mistral_say_what_comes_out(void **state) {
	(void)state;
	static const char *const models[][3] = {{"\"completion_chat\":true", "text", "text"},
			{"\"completion_chat\":true,\"vision\":true", "text,image", "text"},
			{"\"completion_chat\":true,\"vision\":true,\"audio\":true",
					"text,image,audio", "text"},
			{"\"completion_chat\":true,\"ocr\":true", "text", "text"},
			{"\"vision\":true,\"ocr\":true", "image,file", "ocr"},
			{"\"audio\":true,\"audio_transcription\":true", "audio", "transcription"},
			{"\"audio_speech\":true", "text", "speech"},
			{"\"moderation\":true", "text", "moderation"},
			{"\"completion_fim\":true", "text", "infill"}};
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		char entry[256];
		snprintf(entry, sizeof(entry),
				"{\"id\":\"m\",\"max_context_length\":9,\"capabilities\":{%s}}",
				models[i][0]);
		struct replay replay = one_of("mistral", entry);
		assert_string_equal(replay.models[0].input_modalities, models[i][1]);
		assert_string_equal(replay.models[0].output_modalities, models[i][2]);
		assert_int_equal(replay.models[0].context_length, 9);
		replay_finish(&replay);
	}
	struct replay replay = one_of("mistral", "{\"id\":\"mistral-embed\"}");
	assert_string_equal(replay.models[0].output_modalities, "embeddings");
	replay_finish(&replay);
}

#define LIVE(more) "{\"provider\":\"x\",\"status\":\"live\"" more "}"
#define PRICE(input, output) ",\"pricing\":{\"input\":" input ",\"output\":" output "}"

static void a_price_of_hugging_face_holds_whichever_provider_answers(void **state) {
	(void)state;
	static const struct {
		const char *providers;
		double prompt;
		double completion;
		bool is_free;
	} offers[] = {
			{LIVE(PRICE("1", "4")), 1e-6, 4e-6, false},
			{LIVE(PRICE("1", "4")) "," LIVE(PRICE("3", "2")), 3e-6, 4e-6, false},
			{LIVE(PRICE("1", "4")) ",{\"status\":\"error\"" PRICE("9", "9") "}", 1e-6,
					4e-6, false},
			{LIVE(PRICE("1", "4")) "," LIVE(""), NAN, NAN, false},
			{LIVE(PRICE("0", "0") ",\"is_free\":false"), NAN, NAN, false},
			{LIVE(PRICE("0", "0") ",\"is_free\":true"), 0, 0, true},
			{LIVE(",\"is_free\":true"), 0, 0, true},
			{LIVE(",\"is_free\":true") "," LIVE(PRICE("1", "1")), 1e-6, 1e-6, false},
			{LIVE(PRICE("-1", "4")), NAN, NAN, false},
	};
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		char entry[512];
		snprintf(entry, sizeof(entry), "{\"id\":\"a/b\",\"providers\":[%s]}",
				offers[i].providers);
		struct replay replay = one_of("huggingface", entry);
		const struct replay_model *model = &replay.models[0];
		assert_true(same_price(replay_price(model, "prompt"), offers[i].prompt));
		assert_true(same_price(replay_price(model, "completion"), offers[i].completion));
		assert_int_equal(replay_is_free(model), offers[i].is_free);
		replay_finish(&replay);
	}
}

static void the_context_of_hugging_face_is_the_longest_of_the_live_ones(void **state) {
	(void)state;
	struct replay replay = listed("huggingface",
			"{\"data\":[{\"id\":\"a\",\"architecture\":{\"input_modalities\":[\"text\","
			"\"image\"],\"output_modalities\":[\"text\"]},\"providers\":["
			"{\"status\":\"live\",\"context_length\":8},{\"status\":\"live\"},"
			"{\"status\":\"staging\",\"context_length\":99},"
			"{\"status\":\"live\",\"context_length\":16}]},"
			"{\"id\":\"nobody\",\"providers\":[]},{\"id\":\"unsaid\"}]}");
	assert_int_equal(replay.n_models, 2);
	assert_string_equal(replay.models[0].id, "a");
	assert_int_equal(replay.models[0].context_length, 16);
	assert_string_equal(replay.models[0].input_modalities, "text,image");
	assert_string_equal(replay.models[1].id, "unsaid");
	assert_int_equal(replay.models[1].n_prices, 0);
	replay_finish(&replay);
}

static void groq_tells_how_long_context_and_answer_may_be(void **state) {
	(void)state;
	struct replay replay = one_of("groq",
			"{\"id\":\"a\",\"active\":true,\"context_window\":131072,"
			"\"max_completion_tokens\":65536}");
	assert_int_equal(replay.models[0].context_length, 131072);
	assert_int_equal(replay.models[0].max_output, 65536);
	replay_finish(&replay);
}

static struct replay ask(const char *provider, const char *capability,
		const struct conduit_setting *settings, size_t n) {
	static const char body[] =
			"{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
			"\"stop\"}]}";
	struct simple_turn simple;
	simple_turn_init(&simple, "m", "hi");
	simple.turn.capability = capability;
	simple.turn.settings = settings;
	simple.turn.n_settings = n;
	struct replay_exchange exchange = {.status = 200, .body = body, .size = strlen(body)};
	struct replay_script script = {.exchanges = &exchange,
			.n_exchanges = 1,
			.files = &simple.file,
			.n_files = 1};
	struct replay replay;
	replay_transform(&replay, load_provider(provider), &script, &simple.turn);
	assert_null(replay.broken);
	return replay;
}

#define SET(setting, text)                                                                         \
	{ .name = setting, .value = text, .size = sizeof(text) - 1 }

/* Every setting that a config/ may have. */
static const struct conduit_setting every[] = {SET("temperature", "0.5"), SET("top_p", "1"),
		SET("top_k", "5"), SET("min_p", "0.1"), SET("top_a", "0.1"),
		SET("frequency_penalty", "1"), SET("presence_penalty", "1"),
		SET("repetition_penalty", "1"), SET("seed", "7"), SET("max_tokens", "9"),
		SET("stop", "END"), SET("logit_bias", "{}"), SET("logprobs", "yes"),
		SET("top_logprobs", "2"), SET("reasoning_effort", "low"), SET("reasoning", "{}"),
		SET("include_reasoning", "yes"), SET("verbosity", "low"), SET("tools", "[]"),
		SET("tool_choice", "auto"), SET("parallel_tool_calls", "no"),
		SET("web_search_options", "{}"), SET("prediction", "{}")};
#define N_EVERY (sizeof(every) / sizeof(every[0]))

#define ASKED                                                                                      \
	"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true"

static void mistral_is_sent_only_what_its_document_has(void **state) {
	(void)state;
	struct replay replay = ask("mistral", "text-to-text", every, N_EVERY);
	assert_true(replay.finished);
	assert_string_equal(replay.requests[0].body,
			ASKED ",\"temperature\":0.5,\"top_p\":1,\"frequency_penalty\":1,"
			      "\"presence_penalty\":1,\"random_seed\":7,\"max_tokens\":9,\"stop\":["
			      "\"END\"],\"reasoning_effort\":\"low\",\"tools\":[],\"tool_choice\":"
			      "\"auto\",\"parallel_tool_calls\":false,\"prediction\":{}}");
	assert_non_null(strstr(replay.log.data, "top_k isn't sent: Mistral AI has none"));
	replay_finish(&replay);
}

static void a_service_without_exceptions_is_sent_every_setting(void **state) {
	(void)state;
	struct replay replay = ask("openrouter", "text-to-text", every, N_EVERY);
	assert_true(replay.finished);
	for (size_t i = 0; i < N_EVERY; i++) {
		char member[64];
		snprintf(member, sizeof(member), "\"%s\":", every[i].name);
		assert_non_null(strstr(replay.requests[0].body, member));
	}
	assert_int_equal(replay.log.size, 0);
	replay_finish(&replay);
}

static void a_schema_wins_over_a_response_format(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {
			SET("response_format", "{\"type\":\"json_object\"}"), SET("schema", "{}"),
			SET("structured_outputs", "no")};
	struct replay replay = ask("openrouter", "text-to-text", settings, 1);
	assert_string_equal(replay.requests[0].body,
			ASKED ",\"response_format\":{\"type\":\"json_object\"}}");
	replay_finish(&replay);
	replay = ask("openrouter", "text-to-text", settings, 3);
	assert_string_equal(replay.requests[0].body,
			ASKED ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
			      "\"name\":\"output\",\"strict\":false,\"schema\":{}}}}");
	replay_finish(&replay);
}

static void what_no_endpoint_does_is_refused_before_anything_is_sent(void **state) {
	(void)state;
	static const char *const names[] = {"together", "openrouter", "huggingface", "groq"};
	static const char *const capabilities[] = {
			"text-to-3d", "text-to-ocr", "text-to-moderation"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t j = 0; j < sizeof(capabilities) / sizeof(capabilities[0]); j++) {
			struct replay replay = ask(names[i], capabilities[j], NULL, 0);
			assert_true(replay.failed);
			assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
			assert_int_equal(replay.n_requests, 0);
			assert_non_null(strstr(replay.words, capabilities[j]));
			replay_finish(&replay);
		}
	}
}

static void an_image_that_is_attached_goes_along(void **state) {
	(void)state;
	static const char *const names[] = {"anthropic", "groq", "huggingface", "mistral", "openai",
			"openrouter", "together"};
	static const struct replay_file files[] = {{"what?", 5}, {"\xff\xd8\xff", 3}};
	static const struct conduit_part parts[] = {
			{0, "text/plain", "", 5}, {1, "image/jpeg", "a.jpg", 3}};
	static const struct conduit_message message = {CONDUIT_USER, parts, 2};
	static const struct conduit_turn turn = {.model = "m",
			.capability = "image-to-text",
			.messages = &message,
			.n_messages = 1};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct replay_exchange exchange = {.status = 500, .body = "", .size = 0};
		struct replay_script script = {.exchanges = &exchange,
				.n_exchanges = 1,
				.files = files,
				.n_files = 2};
		struct replay replay;
		replay_transform(&replay, load_provider(names[i]), &script, &turn);
		assert_int_equal(replay.n_requests, 1);
		assert_non_null(strstr(replay.requests[0].body, "/9j/"));
		replay_finish(&replay);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(
					what_a_model_takes_besides_text_is_told_by_a_known_name_or_unknown),
			cmocka_unit_test(a_type_of_together_says_what_comes_out),
			cmocka_unit_test(a_price_of_together_is_stated_where_it_counts_tokens),
			cmocka_unit_test(the_capabilities_of_mistral_say_what_comes_out),
			cmocka_unit_test(a_price_of_hugging_face_holds_whichever_provider_answers),
			cmocka_unit_test(
					the_context_of_hugging_face_is_the_longest_of_the_live_ones),
			cmocka_unit_test(groq_tells_how_long_context_and_answer_may_be),
			cmocka_unit_test(mistral_is_sent_only_what_its_document_has),
			cmocka_unit_test(a_service_without_exceptions_is_sent_every_setting),
			cmocka_unit_test(a_schema_wins_over_a_response_format),
			cmocka_unit_test(what_no_endpoint_does_is_refused_before_anything_is_sent),
			cmocka_unit_test(an_image_that_is_attached_goes_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
