/* Recorded lists of models: what each holds, whichever way it is cut.
 *
 * The expected values were computed from the recordings by another program in another language. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *path;
	size_t models;
	size_t free;
	uint64_t ids; /* hash of the ids in order, a newline after each */
	int64_t created;
	int64_t context_length;
	int64_t max_output;
	size_t prices;
} catalogues[] = {
		/* clang-format off */
		{"openrouter/json/models_trimmed_2026.json", 4, 0, 0xa13d616497e57c25, 6893372152, 2191961, 117248, 17},
		{"openrouter/models/models_2025-05-26_319_raw.json", 319, 66, 0x488ff8d783bc2293, 551817292232, 50056126, 7157495, 1987},
		{"openrouter/models/models_2025-07-29_319.json", 319, 56, 0xaa4a6ce80c2adb46, 553085756472, 52532430, 7426036, 1991},
		{"openrouter/models/models_2026-01-29_347.json", 347, 33, 0xf4fca5b6c155bb57, 605549726471, 75375913, 14238741, 947},
		{"openrouter/models/models_2026-02-27_344_raw.json", 344, 29, 0x78ccd1cf73e49da9, 600962896212, 81928437, 14276146, 937},
		{"openrouter/models/models_2026-08-19_414.json", 414, 18, 0xb5a2f4352a9aba0e, 728902774146, 198062339, 35616748, 1608},
		{"openrouter/models/models_2026-08-19_all_549.json", 549, 23, 0x0022007af4425e1f, 968834385610, 201804653, 35643374, 1957},
		/* clang-format on */
};

static void assert_catalogue(size_t i, const struct replay *replay) {
	size_t free_models = 0;
	size_t prices = 0;
	int64_t created = 0;
	int64_t context_length = 0;
	int64_t max_output = 0;
	cleanup_buf struct buf ids = {0};
	assert_null(replay->broken);
	assert_true(replay->finished);
	assert_int_equal(replay->n_models, catalogues[i].models);
	for (size_t n = 0; n < replay->n_models; n++) {
		const struct replay_model *model = &replay->models[n];
		free_models += replay_is_free(model) ? 1 : 0;
		prices += model->n_prices;
		created += model->created;
		context_length += model->context_length;
		max_output += model->max_output;
		buf_add(&ids, model->id, model->id_size);
		buf_add_byte(&ids, '\n');
		assert_non_null(model->name);
		assert_non_null(model->input_modalities);
		assert_non_null(model->output_modalities);
		assert_int_equal(model->raw[0], '{');
		assert_int_equal(model->raw[model->raw_size - 1], '}');
	}
	assert_int_equal(free_models, catalogues[i].free);
	assert_int_equal(fnv1a(ids.data, ids.size), catalogues[i].ids);
	assert_int_equal(created, catalogues[i].created);
	assert_int_equal(context_length, catalogues[i].context_length);
	assert_int_equal(max_output, catalogues[i].max_output);
	assert_int_equal(prices, catalogues[i].prices);
}

static void each_recorded_catalogue_gives_all_its_models(void **state) {
	(void)state;
	const struct conduit_provider *provider = load_provider("openrouter");
	for (size_t i = 0; i < sizeof(catalogues) / sizeof(catalogues[0]); i++) {
		struct buf body = recording(catalogues[i].path);
		struct replay_exchange exchange = {.status = 200,
				.content_type = "application/json",
				.body = body.data,
				.size = body.size};
		for (int cut = REPLAY_WHOLE; cut <= REPLAY_AT; cut++) {
			struct replay replay = replay_models(
					provider, &exchange, (enum replay_cut)cut, body.size / 3);
			assert_catalogue(i, &replay);
			replay_finish(&replay);
		}
		buf_finish(&body);
	}
}

