/* Recorded embeddings and rankings: what each gives, whichever way it is cut.
 *
 * The expected values were computed from the recordings by another program in another language. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

static const struct conduit_setting by_line[] = {{"lines", "yes", 3}, {"format", "json", 4}};
static const struct conduit_setting by_line_npy[] = {{"lines", "yes", 3}, {"format", "npy", 3}};

static struct replay ask(const char *provider, const char *capability, const char *prompt,
		const struct conduit_setting *settings, const struct replay_exchange *exchange,
		enum replay_cut cut, size_t at) {
	struct simple_turn simple;
	simple_turn_init(&simple, "acme/vectors", prompt);
	simple.turn.capability = capability;
	simple.turn.settings = settings;
	simple.turn.n_settings = settings != NULL ? 2 : 0;
	struct replay_script script = {.base_url = "https://acme.example/v1",
			.exchanges = exchange,
			.n_exchanges = 1,
			.files = &simple.file,
			.n_files = 1,
			.cut = cut,
			.at = at};
	struct replay replay;
	replay_transform(&replay, load_provider(provider), &script, &simple.turn);
	assert_null(replay.broken);
	return replay;
}

static const struct {
	const char *provider;
	const char *path;
	const char *prompt; /* as many lines as there are vectors */
	size_t json;
	uint64_t json_hash;
	size_t npy;
	uint64_t npy_hash;
	const char *model;
	int64_t tokens;
	double cost;
} embeddings[] = {
		/* clang-format off */
		{"openrouter", "openrouter/json/embeddings_single.json", "1", 29437, 0xcc8d4c8659848cad, 6272, 0x2a3b62b46167f9ac, "text-embedding-3-small", 7, 1.4e-07},
		{"openrouter", "openrouter/json/embeddings_multi_dims.json", "1\n2\n3", 43160, 0x5fd2b531febaadad, 9344, 0xbba263b941bea16e, "text-embedding-3-small", 3, 6e-08},
		{"mistral", "mistral/embeddings.json", "1", 19339, 0xe998170862d18b0f, 4224, 0x771cb8c36717e297, "mistral-embed", 5, NAN},
		/* clang-format on */
};

static void assert_vectors(size_t i, const struct replay *replay, size_t size, uint64_t hash) {
	assert_true(replay->finished);
	assert_int_equal(replay->output.size, size);
	assert_int_equal(fnv1a(replay->output.data, replay->output.size), hash);
	assert_string_equal(replay->model, embeddings[i].model);
	assert_int_equal(replay->usage.prompt_tokens, embeddings[i].tokens);
	assert_int_equal(replay->usage.completion_tokens, 0);
	assert_int_equal(isnan(replay->usage.cost), isnan(embeddings[i].cost));
	if (!isnan(embeddings[i].cost)) {
		assert_true(fabs(replay->usage.cost - embeddings[i].cost) < 1e-15);
	}
}

static void assert_embeds(
		size_t i, const struct replay_exchange *exchange, enum replay_cut cut, size_t at) {
	const char *kind = "text-to-embedding";
	struct replay json = ask(embeddings[i].provider, kind, embeddings[i].prompt, by_line,
			exchange, cut, at);
	assert_vectors(i, &json, embeddings[i].json, embeddings[i].json_hash);
	replay_finish(&json);
	struct replay npy = ask(embeddings[i].provider, kind, embeddings[i].prompt, by_line_npy,
			exchange, cut, at);
	assert_vectors(i, &npy, embeddings[i].npy, embeddings[i].npy_hash);
	replay_finish(&npy);
}

static void each_recorded_embedding_gives_its_vectors_however_it_is_cut(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(embeddings) / sizeof(embeddings[0]); i++) {
		struct buf body = recording(embeddings[i].path);
		struct replay_exchange exchange = {.status = 200,
				.content_type = "application/json",
				.body = body.data,
				.size = body.size};
		assert_embeds(i, &exchange, REPLAY_WHOLE, 0);
		assert_embeds(i, &exchange, REPLAY_BYTES, 0);
		for (size_t at = 1; at < body.size; at += cut_stride(body.size)) {
			assert_embeds(i, &exchange, REPLAY_AT, at);
		}
		buf_finish(&body);
	}
}

static void assert_eproto(const struct replay *replay) {
	assert_true(replay->failed);
	assert_int_equal(replay->kind, CONDUIT_FAIL_MALFORMED);
	assert_int_equal(replay->output.size, 0);
}

static void a_recorded_embedding_that_is_cut_short_is_eproto(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(embeddings) / sizeof(embeddings[0]); i++) {
		struct buf body = recording(embeddings[i].path);
		struct replay_exchange exchange = {.status = 200, .body = body.data};
		for (; exchange.size < body.size; exchange.size += cut_stride(body.size)) {
			struct replay replay = ask(embeddings[i].provider, "text-to-embedding",
					embeddings[i].prompt, by_line, &exchange, REPLAY_WHOLE, 0);
			assert_eproto(&replay);
			replay_finish(&replay);
		}
		buf_finish(&body);
	}
}

static void a_recorded_ranking_gives_its_documents_however_it_is_cut(void **state) {
	(void)state;
	static const char prompt[] = "what is ruby\nParis is the capital of France\n"
				     "Ruby is a programming language created by Matz";
	static const char expected[] =
			"{\"index\":1,\"relevance_score\":0.828125,\"document\":\"Ruby is a "
			"programming language created by Matz\"}\n"
			"{\"index\":0,\"relevance_score\":0.306640625,\"document\":\"Paris is the "
			"capital of France\"}\n";
	struct buf body = recording("openrouter/json/rerank.json");
	struct replay_exchange exchange = {.status = 200, .body = body.data, .size = body.size};
	for (size_t at = 0; at < body.size; at++) {
		enum replay_cut cut = at == 0 ? REPLAY_BYTES : REPLAY_AT;
		struct replay replay = ask(
				"openrouter", "text-to-rerank", prompt, NULL, &exchange, cut, at);
		assert_true(replay.finished);
		assert_string_equal(replay.output.data, expected);
		assert_string_equal(replay.model, "rerank-2.5-lite");
		assert_int_equal(replay.usage.prompt_tokens, 17);
		assert_true(fabs(replay.usage.cost - 3.4e-7) < 1e-20);
		replay_finish(&replay);
	}
	for (exchange.size = 0; exchange.size < body.size - 1; exchange.size++) {
		struct replay replay = ask("openrouter", "text-to-rerank", prompt, NULL, &exchange,
				REPLAY_WHOLE, 0);
		assert_eproto(&replay);
		replay_finish(&replay);
	}
	buf_finish(&body);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(
					each_recorded_embedding_gives_its_vectors_however_it_is_cut),
			cmocka_unit_test(a_recorded_embedding_that_is_cut_short_is_eproto),
			cmocka_unit_test(a_recorded_ranking_gives_its_documents_however_it_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
