/* What the tests of routes share: two providers of one service, and the route to them for
 * text-to-text. */
#ifndef TESTS_UNIT_ENGINE_ROUTING_H
#define TESTS_UNIT_ENGINE_ROUTING_H

#include "tests/unit/engine/world.h"

#define TWO                                                                                        \
	"providers:\n"                                                                             \
	"  a: {driver: openai, base_url: \"http://127.0.0.1:%1$d/routes/v1\"}\n"                   \
	"  b: {driver: openai, base_url: \"http://127.0.0.1:%1$d/routes/v1\"}\n"

struct place *route_of(struct world *world);
void set(struct world *world, const char *patterns);
void set_value(struct world *world, const char *name, const char *value);
/* "a/ok" */
void assert_chosen(struct world *world, const char *expected);
void assert_nobody(struct world *world, int code, const char *words);
void assert_shown(struct world *world, const char *part);
/* As if the list had said so. */
void price(struct world *world, const char *path, double prompt, double completion);
/* No service of this machine any more: what states no price isn't known to cost nothing. */
void make_remote(struct world *world, const char *name);
void failed(struct world *world, const char *path, int code);

#endif
