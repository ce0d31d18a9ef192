/* Lists of models: what a model's entry gives, pages, and lists made to do harm. */
#include "tests/unit/provider/support.h"

#include <math.h>
#include <string.h>

static struct replay listed(const char *provider, const char *body) {
	struct replay_exchange exchange = {.status = 200,
			.content_type = "application/json",
			.body = body,
			.size = strlen(body)};
	struct replay whole = replay_models(load_provider(provider), &exchange, REPLAY_WHOLE, 0);
	struct replay bytes = replay_models(load_provider(provider), &exchange, REPLAY_BYTES, 0);
	assert_same_replay(&whole, &bytes);
	replay_finish(&bytes);
	assert_null(whole.broken);
	return whole;
}

static const char entry[] =
		"{\"id\":\"acme/one:free\",\"name\":\"Acme: One\",\"created\":1786722910,"
		"\"description\":\"First.\",\"context_length\":262144,\"architecture\":{"
		"\"input_modalities\":[\"text\",\"image\"],\"output_modalities\":[\"text\"]},"
		"\"pricing\":{\"prompt\":\"0.00000045\",\"completion\":\"3.2e-6\",\"request\":0,"
		"\"web_search\":\"-1\",\"image\":\"-2\",\"audio\":\"1e308\",\"video\":\"free\","
		"\"overrides\":[{\"prompt\":\"1\"},{\"min_prompt_tokens\":128000,"
		"\"completion\":0.5,\"audio\":3},{\"prompt\":\"-1\"},7]},\"top_provider\":{"
		"\"context_length\":1,"
		"\"max_completion_tokens\":131072},\"supported_parameters\":[\"seed\",\"top_p\"],"
		"\"future\":{\"key\":[1]}}";

static void an_entry_gives_every_fact_it_states(void **state) {
	(void)state;
	cleanup_buf struct buf list = {0};
	buf_add_format(&list, "{\"data\":[%s],\"total_count\":1,\"links\":{\"next\":null}}", entry);
	struct replay replay = listed("openrouter", list.data);
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 1);
	assert_string_equal(replay.requests[0].method, "GET");
	assert_string_equal(replay.requests[0].url,
			"https://acme.example/v1/models?output_modalities=all");
	const struct replay_model *model = &replay.models[0];
	assert_string_equal(model->id, "acme/one:free");
	assert_string_equal(model->name, "Acme: One");
	assert_string_equal(model->description, "First.");
	assert_int_equal(model->created, 1786722910);
	assert_int_equal(model->context_length, 262144);
	assert_int_equal(model->max_output, 131072);
	assert_string_equal(model->input_modalities, "text,image");
	assert_string_equal(model->output_modalities, "text");
	assert_string_equal(model->parameters, "seed,top_p");
	assert_string_equal(model->raw, entry);
	replay_finish(&replay);
}

static void a_price_that_is_none_counts_as_unstated(void **state) {
	(void)state;
	cleanup_buf struct buf list = {0};
	buf_add_format(&list, "{\"data\":[%s]}", entry);
	struct replay replay = listed("openrouter", list.data);
	const struct replay_model *model = &replay.models[0];
	assert_int_equal(model->n_prices, 6);
	assert_true(fabs(replay_price(model, "prompt") - 0.00000045) < 1e-15);
	assert_true(fabs(replay_price(model, "completion") - 0.0000032) < 1e-15);
	assert_true(fpclassify(replay_price(model, "request")) == FP_ZERO);
	assert_true(fabs(replay_price(model, "web_search") + 1) < 1e-15);
	/* Of longer prompts, and of what isn't told. */
	assert_true(fabs(replay_price(model, "completion@128000") - 0.5) < 1e-15);
	assert_true(fabs(replay_price(model, "prompt@0") - 1) < 1e-15);
	replay_finish(&replay);
	replay = listed("openai", list.data);
	assert_int_equal(replay.models[0].n_prices, 0);
	replay_finish(&replay);
}

static void an_entry_without_facts_is_a_model_all_the_same(void **state) {
	(void)state;
	struct replay replay = listed("openrouter",
			"{\"data\":[{\"id\":\"bare\"},{\"id\":\"odd\",\"name\":7,\"created\":\"x\","
			"\"context_length\":-5,\"pricing\":\"free\",\"architecture\":null,"
			"\"supported_parameters\":{},\"top_provider\":{\"context_length\":9}}]}");
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_null(replay.models[i].name);
		assert_int_equal(replay.models[i].created, 0);
		assert_int_equal(replay.models[i].n_prices, 0);
		assert_null(replay.models[i].parameters);
	}
	assert_int_equal(replay.models[1].context_length, 9);
	replay_finish(&replay);
}

