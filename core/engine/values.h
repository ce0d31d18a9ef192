/* The settings that are in force where: values that were written at the root, a provider or a
 * model, inherited downwards, with config.yml's and the table's defaults beneath them. */
#ifndef CORE_ENGINE_VALUES_H
#define CORE_ENGINE_VALUES_H

#include "core/config/config.h"
#include "core/config/settings.h"
#include "core/store/catalogue.h"

struct values;

/* Loads what was written at earlier mounts. */
struct values *values_create(struct store *store, struct fail *fail);
void values_destroy(struct values *values);

/* What was written at exactly this place; NULL when nothing was. */
const char *values_own(const struct values *values, int64_t place, int index);
/* Keeps a checked value; NULL restores inheritance. */
bool values_set(struct values *values, int64_t place, int index, const char *value,
		struct fail *fail);
/* Restores inheritance of everything at this place. */
void values_reset(struct values *values, int64_t place);
/* The place ended: its values are out of the store already. */
void values_forget(struct values *values, int64_t place);
/* The value in force at a place: its own; for a session the one of what it is a session of; then
 * its provider's, config.yml's for that provider (NULL `config` when it has no entry; its `timeout`
 * and `retries` are settings as well), the root's, the table's default. `model`: the one that
 * answers a prompt written at `place`, whose settings stand between that place's and the
 * provider's; `place` itself when nothing is asked.
 * "" when none is. A time-out or `retries` is valid until the next call. */
const char *values_effective(struct values *values, struct place *place, struct place *model,
		const struct config_provider *config, int index);
/* Where the value that values_effective gives was set, in words: "config/voice of the root". The
 * caller frees; NULL without memory. */
char *values_where(struct values *values, struct place *place, struct place *model,
		const struct config_provider *config, int index);

#endif
