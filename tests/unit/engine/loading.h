/* What the tests of providers from outside share: one called acme, whose commits are scripted and
 * whose service is the simulated one. */
#ifndef TESTS_UNIT_ENGINE_LOADING_H
#define TESTS_UNIT_ENGINE_LOADING_H

#include "core/engine/load/load.h"

#include "tests/unit/engine/fake_fetch.h"
#include "tests/unit/engine/world.h"

#include <errno.h>

#define URL "https://example.com/acme-provider.git"
#define ONE "1abcdef0191abcdef0191abcdef0191abcdef019"
#define TWO "2abcdef0292abcdef0292abcdef0292abcdef029"
#define THREE "3abcdef0393abcdef0393abcdef0393abcdef039"

/* A world with a config.yml and no engine yet. */
int loading_setup(void **state);
int loading_teardown(void **state);

/* From now on URL leads to this commit, whose service is at a path of the simulated one's; `more`
 * are lines of its manifest. */
void put(struct world *world, const char *commit, const char *path, const char *more);
struct load *load_of(struct world *world, const char *name);
/* The commands, which must not be refused. */
void load(struct world *world, const char *text, const char *name);
void allow(struct world *world, const char *name);
/* `done` must be false for this reason; finishes `fail`. */
void refused(bool done, struct fail *fail, int code, const char *words);
void wait_for(struct world *world, const char *name, enum provider_state state);
/* Loaded, granted and ready. */
struct provider *ready(struct world *world);
/* A turn with acme is answered. */
void answers(struct world *world);
/* providers.lock as it lies on the disk once all is written; the caller frees. */
char *lock_text(struct world *world);

#endif
