/* Estimates: see estimate.h. */
#include "core/engine/estimate.h"

#include "core/base/text.h"
#include "core/config/settings.h"

#include <cjson/cJSON.h>
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
#define TURN_TOKENS 64
/* Images and sound are made of tokens that max_tokens doesn't limit: one answer's. */
#define MEDIA_TOKENS 16384

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

/* `extra` is merged into the request and may ask for more than the settings. */
static int64_t with_extra(const char *extra, int64_t tokens) {
	static const char *const limits[] = {
			"max_tokens", "max_completion_tokens", "max_output_tokens"};
	static const char *const times[] = {"n", "best_of"};
	cJSON *json = extra[0] != '\0' ? cJSON_Parse(extra) : NULL;
	int64_t answers = 1;
	for (size_t i = 0; i < 3; i++) {
		const cJSON *limit = cJSON_GetObjectItemCaseSensitive(json, limits[i]);
		int64_t value = cJSON_IsNumber(limit) ? whole(limit->valuedouble) : 0;
		tokens = value > tokens ? value : tokens;
	}
	for (size_t i = 0; i < 2; i++) {
		const cJSON *count = cJSON_GetObjectItemCaseSensitive(json, times[i]);
		int64_t value = cJSON_IsNumber(count) ? whole(count->valuedouble) : 0;
		answers = value > answers ? value : answers;
	}
	cJSON_Delete(json);
	return whole((double)tokens * (double)answers);
}

/* What is always sent (design section 3.11): the setting, else the smaller of the model's limit and
 * the standard, lowered so that it fits the context beside the prompt and to what is affordable. */
static int64_t choose_max_tokens(const struct model_record *record, int64_t set,
		const struct input_size *size, int64_t afford) {
	if (set > 0) {
		return set;
	}
	int64_t most = MAX_TOKENS_STANDARD;
	if (record->max_output > 0 && record->max_output < most) {
		most = record->max_output;
	}
	int64_t prompt = (int64_t)(size->bytes / BYTES_PER_TOKEN_FITTING) + 16;
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

void estimate_turn(const struct provider *provider, const struct model_record *record,
		const char *const *settings, const struct input_size *size, int64_t afford,
		struct estimate *ret) {
	uint64_t beside = settings_bytes(settings);
	uint64_t narrow = size->bytes > size->wide ? size->bytes - size->wide : 0;
	*ret = (struct estimate){
			.prompt = (int64_t)((narrow + beside) / BYTES_PER_TOKEN +
						  size->wide / WIDE_BYTES_PER_TOKEN +
						  size->messages * 4 + 1) +
				  size->tokens,
			.prompt_most = (int64_t)(size->bytes + beside) + size->tokens +
				       (int64_t)size->messages * MESSAGE_TOKENS + TURN_TOKENS,
			.max_tokens = choose_max_tokens(record,
					whole_setting(settings, "max_tokens"), size, afford),
	};
	/* What doesn't fit into the context isn't read, and isn't billed. */
	if (record->context_length > 0 && ret->prompt_most > record->context_length) {
		ret->prompt_most = record->context_length;
		ret->prompt = ret->prompt < ret->prompt_most ? ret->prompt : ret->prompt_most;
	}
	int64_t completion = whole_setting(settings, "max_completion_tokens");
	completion = completion > ret->max_tokens ? completion : ret->max_tokens;
	if (makes_media(record) && completion < MEDIA_TOKENS) {
		completion = MEDIA_TOKENS;
	}
	ret->completion_most = with_extra(setting(settings, "extra"), completion);
	ret->price = price_of(provider, record, ret->prompt_most, true);
	ret->cost_most = price_cost(&ret->price, ret->prompt_most, ret->completion_most);
	struct price likely = price_of(provider, record, ret->prompt, false);
	ret->cost_prompt = price_cost(&likely, ret->prompt, 0);
}
