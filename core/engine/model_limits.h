/* What models take of settings: their stated limits, and whether what is in force is within. */
#ifndef CORE_ENGINE_MODEL_LIMITS_H
#define CORE_ENGINE_MODEL_LIMITS_H

#include "core/engine/engine.h"

/* What a model says of a setting, by its index: the limit it stated, and of max_tokens the most
 * that it gives. False when it says nothing, or `model` is NULL. Valid until the loop's next event.
 */
bool limits_of(struct engine *engine, const struct place *model, int index, struct limit *ret);
/* What reading the setting's file at a place shows: the value in force, else the model's default,
 * which isn't sent. */
const char *limits_shown(struct engine *engine, struct place *place, int index);
/* Whether each value that is in force for a prompt written at `place` is one that `model` takes;
 * else an errno and words that name the setting and where it is set. A value of max_tokens from
 * above is always taken, since it is a bound: it is lowered to what the model gives. */
bool limits_pass(
		struct engine *engine, struct place *place, struct place *model, struct fail *fail);
/* The same of values that were kept for a turn; ERANGE. */
bool limits_pass_kept(struct engine *engine, const struct place *model, char *const *values,
		struct fail *fail);

#endif