/* Sums over the lists of the other services, told by who reads them. */
static const struct {
	const char *provider;
	const char *path;
	size_t models;
	uint64_t ids;
	int64_t created;
	int64_t context_length;
	int64_t max_output;
	size_t prices;
	double price; /* of all, USD a token */
} lists[] = {
		/* clang-format off */
		{"anthropic", "anthropic/json/models_2025-12.json", 9, 0xc8ccee8fdd3e4387, 15713308800, 0, 0, 0, 0},
		{"anthropic", "anthropic/json/models_2026-08_capabilities.json", 11, 0x6224f65b58f03d9e, 19483718400, 8600000, 1120000, 0, 0},
		{"together", "together/models_bare_array_131.json", 131, 0x5849c3053f8a75a4, 211641535163, 9809681, 0, 136, 4.2117e-05 + 7.3622e-05},
		{"mistral", "mistral/models_list_stub.json", 5, 0x865f92ae58e4b608, 8914653970, 790528, 0, 0, 0},
		{"huggingface", "huggingface/router_v1_models_subset.json", 4, 0xfb6d0c2a93971fdd, 7130088572, 3407872, 0, 4, (3 + 15 + 1.4 + 4.4) / 1e6},
		/* clang-format on */
};

static void assert_list(size_t i, const struct replay *replay) {
	cleanup_buf struct buf ids = {0};
	int64_t created = 0;
	int64_t context_length = 0;
	int64_t max_output = 0;
	size_t prices = 0;
	double price = 0;
	assert_null(replay->broken);
	assert_true(replay->finished);
	assert_int_equal(replay->n_models, lists[i].models);
	for (size_t n = 0; n < replay->n_models; n++) {
		const struct replay_model *model = &replay->models[n];
		buf_add_format(&ids, "%s\n", model->id);
		created += model->created;
		context_length += model->context_length;
		max_output += model->max_output;
		prices += model->n_prices;
		for (size_t p = 0; p < model->n_prices; p++) {
			price += model->prices[p].usd;
		}
		assert_non_null(model->output_modalities);
		assert_false(replay_is_free(model));
	}
	assert_int_equal(fnv1a(ids.data, ids.size), lists[i].ids);
	assert_int_equal(created, lists[i].created);
	assert_int_equal(context_length, lists[i].context_length);
	assert_int_equal(max_output, lists[i].max_output);
	assert_int_equal(prices, lists[i].prices);
	assert_true(fabs(price - lists[i].price) < 1e-12);
}

static void the_list_of_each_service_gives_its_models(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct conduit_provider *provider = load_provider(lists[i].provider);
		struct buf body = recording(lists[i].path);
		print_message("%s\n", lists[i].path);
		struct replay_exchange exchange = {.status = 200,
				.content_type = "application/json",
				.body = body.data,
				.size = body.size};
		for (int cut = REPLAY_WHOLE; cut <= REPLAY_AT; cut++) {
			struct replay replay = replay_models(
					provider, &exchange, (enum replay_cut)cut, body.size / 3);
			assert_list(i, &replay);
			replay_finish(&replay);
		}
		buf_finish(&body);
	}
}

static void a_list_that_is_cut_short_fails_after_the_models_that_came(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct conduit_provider *provider = load_provider(lists[i].provider);
		struct buf body = recording(lists[i].path);
		while (body.size != 0 && strchr(" \r\n", body.data[body.size - 1]) != NULL) {
			body.size--;
		}
		struct replay_exchange exchange = {.status = 200,
				.content_type = "application/json",
				.body = body.data};
		size_t before = 0;
		for (; exchange.size < body.size; exchange.size += cut_stride(body.size)) {
			struct replay replay = replay_models(provider, &exchange, REPLAY_WHOLE, 0);
			assert_true(replay.failed);
			assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
			assert_in_range(replay.n_models, before, lists[i].models);
			before = replay.n_models;
			replay_finish(&replay);
		}
		buf_finish(&body);
	}
}

