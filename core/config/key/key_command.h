/* key_command of config.yml: a shell command whose first line of output is a key. It runs behind,
 * in a session of its own, with nothing on its stdin, its stderr dropped, and for a bounded time.
 */
#ifndef CORE_CONFIG_KEY_KEY_COMMAND_H
#define CORE_CONFIG_KEY_KEY_COMMAND_H

#include <stddef.h>
#include <uv.h>

struct key_command;

/* What it may print; more is a failure. */
#define KEY_COMMAND_OUTPUT_MOST ((size_t)64 << 10)

/* Once, from the loop, when the command ended: `output` (size bytes, valid during the call, wiped
 * after it) when it exited with 0, else NULL and `failure` in words, which never hold its output.
 * The command is freed after it. */
typedef void key_command_done(void *data, const char *output, size_t size, const char *failure);

/* Runs `command` with /bin/sh -c, from the loop's next turn on and not before: until then the
 * caller may still take secrets out of the environment that the child inherits. It is killed, with
 * all of its session's first process group, after `seconds`. NULL without memory. */
struct key_command *key_command_start(uv_loop_t *loop, const char *command, double seconds,
		key_command_done *done, void *data);
/* Kills it; `done` is not called any more. The loop must turn until it was reaped. NULL is fine. */
void key_command_cancel(struct key_command *command);

#endif
