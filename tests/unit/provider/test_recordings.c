/* Recorded streams, answers and errors of seven services: what each gives, whichever way it is cut.
 *
 * The expected values were computed from the recordings by another program in another language. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

/* Who reads a recording: the service's own provider, or OpenRouter's for what only shows the
 * dialect. */
static const struct conduit_provider *reader_of(const char *path) {
	static const char *const readers[][2] = {{"anthropic/", "anthropic"},
			{"together/", "together"}, {"mistral/", "mistral"},
			{"huggingface/", "huggingface"}, {"openai_compat/groq", "groq"},
			{"openai_compat/openai", "openai"}};
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (starts_with(path, readers[i][0])) {
			return load_provider(readers[i][1]);
		}
	}
	return load_provider("openrouter");
}

#define FAIL(kind, words) true, CONDUIT_FAIL_##kind, words
#define WELL false, CONDUIT_FAIL_OTHER, NULL

static const struct expected {
	const char *path;
	size_t output;
	uint64_t output_hash;
	size_t reasoning;
	uint64_t reasoning_hash;
	const char *finish;
	const char *model;
	struct conduit_usage usage;
	bool fails;
	enum conduit_kind kind;
	const char *words; /* among the failure's */
} streams[] = {
		/* clang-format off */
		{"openrouter/sse/advisor_tool.sse", 109, 0x8274a6d3aafc07c5, 0, 0xcbf29ce484222325, "stop", "openai/gpt-4o-mini", {888, 74, 0, 0, 0.0145476}, WELL},
		{"openrouter/sse/cache_control_stream.sse", 6, 0x9224fce07c59fabe, 0, 0xcbf29ce484222325, "stop", "anthropic/claude-4.6-sonnet-20260217", {254, 5, 0, 0, 0.000837}, WELL},
		{"openrouter/sse/documented_midstream_error_429.sse", 3, 0x49535019cd9c958e, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(BUSY, "Rate limit exceeded")},
		{"openrouter/sse/long_claude_haiku45_2026.sse", 642, 0xe7253a5a57c63035, 0, 0xcbf29ce484222325, "stop", "anthropic/claude-4.5-haiku-20251001", {633, 143, 0, 0, 0.001348}, WELL},
		{"openrouter/sse/midstream_error_400_minimax.sse", 0, 0xcbf29ce484222325, 42, 0xb052a904dca1c348, NULL, NULL, {43, 10, 11, 0, 0}, FAIL(INVALID, "Token limit reached")},
		{"openrouter/sse/no_comments_gpt35.sse", 82, 0x59906f23b8194b4c, 0, 0xcbf29ce484222325, "length", "openai/gpt-3.5-turbo", {15, 20, 0, 0, 3.75e-05}, WELL},
		{"openrouter/sse/reasoning_details_plus_tool_calls.sse", 141, 0x9212809999f25f87, 211, 0xf63c31d56a8114bd, "tool_calls", "anthropic/claude-haiku-4.5", {626, 106, 54, 0, 0.001156}, WELL},
		{"openrouter/sse/reasoning_o3.sse", 454, 0x00f0f8b606c12e1a, 0, 0xcbf29ce484222325, "stop", "openai/o3", {9, 104, 0, 0, 0.00085}, WELL},
		{"openrouter/sse/responses_api_prompt.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(MALFORMED, "holds no choices")},
		{"openrouter/sse/responses_api_reasoning.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(MALFORMED, "holds no choices")},
		{"openrouter/sse/responses_api_tool_calls.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(MALFORMED, "holds no choices")},
		{"openrouter/sse/server_tool_web_search.sse", 40, 0x93ff1bf9d54fbba7, 0, 0xcbf29ce484222325, "stop", "openai/gpt-4.1-mini", {8174, 30, 0, 0, 0.0133176}, WELL},
		{"openrouter/sse/short_gpt35.sse", 11, 0x2713f785a33764c7, 0, 0xcbf29ce484222325, "stop", "openai/gpt-3.5-turbo", {14, 2, 0, 0, 1e-05}, WELL},
		{"openrouter/sse/simple_gpt35.sse", 13, 0x301c25ba40aaa330, 0, 0xcbf29ce484222325, "stop", "openai/gpt-3.5-turbo", {14, 13, 0, 0, 2.65e-05}, WELL},
		{"openrouter/sse/tool_calls_required.sse", 156, 0xd2f5d6a602399b91, 0, 0xcbf29ce484222325, "tool_calls", "openai/gpt-4o-mini", {69, 20, 0, 0, 2.235e-05}, WELL},
		{"openrouter/sse/tool_calls_single.sse", 131, 0x55eca4dacca99603, 0, 0xcbf29ce484222325, "tool_calls", "openai/gpt-4o-mini", {69, 14, 0, 0, 1.875e-05}, WELL},
		{"openai_compat/groq_event_error.sse", 0, 0xcbf29ce484222325, 412, 0x589117ad8306ce4c, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(INVALID, "Tool call validation failed")},
		{"openai_compat/openai_chat_stream_stub.txt", 82, 0x20eaebaa96f1d340, 0, 0xcbf29ce484222325, "stop", "gpt-4o-2024-08-06", {394, 18, 0, 0, NAN}, WELL},
		{"openai_compat/openai_responses_stream.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(MALFORMED, "holds no choices")},
		{"together/chat_stream.sse", 1, 0xaf63af4c8601a015, 0, 0xcbf29ce484222325, "stop", "meta-llama/Llama-3.3-70B-Instruct-Turbo", {48, 2, -1, -1, NAN}, WELL},
		{"mistral/chat_stream.sse", 7, 0x8572c86b8ec1bd40, 0, 0xcbf29ce484222325, "stop", "mistral-large-latest", {64, 8, -1, 0, NAN}, WELL},
		{"mistral/chat_stream_2025.sse", 44, 0x3feb2b47e614cc57, 0, 0xcbf29ce484222325, "stop", "mistral-tiny", {19, 11, -1, -1, NAN}, WELL},
		{"mistral/chat_stream_magistral.sse", 607, 0x1993c76feaa26def, 421, 0x3c7029e360e601e7, "stop", "magistral-medium-latest", {10, 232, -1, -1, NAN}, WELL},
		{"mistral/chat_stream_tool.sse", 105, 0x0bd0fd2baae6db7b, 0, 0xcbf29ce484222325, "tool_calls", "mistral-large-latest", {79, 10, -1, 0, NAN}, WELL},
		{"ollama/openai/cloud_stream.sse", 9, 0xc2b65ef25bfc9167, 119, 0xf82b1a28bf61e8b3, "stop", "gpt-oss:120b", {74, 53, -1, -1, NAN}, WELL},
		{"huggingface/hf_inference_stream_error.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(TOO_LONG, "max_new_tokens")},
		{"huggingface/hf_inference_tgi_token_stream.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {-1, -1, -1, -1, NAN}, FAIL(MALFORMED, "holds no choices")},
		{"huggingface/router_chat_stream_novita_short.sse", 5, 0xcbb57d0e13c03ee0, 0, 0xcbf29ce484222325, "stop", "meta-llama/llama-3.1-8b-instruct", {40, 2, -1, -1, NAN}, WELL},
		{"openrouter/json/chat_cache_hit_usage.json", 215, 0x1064136dbf9e56e8, 0, 0xcbf29ce484222325, "length", "anthropic/claude-4.6-sonnet-20260217", {2649, 100, 0, 2569, 0.00256995}, WELL},
		{"openrouter/json/chat_file_annotation.json", 47, 0x267275488a507d18, 28, 0x605f23bdac47535f, "stop", "openai/gpt-5.1-codex-mini", {31, 80, 64, 0, 0.00216775}, WELL},
		{"openrouter/json/chat_models_array_fallback.json", 34, 0x34b1c439fe05c75f, 0, 0xcbf29ce484222325, "stop", "openai/gpt-4o-mini", {9, 9, 0, 0, 6.75e-06}, WELL},
		{"openrouter/json/chat_nonstream_ws_padding_11.json", 13, 0x38d1334144987bf4, 0, 0xcbf29ce484222325, "stop", "openai/gpt-3.5-turbo", {10, 4, 0, 0, 1.1e-05}, WELL},
		{"openrouter/json/chat_nonstream_ws_padding_242_reasoning.json", 1378, 0x7500e7dfca18c618, 2232, 0xfec2304ac11a108f, "stop", "anthropic/claude-4.5-haiku-20251001", {80, 855, 586, 0, 0.004355}, WELL},
		{"openrouter/json/chat_nonstream_ws_padding_363_websearch.json", 108, 0xb57cc32dc370b739, 1292, 0x3c4300f23cce063e, "stop", "openai/gpt-5.2", {16924, 485, 449, 0, 0.066407}, WELL},
		{"openrouter/json/chat_pdf.json", 490, 0x1f12d73b2021eda4, 0, 0xcbf29ce484222325, "stop", "google/gemini-2.5-flash", {1294, 102, 0, 0, 0.0006432}, WELL},
		{"openrouter/json/chat_reasoning_details.json", 3927, 0xd6ea8efd56fd5987, 588, 0xbe102b6d20d8b106, "stop", "openai/gpt-5-mini", {41, 1457, 704, -1, NAN}, WELL},
		{"openrouter/json/chat_reasoning_glm46.json", 6621, 0x09f71ce5d820f5ea, 5989, 0x405723a6ecc9e734, "stop", "z-ai/glm-4.6", {24, 2801, 0, 0, NAN}, WELL},
		{"openrouter/json/chat_tool_calls.json", 150, 0xd89337a287cfc8a5, 0, 0xcbf29ce484222325, "tool_calls", "mistralai/mistral-small", {134, 43, -1, -1, NAN}, WELL},
		{"openrouter/json/chat_url_citations.json", 39, 0x00564bd761015c1d, 0, 0xcbf29ce484222325, "stop", "deepseek/deepseek-chat", {2315, 40, 0, 0, 0.007637029}, WELL},
		{"mistral/chat.json", 7, 0x8572c86b8ec1bd40, 0, 0xcbf29ce484222325, "stop", "mistral-large-latest", {61, 8, -1, 0, NAN}, WELL},
		{"mistral/chat_thinking_nonstream.json", 3, 0x455b431818114404, 174, 0x7a3774c6147ef5ba, "stop", "mistral-small-latest", {31, 66, -1, 0, NAN}, WELL},
		{"huggingface/router_chat_nonstream.json", 874, 0xd8d1c72ad417a514, 0, 0xcbf29ce484222325, "stop", "deepseek-ai/DeepSeek-R1", {4, 197, -1, 0, NAN}, WELL},
		{"huggingface/hf_inference_chat.json", 284, 0x9feba178efd97f21, 0, 0xcbf29ce484222325, "stop", "HuggingFaceH4/zephyr-7b-beta", {35, 66, -1, -1, NAN}, WELL},
		{"ollama/openai/local_json_schema.json", 40, 0xa8143c7db14d0c08, 508, 0x1b8212e91dca6e24, "stop", "qwen3:0.6b", {136, 15, -1, -1, NAN}, WELL},
		{"anthropic/sse/adaptive_thinking.sse", 36, 0x833571a5648c42f1, 40, 0x2a8e9e92105b1456, "stop", "claude-opus-4-6", {34, 44, -1, 0, NAN}, WELL},
		{"anthropic/sse/documented_midstream_error.sse", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {10, 1, -1, 0, NAN}, FAIL(UPSTREAM, "Overloaded")},
		{"anthropic/sse/image_url_long.sse", 943, 0xf2854b8c2d2d5c1c, 0, 0xcbf29ce484222325, "stop", "claude-sonnet-4-5-20250929", {273, 206, -1, 0, NAN}, WELL},
		{"anthropic/sse/text.sse", 5, 0x63f0bfacf2c00f6b, 0, 0xcbf29ce484222325, "stop", "claude-haiku-4-5-20251001", {10, 4, -1, 0, NAN}, WELL},
		{"anthropic/sse/text_llmrb.sse", 7, 0x8572c86b8ec1bd40, 0, 0xcbf29ce484222325, "stop", "claude-sonnet-4-20250514", {74, 9, -1, 0, NAN}, WELL},
		{"anthropic/sse/thinking.sse", 90, 0x9a8afc7a8aaa63e0, 290, 0xb574f8a3860ebd2a, "stop", "claude-haiku-4-5-20251001", {46, 133, -1, 0, NAN}, WELL},
		{"anthropic/sse/tool_use.sse", 121, 0xcd04258a327d291a, 0, 0xcbf29ce484222325, "tool_calls", "claude-haiku-4-5-20251001", {543, 40, -1, 0, NAN}, WELL},
		{"anthropic/json/message_basic.json", 1, 0xaf63af4c8601a015, 0, 0xcbf29ce484222325, "stop", "claude-sonnet-5", {30, 3, 0, 0, NAN}, WELL},
		{"openrouter/json/responses_api_basic.json", 0, 0xcbf29ce484222325, 0, 0xcbf29ce484222325, NULL, NULL, {21, 1, -1, -1, 3.75e-06}, FAIL(MALFORMED, "holds no choices")},
		/* clang-format on */
};

static void assert_as_expected(const struct expected *expected, const struct replay *replay) {
	assert_null(replay->broken);
	assert_int_equal(replay->failed, expected->fails);
	assert_int_equal(replay->finished, !expected->fails);
	assert_int_equal(replay->output.size, expected->output);
	assert_int_equal(fnv1a(buf_string(&replay->output), replay->output.size),
			expected->output_hash);
	assert_int_equal(replay->reasoning.size, expected->reasoning);
	assert_int_equal(fnv1a(buf_string(&replay->reasoning), replay->reasoning.size),
			expected->reasoning_hash);
	if (expected->finish != NULL) {
		assert_string_equal(replay->finish, expected->finish);
		assert_string_equal(replay->model, expected->model);
	}
	assert_int_equal(replay->usage.prompt_tokens, expected->usage.prompt_tokens);
	assert_int_equal(replay->usage.completion_tokens, expected->usage.completion_tokens);
	assert_int_equal(replay->usage.reasoning_tokens, expected->usage.reasoning_tokens);
	assert_int_equal(replay->usage.cached_tokens, expected->usage.cached_tokens);
	assert_int_equal(isnan(replay->usage.cost), isnan(expected->usage.cost));
	if (!isnan(expected->usage.cost)) {
		assert_true(fabs(replay->usage.cost - expected->usage.cost) < 1e-12);
	}
	if (expected->fails) {
		assert_int_equal(replay->kind, expected->kind);
		assert_int_equal(replay->status, 0);
		assert_non_null(strstr(replay->words, expected->words));
	}
}

static void each_recorded_stream_gives_what_it_holds_however_it_is_cut(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		const struct expected *expected = &streams[i];
		const struct conduit_provider *provider = reader_of(expected->path);
		struct buf body = recording(expected->path);
		print_message("%s\n", expected->path);
		bool is_json = ends_with(expected->path, ".json");
		struct replay_exchange exchange = {.status = 200,
				.content_type = is_json ? "application/json" : "text/event-stream",
				.body = body.data,
				.size = body.size};
		struct replay whole = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
		assert_as_expected(expected, &whole);
		replay_finish(&whole);
		assert_cuts_make_no_difference(provider, &exchange);
		buf_finish(&body);
	}
}

/* What a reader gets of a stream that ends too early: the beginning of what was meant, and EPROTO;
 * or all of it, when only what follows the finish reason is missing. */
static void assert_cut_short(const struct expected *expected, const struct replay *whole,
		const struct replay *cut) {
	assert_null(cut->broken);
	assert_true(cut->output.size <= whole->output.size);
	if (cut->finished && expected->fails) {
		/* One says "length" before it says that this was an error. */
		assert_string_equal(cut->finish, "length");
	} else if (cut->finished) {
		assert_int_equal(cut->output.size, whole->output.size);
		assert_string_equal(cut->finish, whole->finish);
	} else if (cut->kind != CONDUIT_FAIL_MALFORMED) {
		assert_true(expected->fails);
		assert_int_equal(cut->kind, expected->kind);
	}
	assert_memory_equal(buf_string(&cut->output), buf_string(&whole->output), cut->output.size);
}

static void a_recorded_stream_that_is_cut_short_never_passes_for_a_whole_one(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		const struct conduit_provider *provider = reader_of(streams[i].path);
		struct buf body = recording(streams[i].path);
		struct replay_exchange exchange = {.status = 200,
				.content_type = ends_with(streams[i].path, ".json")
								? "application/json"
								: "text/event-stream",
				.body = body.data};
		exchange.size = body.size;
		struct replay whole = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
		size_t stride = cut_stride(body.size);
		for (exchange.size = 0; exchange.size < body.size; exchange.size += stride) {
			struct replay cut = replay_chat(provider, &exchange, REPLAY_WHOLE, 0);
			assert_cut_short(&streams[i], &whole, &cut);
			replay_finish(&cut);
		}
		replay_finish(&whole);
		buf_finish(&body);
	}
}

static const struct {
	const char *path;
	int status;
	enum conduit_kind kind;
	enum conduit_retry retry;
	const char *words;
} errors[] = {
		{"openrouter/errors/400_invalid_model_stream.json", 400, CONDUIT_FAIL_GONE, 0,
				"invalid/nonexistent-model is not a valid model ID (HTTP 400)"},
		{"openrouter/errors/400_models_array_invalid_first.json", 400, CONDUIT_FAIL_GONE, 0,
				"some/nonexistent-model is not a valid model ID (HTTP 400)"},
		{"openrouter/errors/400_no_messages.json", 400, CONDUIT_FAIL_INVALID, 0,
				"Input required: specify \"prompt\" or \"messages\" (HTTP 400)"},
		{"openrouter/errors/400_provider_returned_error_schema.json", 400,
				CONDUIT_FAIL_UPSTREAM, 0,
				"Azure says: Invalid schema for response_format 'invalid_schema': "
				"'invalid_type' is not valid under any of the given schemas. (HTTP "
				"400)"},
		{"openrouter/errors/400_provider_returned_error_tool.json", 400,
				CONDUIT_FAIL_UPSTREAM, 0,
				"OpenAI says: Invalid schema for function 'invalid_tool': "
				"'invalid_type' is not valid under any of the given schemas. (HTTP "
				"400)"},
		{"openrouter/errors/400_temperature.json", 400, CONDUIT_FAIL_INVALID, 0,
				"Expected temperature to be at most 2, received 5 (HTTP 400)"},
		{"openrouter/errors/401_missing_auth_2026.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"Missing Authentication header (HTTP 401)"},
		{"openrouter/errors/401_no_cookie_auth.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"No cookie auth credentials found (HTTP 401)"},
		{"openrouter/errors/401_on_stream_request.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"No cookie auth credentials found (HTTP 401)"},
		{"openrouter/errors/402_credits_previous_errors.json", 402, CONDUIT_FAIL_QUOTA,
				CONDUIT_RETRY_NEVER,
				"This request requires more credits, or fewer max_tokens. You "
				"requested up to 65536 tokens, but can only afford 3395. To "
				"increase, visit https://openrouter.ai/settings/credits and "
				"upgrade to a paid account (HTTP 402)"},
		{"openrouter/errors/402_simple.json", 402, CONDUIT_FAIL_QUOTA, CONDUIT_RETRY_NEVER,
				"This request requires more credits, or fewer max_tokens. You "
				"requested up to 32000 tokens, but can only afford 27342. To "
				"increase, visit https://openrouter.ai/settings/credits and "
				"upgrade to a paid account (HTTP 402)"},
		{"openrouter/errors/404_generation_not_yet.json", 404, CONDUIT_FAIL_GONE, 0,
				"Generation gen-1766949113-tYDXDgKsuviV0tQEUcsM not found (HTTP "
				"404)"},
		{"openrouter/errors/429_free_daily_limit_source_2026-08.json", 429,
				CONDUIT_FAIL_QUOTA, CONDUIT_RETRY_NEVER,
				"Rate limit exceeded: free-models-per-day-high-balance. (Wait for "
				"the daily reset) (HTTP 429)"},
		{"openrouter/errors/429_free_models_per_day_2026-05.json", 429, CONDUIT_FAIL_QUOTA,
				CONDUIT_RETRY_NEVER,
				"Rate limit exceeded: free-models-per-day. Add 10 credits to "
				"unlock 1000 free model requests per day (HTTP 429)"},
		{"together/error_400_completions.json", 400, CONDUIT_FAIL_INVALID, 0,
				"Invalid request (HTTP 400)"},
		{"together/error_400_images.json", 400, CONDUIT_FAIL_INVALID, 0,
				"Invalid request (HTTP 400)"},
		{"mistral/errors_401.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"Invalid API Key (HTTP 401)"},
		{"mistral/errors_401_2025.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"No API key found in request (HTTP 401)"},
		{"huggingface/error_404_model.json", 404, CONDUIT_FAIL_GONE, 0,
				"Model this-model-does-not-exist-123 does not exist (HTTP 404)"},
		{"huggingface/error_422_chat.json", 422, CONDUIT_FAIL_INVALID, 0,
				"Template error: template not found (HTTP 422)"},
		{"huggingface/inference_400.json", 400, CONDUIT_FAIL_INVALID, 0,
				"Error in `inputs.context`: field required (HTTP 400)"},
		{"anthropic/errors/400_effort.json", 400, CONDUIT_FAIL_INVALID, 0,
				"This model does not support effort level 'xhigh'. Supported "
				"levels: high, low, max, medium. (HTTP 400)"},
		{"anthropic/errors/400_file_not_downloadable.json", 400, CONDUIT_FAIL_INVALID, 0,
				"File 'file_011CdeLUpakHYCG43qGLsdXo' is not downloadable (HTTP "
				"400)"},
		{"anthropic/errors/400_prompt_too_long.json", 400, CONDUIT_FAIL_TOO_LONG, 0,
				"prompt is too long: 3333404 tokens > 200000 maximum (HTTP 400)"},
		{"anthropic/errors/401.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"invalid x-api-key (HTTP 401)"},
		{"anthropic/errors/404_model.json", 404, CONDUIT_FAIL_GONE, 0,
				"model: claude-sonet-4-5 (HTTP 404)"},
		{"ollama/errors/cloud_400_context.json", 400, CONDUIT_FAIL_TOO_LONG, 0,
				"prompt too long; exceeded max context length by 1119046 tokens "
				"(ref: 96164522-08b2-4cbf-886e-e5a38961a688) (HTTP 400)"},
		{"ollama/errors/cloud_401.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"Unauthorized (HTTP 401)"},
		{"openai_compat/openai_401.json", 401, CONDUIT_FAIL_BAD_KEY, 0,
				"Incorrect API key provided: [key] You can find your API key at "
				"https://platform.openai.com/account/api-keys. (HTTP 401)"},
};

static void each_recorded_error_has_its_kind_and_words(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		const struct conduit_provider *provider = reader_of(errors[i].path);
		struct buf body = recording(errors[i].path);
		print_message("%s\n", errors[i].path);
		struct replay_exchange exchange = {.status = errors[i].status,
				.content_type = "application/json",
				.body = body.data,
				.size = body.size};
		struct replay replay = replay_chat(provider, &exchange, REPLAY_BYTES, 0);
		assert_null(replay.broken);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, errors[i].kind);
		assert_int_equal(replay.status, errors[i].status);
		assert_int_equal(replay.retry, errors[i].retry);
		assert_int_equal(replay.output.size, 0);
		assert_string_equal(replay.words, errors[i].words);
		replay_finish(&replay);
		assert_cuts_make_no_difference(provider, &exchange);
		buf_finish(&body);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(
					each_recorded_stream_gives_what_it_holds_however_it_is_cut),
			cmocka_unit_test(
					a_recorded_stream_that_is_cut_short_never_passes_for_a_whole_one),
			cmocka_unit_test(each_recorded_error_has_its_kind_and_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
