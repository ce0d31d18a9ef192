/* The services that one driver serves, told apart by their address; and what sets the forms of
 * attachments, of usage and of settings apart. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <conduit/kit/json.h>
#include <conduit/kit/openai.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define SET(setting, text)                                                                         \
	{ .name = setting, .value = text, .size = sizeof(text) - 1 }

static struct replay ask(const char *provider, const char *base_url, const char *model,
		const struct conduit_setting *settings, size_t n, const char *reply) {
	struct simple_turn simple;
	simple_turn_init(&simple, model, "hi");
	simple.turn.settings = settings;
	simple.turn.n_settings = n;
	struct replay_exchange exchange = {.status = 200, .body = reply, .size = strlen(reply)};
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

static const char answer[] =
		"{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}";

static bool sends(const struct replay *replay, const char *member) {
	struct conduit_json *body = conduit_json_parse(
			replay->requests[0].body, replay->requests[0].size);
	bool there = conduit_json_get(body, member) != NULL;
	conduit_json_free(body);
	return there;
}

static void each_service_of_the_driver_is_sent_what_it_takes(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {SET("max_tokens", "9"), SET("seed", "7"),
			SET("top_k", "5"), SET("stop", "END"), SET("frequency_penalty", "1")};
	static const struct {
		const char *base_url;
		const char *members[8]; /* of the five settings; what isn't here isn't sent */
		const char *lacks; /* what the log says of one of them */
	} services[] = {
			{"https://api.openai.com/v1",
					{"max_completion_tokens", "seed", "stop",
							"frequency_penalty"},
					"top_k isn't sent: OpenAI has none"},
			{"https://generativelanguage.googleapis.com/v1beta/openai",
					{"max_tokens", "stop"}, "seed isn't sent: Google has none"},
			{"https://api.cerebras.ai/v1", {"max_completion_tokens", "seed", "stop"},
					"frequency_penalty isn't sent: Cerebras has none"},
			{"https://api.deepseek.com", {"max_tokens", "stop", "frequency_penalty"},
					"seed isn't sent: DeepSeek has none"},
			{"https://api.x.ai/v1",
					{"max_completion_tokens", "seed", "stop",
							"frequency_penalty"},
					"top_k isn't sent: xAI has none"},
			{"https://api.fireworks.ai/inference/v1",
					{"max_tokens", "seed", "top_k", "stop",
							"frequency_penalty"},
					""},
			{"https://api.perplexity.ai", {"max_tokens", "top_k", "frequency_penalty"},
					"stop isn't sent: Perplexity has none"},
			{"http://127.0.0.1:8080/v1",
					{"max_tokens", "seed", "top_k", "stop",
							"frequency_penalty"},
					""},
			/* Somebody else's host that begins like one of them. */
			{"https://api.x.ai.example/v1",
					{"max_tokens", "seed", "top_k", "stop",
							"frequency_penalty"},
					""},
	};
	static const char *const all[] = {"max_tokens", "max_completion_tokens", "seed", "top_k",
			"stop", "frequency_penalty"};
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		struct replay replay = ask(
				"openai", services[i].base_url, "m", settings, 5, answer);
		print_message("%s\n", services[i].base_url);
		for (size_t m = 0; m < sizeof(all) / sizeof(all[0]); m++) {
			bool wanted = false;
			for (const char *const *w = services[i].members; *w != NULL; w++) {
				wanted = wanted || strcmp(*w, all[m]) == 0;
			}
			assert_int_equal(sends(&replay, all[m]), wanted);
		}
		assert_non_null(strstr(buf_string(&replay.log), services[i].lacks));
		replay_finish(&replay);
	}
}

static void a_reasoning_model_behind_a_gateway_is_told_max_completion_tokens(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {SET("max_tokens", "9")};
	static const struct {
		const char *model;
		const char *member;
	} models[] = {{"o3-mini", "max_completion_tokens"},
			{"openai/o4-mini", "max_completion_tokens"},
			{"gpt-5.2", "max_completion_tokens"}, {"gpt-4o", "max_tokens"},
			{"openai/gpt-oss-20b", "max_tokens"}, {"olmo", "max_tokens"},
			{"llama", "max_tokens"}};
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct replay replay = ask("openai", "https://gateway.example/v1", models[i].model,
				settings, 1, answer);
		assert_true(sends(&replay, models[i].member));
		replay_finish(&replay);
	}
}

