/* What a turn may cost before it is sent: its tokens, by the bytes that go in and the settings, and
 * its price. */
#ifndef CORE_ENGINE_MONEY_ESTIMATE_H
#define CORE_ENGINE_MONEY_ESTIMATE_H

#include "core/engine/money/price.h"

/* What goes in: the prompt and the conversation before it. */
struct input_size {
	uint64_t bytes;
	uint64_t wide; /* of them in characters of more than one byte; 0 when nobody counted */
	size_t messages;
	int64_t tokens; /* further ones, of answers that are still to come */
	/* Of what isn't text, in tokens: a guess, and what it can't exceed. */
	int64_t media, media_most;
	size_t images; /* of them */
};

/* Adds a file of this kind (see media.h). */
void input_add(struct input_size *size, unsigned kind, uint64_t bytes);

struct estimate {
	int64_t prompt, prompt_most; /* tokens: a guess, and what it can't exceed */
	int64_t max_tokens; /* what is sent as max_tokens */
	int64_t completion_most; /* tokens that the answer may have by the settings */
	struct price price; /* that bounds what a token costs */
	int64_t cost_prompt; /* pico-USD for the prompt as guessed; -1 unknown */
	int64_t cost_most; /* pico-USD that the turn can't exceed; -1 unknown */
};

/* `settings` by the table's index, NULL for none. `left`: max_tokens, where it isn't set, is
 * lowered so that the turn costs at most as many pico-USD, but not below 256; INT64_MAX: no matter.
 */
void estimate_turn(const struct provider *provider, const struct model_record *record,
		const char *const *settings, const struct input_size *size, int64_t left,
		struct estimate *ret);

/* How many answers the settings ask for: pictures, of a model that makes them. At least 1. */
int64_t estimate_answers(const char *const *settings);

/* Of a prompt that begins a conversation at a place, by the settings and budgets that are in force
 * there now. False with words where it isn't known which model would answer. */
bool estimate_prompt_at(struct engine *engine, struct place *place, const struct input_size *size,
		struct estimate *ret, struct fail *fail);

#endif