static void the_list_of_a_compatible_service_states_no_prices_that_are_ours(void **state) {
	(void)state;
	static const struct {
		const char *path;
		size_t models;
	} compatible[] = {
			{"openai_compat/openai_models.json", 120},
			{"together/models_bare_array_131.json", 131},
			{"mistral/models_list_stub.json", 5},
			{"huggingface/router_v1_models_subset.json", 4},
	};
	const struct conduit_provider *provider = load_provider("openai");
	for (size_t i = 0; i < sizeof(compatible) / sizeof(compatible[0]); i++) {
		struct buf body = recording(compatible[i].path);
		struct replay_exchange exchange = {.status = 200,
				.content_type = "application/json",
				.body = body.data,
				.size = body.size};
		struct replay replay = replay_models(provider, &exchange, REPLAY_BYTES, 0);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_models, compatible[i].models);
		for (size_t n = 0; n < replay.n_models; n++) {
			/* Their prices, where there are any, are not USD a token. */
			assert_int_equal(replay.models[n].n_prices, 0);
		}
		replay_finish(&replay);
		buf_finish(&body);
	}
}

/* What the Hub said of one model, however it is cut. */
static void a_model_that_is_looked_up_is_known_by_what_the_hub_said(void **state) {
	(void)state;
	static const char id[] = "meta-llama/Llama-3.1-8B-Instruct";
	struct buf body = recording("huggingface/hub_model_inferenceProviderMapping.json");
	struct replay_exchange exchange = {.status = 200,
			.content_type = "application/json",
			.body = body.data,
			.size = body.size};
	struct replay_script script = {.base_url = "https://router.huggingface.co/v1",
			.exchanges = &exchange,
			.n_exchanges = 1,
			.cut = REPLAY_AT};
	for (script.at = 0; script.at < body.size; script.at++) {
		struct replay replay;
		replay_look_up(&replay, load_provider("huggingface"), &script, id);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_models, 1);
		assert_string_equal(replay.models[0].id, id);
		assert_string_equal(replay.models[0].output_modalities, "text");
		replay_finish(&replay);
	}
	/* Cut short it is no word about the model. */
	for (exchange.size = 0; exchange.size + 1 < body.size; exchange.size++) {
		struct replay replay;
		replay_look_up(&replay, load_provider("huggingface"), &script, id);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
		replay_finish(&replay);
	}
	buf_finish(&body);
}

/* "n 1..4 =1" a line. */
static void add_limits(const struct replay_model *model, struct buf *to) {
	for (size_t i = 0; i < model->limits.n; i++) {
		cleanup_buf struct buf line = {0};
		replay_limit_text(&model->limits.list[i], &line);
		buf_add_format(to, "%s %s\n", model->limits.list[i].name, buf_string(&line));
	}
}

static void assert_limits(const struct replay_model *model, const char *expected) {
	cleanup_buf struct buf was = {0};
	add_limits(model, &was);
	assert_string_equal(buf_string(&was), expected);
}

/* What Replicate said of one model, however it is cut. */
static void a_model_of_replicate_is_known_by_its_schema_and_example(void **state) {
	(void)state;
	struct buf body = recording("replicate/model_get_sdxl.json");
	struct replay_exchange exchange = {.status = 200,
			.content_type = "application/json",
			.body = body.data,
			.size = body.size};
	struct replay_script script = {.base_url = "https://api.replicate.com/v1",
			.exchanges = &exchange,
			.n_exchanges = 1,
			.cut = REPLAY_AT};
	struct replay replay;
	for (script.at = 0; script.at < body.size; script.at += cut_stride(body.size / 8)) {
		replay_look_up(&replay, load_provider("replicate"), &script, "stability-ai/sdxl");
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_models, 1);
		assert_string_equal(replay.models[0].id, "stability-ai/sdxl");
		assert_string_equal(replay.models[0].input_modalities, "text,image");
		assert_string_equal(replay.models[0].output_modalities, "image");
		assert_string_equal(replay.models[0].parameters,
				"seed,n,steps,guidance,negative_prompt,strength");
		assert_int_equal(replay.models[0].created, 1699312387);
		assert_limits(&replay.models[0],
				"n 1..4 =1\nsteps 1..500 =50\nguidance 1..50 =7.5\n"
				"strength 0..1 =0.8\n");
		replay_finish(&replay);
	}
	for (exchange.size = 0; exchange.size + 1 < body.size;
			exchange.size += cut_stride(body.size / 8)) {
		replay_look_up(&replay, load_provider("replicate"), &script, "stability-ai/sdxl");
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
		replay_finish(&replay);
	}
	buf_finish(&body);
}