static void an_id_of_google_loses_its_prefix(void **state) {
	(void)state;
	static const char list[] = "{\"object\":\"list\",\"data\":[{\"id\":\"models/gemini-x\"},"
				   "{\"id\":\"models/gemini-embedding-1\"},{\"id\":\"tuned\"},"
				   "{\"id\":\"models/\"}]}";
	static const char *const ids[] = {"gemini-x", "gemini-embedding-1", "tuned", "models/"};
	struct replay_exchange exchange = {.status = 200, .body = list, .size = strlen(list)};
	struct replay_script script = {
			.base_url = "https://generativelanguage.googleapis.com/v1beta/openai",
			.exchanges = &exchange,
			.n_exchanges = 1};
	struct replay replay;
	replay_discover(&replay, load_provider("openai"), &script);
	assert_int_equal(replay.n_models, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(replay.models[i].id, ids[i]);
		assert_int_equal(replay.models[i].id_size, strlen(ids[i]));
	}
	assert_string_equal(replay.models[1].output_modalities, "embeddings");
	replay_finish(&replay);
}

/* What a turn with this attachment sends; "" when it is refused. */
static struct replay attach(const char *provider, const char *type) {
	static const struct replay_file files[] = {{"what?", 5}, {"\xff\xd8\xff", 3}};
	const struct conduit_part parts[] = {{0, "text/plain", "", 5}, {1, type, "a.b", 3}};
	const struct conduit_message message = {CONDUIT_USER, parts, 2};
	const struct conduit_turn turn = {.model = "m",
			.capability = "text-to-text",
			.messages = &message,
			.n_messages = 1};
	struct replay_exchange exchange = {.status = 500, .body = ""};
	struct replay_script script = {.base_url = "https://x.example",
			.exchanges = &exchange,
			.n_exchanges = 1,
			.files = files,
			.n_files = 2};
	struct replay replay;
	replay_transform(&replay, load_provider(provider), &script, &turn);
	return replay;
}

static const struct {
	const char *provider;
	const char *type;
	const char *sent; /* NULL: refused */
} forms[] = {
		{"openai", "image/png",
				"{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:"
				"image/"
				"png;base64,/9j/\"}}"},
		{"openai", "audio/mpeg",
				"{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"/9j/"
				"\","
				"\"format\":\"mp3\"}}"},
		{"openai", "application/pdf",
				"{\"type\":\"file\",\"file\":{\"filename\":\"a.b\",\"file_"
				"data\":"
				"\"data:application/pdf;base64,/9j/\"}}"},
		{"openrouter", "video/mp4",
				"{\"type\":\"video_url\",\"video_url\":{\"url\":\"data:"
				"video/mp4;"
				"base64,/9j/\"}}"},
		{"openrouter", "application/pdf", "\"file_data\":\"data:application/pdf;base64,"},
		{"mistral", "image/png", "\"image_url\":{\"url\":\"data:image/png;base64,/9j/\"}"},
		{"mistral", "audio/wav", "{\"type\":\"input_audio\",\"input_audio\":\"/9j/\"}"},
		{"mistral", "application/pdf",
				"{\"type\":\"document_url\",\"document_name\":\"a.b\","
				"\"document_url\":\"data:application/pdf;base64,/9j/\"}"},
		{"together", "audio/x-wav",
				"\"input_audio\":{\"data\":\"/9j/\",\"format\":\"wav\"}"},
		{"together", "audio/mpeg",
				"\"audio_url\":{\"url\":\"data:audio/mpeg;base64,/9j/\"}"},
		{"together", "video/mp4", "\"video_url\":{\"url\":\"data:video/mp4;base64,/9j/\"}"},
		{"together", "application/pdf", NULL},
		{"anthropic", "image/png",
				"{\"type\":\"image\",\"source\":{\"type\":\"base64\","
				"\"media_type\":"
				"\"image/png\",\"data\":\"/9j/\"}}"},
		{"anthropic", "application/pdf",
				"{\"type\":\"document\",\"source\":{\"type\":\"base64\","
				"\"media_type\":\"application/pdf\",\"data\":\"/9j/\"}}"},
		{"anthropic", "audio/wav", NULL},
};

static void each_service_gets_attachments_in_its_own_form(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct replay replay = attach(forms[i].provider, forms[i].type);
		print_message("%s %s\n", forms[i].provider, forms[i].type);
		assert_int_equal(replay.n_requests, forms[i].sent != NULL ? 1 : 0);
		if (forms[i].sent != NULL) {
			assert_non_null(strstr(replay.requests[0].body, forms[i].sent));
		} else {
			assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
			assert_non_null(strstr(replay.words, "\"a.b\""));
			assert_non_null(strstr(replay.words, forms[i].type));
		}
		replay_finish(&replay);
	}
}