static void the_lists_of_local_servers_are_read(void **state) {
	(void)state;
	/* llama.cpp lists its models twice, vLLM and LM Studio once. */
	struct replay replay = listed("openai",
			"{\"models\":[{\"name\":\"x.gguf\",\"model\":\"x.gguf\"}],\"object\":"
			"\"list\","
			"\"data\":[{\"id\":\"x.gguf\",\"object\":\"model\",\"created\":1786722910,"
			"\"owned_by\":\"llamacpp\",\"meta\":{\"vocab_type\":1,\"n_ctx_train\":"
			"32768}},"
			"{\"id\":\"vllm\",\"max_model_len\":4096,\"permission\":[{}]}]}");
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 2);
	assert_int_equal(replay.models[0].context_length, 32768);
	assert_string_equal(replay.models[0].output_modalities, "text");
	assert_int_equal(replay.models[1].context_length, 4096);
	replay_finish(&replay);
}

static void well_known_names_tell_what_a_model_makes(void **state) {
	(void)state;
	static const char *const kinds[][2] = {{"gpt-4o-mini", "text"},
			{"text-embedding-3-small", "embeddings"}, {"whisper-1", "transcription"},
			{"gpt-4o-transcribe", "transcription"}, {"tts-1-hd", "speech"},
			{"gpt-4o-mini-tts", "speech"}, {"dall-e-3", "image"},
			{"gpt-image-1", "image"}, {"sora-2", "video"},
			{"omni-moderation-latest", "moderation"}, {"gpt-audio", "text,audio"},
			{"nomic-embed-text", "embeddings"}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char body[128];
		snprintf(body, sizeof(body), "[{\"id\":\"%s\"}]", kinds[i][0]);
		struct replay replay = listed("openai", body);
		assert_int_equal(replay.n_models, 1);
		assert_string_equal(replay.models[0].output_modalities, kinds[i][1]);
		replay_finish(&replay);
	}
}

static struct replay pages(const char *const *bodies, size_t n) {
	struct replay_exchange exchanges[8] = {0};
	for (size_t i = 0; i < n; i++) {
		exchanges[i] = (struct replay_exchange){
				.status = 200, .body = bodies[i], .size = strlen(bodies[i])};
	}
	struct replay_script script = {.base_url = "https://acme.example/api/v1",
			.exchanges = exchanges,
			.n_exchanges = n};
	struct replay replay;
	replay_discover(&replay, load_provider("openrouter"), &script);
	assert_null(replay.broken);
	return replay;
}

static void further_pages_are_followed_from_the_same_host(void **state) {
	(void)state;
	static const char *const bodies[] = {"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"/"
					     "api/v1/models?offset=1\"}}",
			"{\"links\":{\"next\":\"https://other.example/"
			"more\"},\"data\":[{\"id\":\"b\"}]}",
			"{\"data\":[{\"id\":\"c\"}],\"links\":{\"next\":null}}"};
	struct replay replay = pages(bodies, 3);
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 3);
	assert_string_equal(replay.requests[1].url, "https://acme.example/api/v1/models?offset=1");
	assert_string_equal(replay.requests[2].url, "https://other.example/more");
	replay_finish(&replay);
}

static void a_page_that_leads_to_itself_ends_the_list(void **state) {
	(void)state;
	static const char *const bodies[] = {
			"{\"data\":[{\"id\":\"a\"}],\"links\":{\"next\":\"/x\"}}",
			"{\"data\":[{\"id\":\"b\"}],\"links\":{\"next\":\"/x\"}}"};
	struct replay replay = pages(bodies, 2);
	assert_true(replay.failed);
	assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
	assert_int_equal(replay.n_models, 2);
	replay_finish(&replay);
}

static void a_list_that_fails_keeps_the_good_entries_and_says_why(void **state) {
	(void)state;
	static const struct {
		const char *body;
		size_t models;
		enum conduit_kind kind;
		const char *words;
	} wrong[] = {
			{"{\"data\":[{\"id\":\"a\"},{\"id\":", 1, CONDUIT_FAIL_MALFORMED,
					"cut short"},
			{"{\"data\":[{\"id\":\"a\"}", 1, CONDUIT_FAIL_MALFORMED, "cut short"},
			{"", 0, CONDUIT_FAIL_MALFORMED, "cut short"},
			{"<html>", 0, CONDUIT_FAIL_MALFORMED, "isn't JSON"},
			{"{\"data\":{}}", 0, CONDUIT_FAIL_MALFORMED, "no \"data\" array"},
			{"{\"data\":[{\"id\":\"a\"}] oops", 1, CONDUIT_FAIL_MALFORMED,
					"isn't JSON"},
			{"{\"error\":{\"code\":503,\"message\":\"down\"}}", 0,
					CONDUIT_FAIL_UPSTREAM, "down"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct replay replay = listed("openrouter", wrong[i].body);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, wrong[i].kind);
		assert_int_equal(replay.n_models, wrong[i].models);
		assert_non_null(strstr(replay.words, wrong[i].words));
		replay_finish(&replay);
	}
}

