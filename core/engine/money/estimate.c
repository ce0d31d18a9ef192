/* Estimates: see estimate.h. */
#include "core/engine/money/estimate.h"

#include "core/base/text.h"
#include "core/base/usd.h"
#include "core/config/settings.h"
#include "core/engine/attach/attach.h"
#include "core/engine/attach/media.h"
#include "core/engine/engine.h"
#include "core/engine/money/budget.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* Design section 3.11: the most output asked for when nothing else says it. */
#define MAX_TOKENS_STANDARD 16384
#define MAX_TOKENS_LEAST 256
/* A token is at least one byte, whatever the vocabulary; of prose it is four, and of scripts whose
 * characters have several bytes about half of one character. */
#define BYTES_PER_TOKEN 4
#define WIDE_BYTES_PER_TOKEN 2
/* Of a prompt that must fit into the context, where a guess too high would cost answer. */
#define BYTES_PER_TOKEN_FITTING 3
/* What a service wraps around a message, and around them all. */
#define MESSAGE_TOKENS 16
#define MESSAGE_TOKENS_LIKELY 4
#define TURN_TOKENS 64
/* Images and sound are made of tokens that max_tokens doesn't limit: one answer's. */
#define MEDIA_TOKENS 16384

/* What services make of an image: some hundred tokens for a small one, by its area and not by its
 * bytes; the dearest of them 48,000 for the largest. */
#define IMAGE_TOKENS 1600
#define IMAGE_TOKENS_MOST 65536
/* Sound, video and documents: packed, so that a byte may be more than a token. */
#define PACKED_BYTES_PER_TOKEN 256
#define PACKED_TOKENS_PER_BYTE_MOST 8
#define TOKENS_BOUND ((int64_t)1 << 50)

void input_add(struct input_size *size, unsigned kind, uint64_t bytes) {
	if (kind == MEDIA_TEXT) {
		size->bytes += bytes;
		return;
	}
	bool image = kind == MEDIA_IMAGE;
	size->images += image;
	int64_t packed = bytes < (uint64_t)TOKENS_BOUND ? (int64_t)bytes : TOKENS_BOUND;
	size->media += image ? IMAGE_TOKENS : packed / PACKED_BYTES_PER_TOKEN + 1;
	size->media_most += image ? IMAGE_TOKENS_MOST : packed * PACKED_TOKENS_PER_BYTE_MOST;
}

static const char *setting(const char *const *settings, const char *name) {
	int index = setting_find(name);
	return index >= 0 && settings[index] != NULL ? settings[index] : "";
}

/* Settings that are sent as text of their own, which the model reads; `system` is a message. */
static uint64_t settings_bytes(const char *const *settings) {
	static const char *const read[] = {
			"system", "schema", "tools", "response_format", "prediction", "extra"};
	uint64_t bytes = 0;
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
		bytes += strlen(setting(settings, read[i]));
	}
	return bytes;
}

static int64_t whole(double value) {
	return value > 0 ? (int64_t)fmin(value, 1e15) : 0;
}

static int64_t whole_setting(const char *const *settings, const char *name) {
	double value = 0;
	return parse_double(setting(settings, name), &value) ? whole(value) : 0;
}

/* What `extra`, which is merged into the request, asks for beyond the settings. */
struct extra {
	int64_t tokens; /* at most so many of each answer; 0: it doesn't say */
	int64_t answers;
};

/* The largest of some members; `least` when none is larger. */
static int64_t largest(const cJSON *json, const char *const *names, size_t n, int64_t least) {
	for (size_t i = 0; i < n; i++) {
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, names[i]);
		int64_t value = cJSON_IsNumber(member) ? whole(member->valuedouble) : 0;
		least = value > least ? value : least;
	}
	return least;
}

static struct extra read_extra(const char *text) {
	static const char *const tokens[] = {
			"max_tokens", "max_completion_tokens", "max_output_tokens"};
	static const char *const answers[] = {"n", "best_of"};
	cJSON *json = text[0] != '\0' ? cJSON_Parse(text) : NULL;
	struct extra extra = {
			.tokens = largest(json, tokens, 3, 0),
			.answers = largest(json, answers, 2, 1),
	};
	cJSON_Delete(json);
	return extra;
}

/* How many tokens of each answer what is left pays for. */
static int64_t affordable(
		const struct price *price, int64_t prompt, int64_t answers, int64_t left) {
	int64_t before = price_cost(price, prompt, 0);
	if (left == INT64_MAX || price->completion <= 0 || before < 0) {
		return INT64_MAX;
	}
	double rest = left > before ? (double)(left - before) / (double)USD : 0;
	/* A little less, so that rounding never makes it too dear. */
	double tokens = rest / (price->completion * (double)answers) * (1 - 1e-9);
	return tokens < 1e15 ? (int64_t)tokens : INT64_MAX;
}

/* What is always sent (design section 3.11): the setting as far as the model gives so much, else
 * the smaller of the model's limit and the standard, lowered so that it fits the context beside the
 * prompt and to what is affordable. */
