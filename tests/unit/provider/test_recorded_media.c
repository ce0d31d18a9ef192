/* Recorded pictures, speech and transcripts: what each gives, whichever way it is cut.
 *
 * The expected values were computed from the recordings by another program in another language. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

static const struct media {
	const char *provider, *capability, *path, *type;
	size_t size;
	uint64_t hash;
	int64_t completion_tokens;
	double cost;
} media[] = {
		/* clang-format off */
		{"openrouter", "text-to-image", "openrouter/json/images_edit.json", "application/json", 63584, 0xae22e764eb978368, 1120, 0.03388125},
		{"openrouter", "text-to-image", "openrouter/json/images_generate_large.json", "application/json", 725043, 0xdc272a9f0af8c9a, 1537, 0.03422675},
		{"together", "text-to-image", "together/images_generations_b64_truncated.json", "application/json", 750, 0x460e6bbdcba03612, -1, NAN},
		{"mistral", "text-to-audio", "mistral/audio_speech.json", "application/json", 23881, 0x60fbc02859dbeb9d, -1, NAN},
		{"openrouter", "text-to-audio", "openrouter/binary/audio_speech_kokoro.mp3", "audio/mpeg", 0, 0, -1, NAN},
		{"openrouter", "audio-to-text", "openrouter/json/audio_transcription.json", "application/json", 64, 0, 12, 0.00010625},
		{"mistral", "audio-to-text", "mistral/audio_transcription.json", "application/json", 64, 0, 11, NAN},
		{"openai", "audio-to-text", "openai_compat/whisper1_transcription.json", "application/json", 64, 0, -1, NAN},
		{"mistral", "text-to-ocr", "mistral/ocr.json", "application/json", 2, 0, -1, NAN},
		{"huggingface", "audio-to-text", "huggingface/asr_wav2vec2.json", "application/json", 0, 0, -1, NAN},
		/* clang-format on */
};

#define SPOKEN "Ruby is a programming language designed for developer happiness."

static struct replay ask(const struct media *one, const struct replay_exchange *exchange,
		enum replay_cut cut, size_t at) {
	static const struct replay_file files[] = {{"Hi", 2}, {"RIFF", 4}, {"\x89PNG", 4}};
	static const struct conduit_part parts[] = {{0, "text/plain", "", 2},
			{1, "audio/wav", "a.wav", 4}, {2, "image/png", "a.png", 4}};
	static const struct conduit_message heard = {CONDUIT_USER, parts, 2};
	static const struct conduit_message seen = {CONDUIT_USER, parts, 3};
	bool reads = strcmp(one->capability, "text-to-ocr") == 0;
	const struct conduit_turn turn = {.model = "acme/media",
			.capability = one->capability,
			.messages = reads ? &seen : &heard,
			.n_messages = 1};
	struct replay_script script = {.base_url = "https://acme.example/v1",
			.exchanges = exchange,
			.n_exchanges = 1,
			.files = files,
			.n_files = 3,
			.cut = cut,
			.at = at};
	struct replay replay;
	replay_transform(&replay, load_provider(one->provider), &script, &turn);
	assert_null(replay.broken);
	return replay;
}

static void assert_result(const struct media *one, const struct replay_exchange *exchange,
		enum replay_cut cut, size_t at) {
	struct replay replay = ask(one, exchange, cut, at);
	const struct buf *output = &replay.output;
	assert_true(replay.finished);
	if (one->hash != 0) {
		assert_int_equal(output->size, one->size);
		assert_int_equal(fnv1a(output->data, output->size), one->hash);
	} else if (one->size == strlen(SPOKEN)) {
		assert_string_equal(buf_string(output), SPOKEN);
	} else if (one->size != 0) {
		assert_string_equal(buf_string(output), "2\n");
	} else if (strcmp(one->type, "audio/mpeg") == 0) {
		assert_int_equal(output->size, exchange->size);
		assert_memory_equal(output->data, exchange->body, exchange->size);
	} else {
		assert_true(output->size > 4 && output->data[0] != ' ');
	}
	assert_int_equal(replay.usage.completion_tokens, one->completion_tokens);
	assert_int_equal(isnan(replay.usage.cost), isnan(one->cost));
	if (!isnan(one->cost)) {
		assert_true(fabs(replay.usage.cost - one->cost) < 1e-12);
	}
	replay_finish(&replay);
}

static void each_recorded_result_is_the_same_however_it_is_cut(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
		struct buf body = recording(media[i].path);
		struct replay_exchange exchange = {.status = 200,
				.content_type = media[i].type,
				.body = body.data,
				.size = body.size};
		assert_result(&media[i], &exchange, REPLAY_WHOLE, 0);
		assert_result(&media[i], &exchange, REPLAY_BYTES, 0);
		for (size_t at = 1; at < body.size; at += cut_stride(body.size)) {
			assert_result(&media[i], &exchange, REPLAY_AT, at);
		}
		buf_finish(&body);
	}
}

/* In the middle of base64, of JSON, of a number: never a picture that looks whole. */
static void one_that_ends_early_is_eproto(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
		struct buf body = recording(media[i].path);
		size_t whole = body.size;
		while (whole > 0 && strchr(" \r\n", body.data[whole - 1]) != NULL) {
			whole--;
		}
		size_t stride = 1 + whole / 500;
		for (size_t size = 0; strcmp(media[i].type, "audio/mpeg") != 0 && size < whole;
				size += stride) {
			struct replay_exchange exchange = {.status = 200,
					.content_type = media[i].type,
					.body = body.data,
					.size = size};
			struct replay replay = ask(&media[i], &exchange, REPLAY_WHOLE, 0);
			assert_true(replay.failed);
			assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
			replay_finish(&replay);
		}
		buf_finish(&body);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_recorded_result_is_the_same_however_it_is_cut),
			cmocka_unit_test(one_that_ends_early_is_eproto),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