static void a_cost_is_usd_in_whichever_unit_it_comes(void **state) {
	(void)state;
	static const struct {
		const char *usage;
		double cost;
	} usages[] = {
			{"{\"prompt_tokens\":7,\"cost\":3.4e-7}", 3.4e-7},
			{"{\"prompt_tokens\":7,\"cost\":{\"input_tokens_cost\":0.000007,"
			 "\"request_cost\":0.005,\"total_cost\":0.006}}",
					0.006},
			{"{\"prompt_tokens\":7,\"cost_in_usd_ticks\":127344000}", 0.0127344},
			{"{\"prompt_tokens\":7,\"cost\":-1}", NAN},
			{"{\"prompt_tokens\":7,\"cost\":null}", NAN},
			{"{\"prompt_tokens\":7}", NAN},
	};
	for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
		char reply[512];
		snprintf(reply, sizeof(reply),
				"{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
				"\"stop\"}],\"usage\":%s}",
				usages[i].usage);
		struct replay replay = ask("openai", "https://x.example", "m", NULL, 0, reply);
		assert_int_equal(replay.usage.prompt_tokens, 7);
		assert_int_equal(isnan(replay.usage.cost), isnan(usages[i].cost));
		assert_true(isnan(usages[i].cost) ||
				fabs(replay.usage.cost - usages[i].cost) < 1e-12);
		replay_finish(&replay);
	}
}

static void together_is_told_a_number_of_probabilities(void **state) {
	(void)state;
	static const struct conduit_setting settings[] = {
			SET("logprobs", "yes"), SET("top_logprobs", "3")};
	static const struct conduit_setting no[] = {
			SET("logprobs", "no"), SET("top_logprobs", "3")};
	struct replay replay = ask("together", "", "m", settings, 1, answer);
	assert_non_null(strstr(replay.requests[0].body, "\"logprobs\":1"));
	replay_finish(&replay);
	replay = ask("together", "", "m", settings, 2, answer);
	assert_non_null(strstr(replay.requests[0].body, "\"logprobs\":3"));
	assert_false(sends(&replay, "top_logprobs"));
	replay_finish(&replay);
	replay = ask("together", "", "m", no, 2, answer);
	assert_false(sends(&replay, "logprobs"));
	replay_finish(&replay);
}

static void anthropic_is_asked_for_text_alone(void **state) {
	(void)state;
	static const char *const capabilities[] = {
			"text-to-embedding", "text-to-rerank", "text-to-image"};
	for (size_t i = 0; i < 3; i++) {
		struct simple_turn simple;
		simple_turn_init(&simple, "m", "hi");
		simple.turn.capability = capabilities[i];
		struct replay_script script = {.files = &simple.file, .n_files = 1};
		struct replay replay;
		replay_transform(&replay, load_provider("anthropic"), &script, &simple.turn);
		assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
		assert_int_equal(replay.n_requests, 0);
		replay_finish(&replay);
	}
}

/* An object that was built when the struct ended with `model`: what follows isn't its dialect's. */
static const struct {
	_Alignas(struct conduit_openai) char dialect[offsetof(struct conduit_openai, parts)];
	unsigned char beyond[64];
} older = {.beyond = {2, 0xff, 0xff, 0xff, 0xff, 0xff}};

static void older_transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform_by(job, turn, (const struct conduit_openai *)(const void *)&older,
			sizeof(older.dialect));
}

static void a_dialect_that_is_shorter_is_read_as_far_as_it_goes(void **state) {
	(void)state;
	static const struct conduit_provider provider = {
			.transform = older_transform, CONDUIT_OPENAI_CALLBACKS};
	static const struct conduit_setting settings[] = {SET("logprobs", "yes")};
	struct simple_turn simple;
	simple_turn_init(&simple, "m", "hi");
	simple.turn.settings = settings;
	simple.turn.n_settings = 1;
	struct replay_exchange exchange = {.status = 200, .body = answer, .size = strlen(answer)};
	struct replay_script script = {.exchanges = &exchange,
			.n_exchanges = 1,
			.files = &simple.file,
			.n_files = 1};
	struct replay replay;
	replay_transform(&replay, &provider, &script, &simple.turn);
	assert_true(replay.finished);
	assert_non_null(strstr(replay.requests[0].body, "\"logprobs\":true"));
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_service_of_the_driver_is_sent_what_it_takes),
			cmocka_unit_test(
					a_reasoning_model_behind_a_gateway_is_told_max_completion_tokens),
			cmocka_unit_test(an_id_of_google_loses_its_prefix),
			cmocka_unit_test(each_service_gets_attachments_in_its_own_form),
			cmocka_unit_test(a_cost_is_usd_in_whichever_unit_it_comes),
			cmocka_unit_test(together_is_told_a_number_of_probabilities),
			cmocka_unit_test(anthropic_is_asked_for_text_alone),
			cmocka_unit_test(a_dialect_that_is_shorter_is_read_as_far_as_it_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