static void an_entry_that_is_none_hides_no_other(void **state) {
	(void)state;
	struct replay replay = listed("openrouter",
			"{\"data\":[{\"id\":\"first\"},null,7,\"x\",[],{},{\"id\":\"\"},{\"id\":5},"
			"{\"id\":\"a\\u0000b\"},{\"id\":\"bad\" "
			"1},{\"id\":\"..\"},{\"id\":\"a\\nb\"},"
			"{\"id\":\"input\"},{\"id\":\"first\"},{\"id\":\"\xff/"
			"x\"},{\"id\":\"last\"}]}");
	assert_true(replay.finished);
	static const char *const ids[] = {
			"first", "..", "a\nb", "input", "first", "\xff/x", "last"};
	assert_int_equal(replay.n_models, sizeof(ids) / sizeof(ids[0]));
	for (size_t i = 0; i < replay.n_models; i++) {
		assert_string_equal(replay.models[i].id, ids[i]);
	}
	assert_non_null(strstr(replay.log.data, "it has no id"));
	assert_non_null(strstr(replay.log.data, "it isn't JSON"));
	assert_non_null(strstr(replay.log.data, "can't be sent back"));
	replay_finish(&replay);
}

static void giants_among_the_entries_hide_no_other(void **state) {
	(void)state;
	cleanup_buf struct buf list = {0};
	buf_add_string(&list, "{\"data\":[{\"id\":\"");
	for (int i = 0; i < 300; i++) {
		buf_add_byte(&list, 'i');
	}
	buf_add_string(&list, "\"},{\"id\":\"wordy\",\"description\":\"");
	for (size_t i = 0; i < 5 * 1024 * 1024 / 64; i++) {
		buf_add_format(&list, "%064zu", i);
	}
	buf_add_string(&list, "\"},{\"id\":\"giant\",\"x\":\"");
	for (size_t i = 0; i < 9 * 1024 * 1024 / 64; i++) {
		buf_add_format(&list, "%064zu", i);
	}
	buf_add_string(&list, "\"},{\"id\":\"last\"}]}");
	struct replay_exchange exchange = {.status = 200, .body = list.data, .size = list.size};
	struct replay replay = replay_models(
			load_provider("openrouter"), &exchange, REPLAY_AT, 100000);
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 3);
	assert_int_equal(replay.models[0].id_size, 300);
	assert_string_equal(replay.models[1].id, "wordy");
	assert_string_equal(replay.models[2].id, "last");
	assert_non_null(strstr(replay.log.data, "larger than 8 MiB"));
	replay_finish(&replay);
}

static void a_hundred_thousand_models_are_all_listed(void **state) {
	(void)state;
	cleanup_buf struct buf list = {.limit = (size_t)256 << 20};
	buf_add_string(&list, "{\"data\":[");
	for (int i = 0; i < 100000; i++) {
		buf_add_format(&list, "%s{\"id\":\"acme/model-%d\",\"name\":\"Model %d\"}",
				i == 0 ? "" : ",", i, i);
	}
	/* And it goes on, as far as anyone reads. */
	buf_add_string(&list, ",{\"id\":\"cut");
	struct replay_exchange exchange = {.status = 200, .body = list.data, .size = list.size};
	struct replay replay = replay_models(
			load_provider("openrouter"), &exchange, REPLAY_AT, 65536);
	assert_true(replay.failed);
	assert_int_equal(replay.n_models, 100000);
	assert_string_equal(replay.models[99999].id, "acme/model-99999");
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(an_entry_gives_every_fact_it_states),
			cmocka_unit_test(a_price_that_is_none_counts_as_unstated),
			cmocka_unit_test(an_entry_without_facts_is_a_model_all_the_same),
			cmocka_unit_test(the_lists_of_local_servers_are_read),
			cmocka_unit_test(well_known_names_tell_what_a_model_makes),
			cmocka_unit_test(further_pages_are_followed_from_the_same_host),
			cmocka_unit_test(a_page_that_leads_to_itself_ends_the_list),
			cmocka_unit_test(a_list_that_fails_keeps_the_good_entries_and_says_why),
			cmocka_unit_test(an_entry_that_is_none_hides_no_other),
			cmocka_unit_test(giants_among_the_entries_hide_no_other),
			cmocka_unit_test(a_hundred_thousand_models_are_all_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