/* The recorded page of models, as a collection: what each says of its settings. */
static void each_recorded_model_of_replicate_gives_its_limits(void **state) {
	(void)state;
	static const char collections[] = "{\"results\":[]}";
	struct buf body = recording("replicate/models_list_page1.json");
	struct replay_exchange exchanges[] = {
			{.status = 200,
					.content_type = "application/json",
					.body = collections,
					.size = sizeof(collections) - 1},
			{.status = 200,
					.content_type = "application/json",
					.body = body.data,
					.size = body.size},
	};
	struct replay_script script = {.base_url = "https://api.replicate.com/v1",
			.exchanges = exchanges,
			.n_exchanges = 2};
	struct replay replay;
	cleanup_buf struct buf was = {0};
	size_t limits = 0;
	replay_discover(&replay, load_provider("replicate"), &script);
	assert_null(replay.broken);
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 25);
	for (size_t i = 0; i < replay.n_models; i++) {
		const struct replay_model *model = &replay.models[i];
		buf_add_format(&was, "%s\n", model->id);
		add_limits(model, &was);
		limits += model->limits.n;
	}
	assert_int_equal(limits, 59);
	assert_int_equal(fnv1a(was.data, was.size), 0x3881e530ea996899);
	replay_finish(&replay);
	buf_finish(&body);
}

/* Each collection is asked for, after the official one, by its name. */
static void each_collection_of_replicate_is_asked_for(void **state) {
	(void)state;
	enum { COLLECTIONS = 19 };
	struct buf body = recording("replicate/collections_list.json");
	struct replay_exchange exchanges[COLLECTIONS + 2] = {{.status = 200,
			.content_type = "application/json",
			.body = body.data,
			.size = body.size}};
	for (size_t i = 1; i < COLLECTIONS + 2; i++) {
		exchanges[i] = (struct replay_exchange){.status = 404, .body = ""};
	}
	struct replay_script script = {.base_url = "https://api.replicate.com/v1",
			.exchanges = exchanges,
			.n_exchanges = COLLECTIONS + 2,
			.cut = REPLAY_AT};
	struct replay replay;
	for (script.at = 1; script.at < body.size; script.at += cut_stride(body.size / 8)) {
		cleanup_buf struct buf asked = {0};
		replay_discover(&replay, load_provider("replicate"), &script);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_requests, COLLECTIONS + 2);
		assert_true(ends_with(replay.requests[1].url, "/v1/collections/official"));
		for (size_t i = 2; i < replay.n_requests; i++) {
			buf_add_format(&asked, "%s %s\n", replay.requests[i].method,
					replay.requests[i].url);
		}
		assert_int_equal(fnv1a(asked.data, asked.size), 2517389389921603309ULL);
		replay_finish(&replay);
	}
	for (exchanges[0].size = 0; exchanges[0].size + 1 < body.size; exchanges[0].size++) {
		replay_discover(&replay, load_provider("replicate"), &script);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
		replay_finish(&replay);
	}
	buf_finish(&body);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_recorded_catalogue_gives_all_its_models),
			cmocka_unit_test(the_list_of_each_service_gives_its_models),
			cmocka_unit_test(a_list_that_is_cut_short_fails_after_the_models_that_came),
			cmocka_unit_test(
					the_list_of_a_compatible_service_states_no_prices_that_are_ours),
			cmocka_unit_test(a_model_that_is_looked_up_is_known_by_what_the_hub_said),
			cmocka_unit_test(a_model_of_replicate_is_known_by_its_schema_and_example),
			cmocka_unit_test(each_recorded_model_of_replicate_gives_its_limits),
			cmocka_unit_test(each_collection_of_replicate_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
