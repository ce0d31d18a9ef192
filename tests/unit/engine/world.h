/* What the engine's tests share: a scripted service in a process of its own, an engine in
 * directories of its own, and a loop whose every wait ends. */
#ifndef TESTS_UNIT_ENGINE_WORLD_H
#define TESTS_UNIT_ENGINE_WORLD_H

#include "core/base/buf.h"
#include "core/engine/engine.h"
#include "core/engine/load/discovery.h"
#include "core/engine/models_table.h"
#include "core/engine/run/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct world {
	char directory[64]; /* holds config.yml, state/, config/, providers/ */
	uv_loop_t loop;
	uv_timer_t tick;
	struct engine *engine;
	struct engine_options options;
	char runner[512], providers[128], config_file[128];
	size_t heard; /* listings that changed */
};

extern int server_port;

/* Of a group: the service, and libcurl. */
int server_start(void **state);
int server_stop(void **state);
/* What the service answers to a GET; the caller frees. */
char *server_ask(const char *path);
int server_count(const char *name);

/* Of a test: a world without an engine yet, and the check that the loop drains. */
int world_setup(void **state);
int world_teardown(void **state);

/* Writes config.yml: a format with `%1$d` for the service's port. */
void config_write(struct world *world, const char *format);
/* A provider `local` that speaks to the service. */
#define LOCAL "providers:\n  local: {driver: openai, base_url: \"http://127.0.0.1:%1$d/v1\"}\n"
/* The same, with further members after `more`. */
#define LOCAL_WITH(more)                                                                           \
	"providers:\n  local: {driver: openai, base_url: \"http://127.0.0.1:%1$d/v1\", " more "}"  \
	"\n"
#define ODD(path) "providers:\n  odd: {base_url: \"http://127.0.0.1:%1$d" path "\"}\n"

/* Opens the engine and waits for the first discovery. */
void world_open(struct world *world);
/* Opens it and returns at once. */
void world_open_now(struct world *world);
void world_close(struct world *world);

/* Turns the loop until the expression is true; a failure that quotes it after 20 s. */
#define WAIT(world, expression)                                                                    \
	do {                                                                                       \
		uint64_t until_ = uv_hrtime() + WAIT_NS;                                           \
		while (!(expression)) {                                                            \
			if (uv_hrtime() > until_) {                                                \
				fail_msg("not within 20 s: %s", #expression);                      \
			}                                                                          \
			world_turn(world);                                                         \
		}                                                                                  \
	} while (false)
#define WAIT_NS UINT64_C(20000000000)
/* One round of the loop, of at most 5 ms when nothing happens. */
void world_turn(struct world *world);

struct provider *provider_of(struct world *world, const char *name);
/* "local/maker/echo": a provider and the components of a model's id; NULL when it isn't there. */
struct place *place_of(struct world *world, const char *path);
/* A setting of a place as if its file had been written; NULL takes it away. */
void write_setting(struct world *world, struct place *place, const char *name, const char *value);

/* The chain of this test's own process. */
const struct chain *me(void);

/* A turn that was submitted, held; to be released. */
struct turn *ask(struct world *world, const char *path, const char *prompt);
struct turn *ask_on(struct world *world, const char *path, const char *prompt);
/* The same with as many bytes as are given, unsubmitted. */
struct turn *begin(struct world *world, const char *path, const void *prompt, size_t size);
void wait_over(struct world *world, struct turn *turn);
void wait_state(struct world *world, struct turn *turn, enum turn_state state);
/* A turn's file as a string; the caller frees. */
char *text_of(struct turn *turn, enum turn_file file);

void assert_output(struct turn *turn, const char *expected);
void assert_failed(struct turn *turn, int code, const char *words);
void assert_holds(const char *text, const char *part);

#endif