static int64_t choose_max_tokens(const struct model_record *record, int64_t set,
		const struct input_size *size, int64_t afford) {
	if (set > 0) {
		return record->max_output > 0 && record->max_output < set ? record->max_output
									  : set;
	}
	int64_t most = MAX_TOKENS_STANDARD;
	if (record->max_output > 0 && record->max_output < most) {
		most = record->max_output;
	}
	int64_t prompt = (int64_t)(size->bytes / BYTES_PER_TOKEN_FITTING) + size->media + 16;
	if (record->context_length > 0 && most > record->context_length - prompt) {
		most = record->context_length - prompt;
	}
	if (most > afford) {
		most = afford;
	}
	if (most < MAX_TOKENS_LEAST) {
		most = record->max_output > 0 && record->max_output < MAX_TOKENS_LEAST
				       ? record->max_output
				       : MAX_TOKENS_LEAST;
	}
	return most;
}

static bool makes_media(const struct model_record *record) {
	return strstr(record->output_modalities, "image") != NULL ||
	       strstr(record->output_modalities, "audio") != NULL;
}

/* The tokens that go in, as a guess and at most. */
static void estimate_input(const struct model_record *record, const char *const *settings,
		const struct input_size *size, struct estimate *ret) {
	uint64_t beside = settings_bytes(settings);
	uint64_t narrow = size->bytes > size->wide ? size->bytes - size->wide : 0;
	uint64_t text = (narrow + beside) / BYTES_PER_TOKEN + size->wide / WIDE_BYTES_PER_TOKEN;
	ret->prompt = (int64_t)(text + size->messages * MESSAGE_TOKENS_LIKELY) + size->tokens +
		      size->media;
	ret->prompt_most = (int64_t)(size->bytes + beside + size->messages * MESSAGE_TOKENS) +
			   size->tokens + size->media_most + TURN_TOKENS;
	/* What doesn't fit into the context isn't read, and isn't billed. */
	int64_t context = record->context_length > 0 ? record->context_length : INT64_MAX;
	ret->prompt = ret->prompt < context ? ret->prompt : context;
	ret->prompt_most = ret->prompt_most < context ? ret->prompt_most : context;
}

int64_t estimate_answers(const char *const *settings) {
	struct extra extra = read_extra(setting(settings, "extra"));
	int64_t n = whole_setting(settings, "n");
	return n > extra.answers ? n : extra.answers;
}

void estimate_turn(const struct provider *provider, const struct model_record *record,
		const char *const *settings, const struct input_size *size, int64_t left,
		struct estimate *ret) {
	*ret = (struct estimate){0};
	estimate_input(record, settings, size, ret);
	ret->price = price_of(provider, record, ret->prompt_most, true);
	struct extra extra = read_extra(setting(settings, "extra"));
	int64_t answers = estimate_answers(settings);
	price_add_images(&ret->price, size->images, answers);
	int64_t afford = affordable(&ret->price, ret->prompt_most, answers, left);
	ret->max_tokens = choose_max_tokens(
			record, whole_setting(settings, "max_tokens"), size, afford);
	const int64_t limits[] = {ret->max_tokens, whole_setting(settings, "max_completion_tokens"),
			extra.tokens, makes_media(record) ? MEDIA_TOKENS : 0};
	int64_t completion = 0;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		completion = limits[i] > completion ? limits[i] : completion;
	}
	ret->completion_most = whole((double)completion * (double)answers);
	ret->cost_most = price_cost(&ret->price, ret->prompt_most, ret->completion_most);
	struct price likely = price_of(provider, record, ret->prompt, false);
	ret->cost_prompt = price_cost(&likely, ret->prompt, 0);
}

bool estimate_prompt_at(struct engine *engine, struct place *place, const struct input_size *size,
		struct estimate *ret, struct fail *fail) {
	static const struct route_wish anybody = {.in_back_off = true, .with_full_queue = true};
	struct route_choice choice = {.model = place_model(place)};
	if (place_route(place) != NULL && !route_choose(engine, place, &anybody, &choice, fail)) {
		return false;
	}
	struct place *model = choice.model;
	const struct provider *provider = engine_provider(engine, model);
	if (model == NULL || provider == NULL) {
		return fail_set(fail, ENODEV, "estimate: which model would answer isn't known");
	}
	cleanup_free const char **settings = calloc(n_setting_specs, sizeof(*settings));
	if (settings == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	for (int i = 0; i < (int)n_setting_specs; i++) {
		settings[i] = engine_has_setting(engine, model, i)
					      ? engine_setting_of(engine, place, model, i)
					      : NULL;
	}
	struct input_size whole_size = *size;
	whole_size.bytes += strlen(setting(settings, "system"));
	whole_size.messages += 2;
	attachments_measure(engine->attachments, place->id, &whole_size);
	const struct model_record *record = catalogue_record(engine->catalogue, model);
	if (record == NULL) {
		return fail_set(fail, ENOENT, "the model isn't in the catalogue any more");
	}
	estimate_turn(provider, record, settings, &whole_size,
			budget_left(engine->budgets, place, model), ret);
	return true;
}
