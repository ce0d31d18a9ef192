/* Running key_command: see key_command.h.
 *
 * It lives until the child was reaped, its output came to an end and all handles are closed; then,
 * whatever happened, `done` is called at most once and it frees itself. */
#include "core/config/key/key_command.h"

#include "core/config/key/secret.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key_command {
	uv_process_t process;
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned closing; /* handles whose close is under way */
	bool spawned; /* `process` is a handle, also of a spawn that failed */
	bool running, piping;
	char *text;
	double seconds;
	char *output; /* secret memory of OUTPUT_ROOM bytes */
	size_t size;
	char failure[128];
	key_command_done *done; /* NULL once called or cancelled */
	void *data;
};

/* A byte more than is accepted, so that more is seen. */
#define OUTPUT_ROOM (KEY_COMMAND_OUTPUT_MOST + 1)

static void tell(struct key_command *command) {
	key_command_done *done = command->done;
	bool failed = command->failure[0] != '\0';
	command->done = NULL;
	if (done != NULL) {
		done(command->data, failed ? NULL : command->output, failed ? 0 : command->size,
				failed ? command->failure : NULL);
	}
}

static void free_command(struct key_command *command) {
	secret_unmap(command->output, OUTPUT_ROOM);
	secret_free_string(command->text);
	free(command);
}

static void handle_closed(uv_handle_t *handle) {
	struct key_command *command = handle->data;
	if (--command->closing == 0) {
		tell(command);
		free_command(command);
	}
}

/* Closes everything once the child is gone and its output has ended. */
static void close_if_over(struct key_command *command) {
	if (command->running || command->piping || uv_is_closing((uv_handle_t *)&command->timer)) {
		return;
	}
	command->closing = command->spawned ? 3 : 2;
	uv_close((uv_handle_t *)&command->timer, handle_closed);
	uv_close((uv_handle_t *)&command->pipe, handle_closed);
	if (command->spawned) {
		uv_close((uv_handle_t *)&command->process, handle_closed);
	}
}

static void end_output(struct key_command *command) {
	command->piping = false;
	uv_read_stop((uv_stream_t *)&command->pipe);
	close_if_over(command);
}

/* The first failure counts: what follows comes from the kill. */
static void fail_command(struct key_command *command, const char *words) {
	if (command->failure[0] == '\0') {
		snprintf(command->failure, sizeof(command->failure), "%s", words);
	}
	if (command->running) {
		/* Its own session: pid and process group are the same number. */
		kill(-command->process.pid, SIGKILL);
	}
	/* Who has left its process group may hold the pipe open for ever. */
	end_output(command);
}

static void exited(uv_process_t *process, int64_t status, int signal) {
	struct key_command *command = process->data;
	command->running = false;
	char words[64] = "";
	if (signal != 0) {
		snprintf(words, sizeof(words), "key_command was ended by signal %d", signal);
	} else if (status != 0) {
		snprintf(words, sizeof(words), "key_command exited with %lld", (long long)status);
	}
	if (words[0] != '\0') {
		fail_command(command, words);
	}
	close_if_over(command);
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret) {
	(void)wanted;
	struct key_command *command = handle->data;
	ret->base = command->output + command->size;
	ret->len = OUTPUT_ROOM - command->size;
}

static void output_came(uv_stream_t *stream, ssize_t got, const uv_buf_t *into) {
	(void)into;
	struct key_command *command = stream->data;
	if (got < 0) {
		end_output(command);
		return;
	}
	command->size += (size_t)got;
	if (command->size > KEY_COMMAND_OUTPUT_MOST) {
		fail_command(command, "key_command printed more than 64 KiB");
	}
}

static void time_is_up(uv_timer_t *timer) {
	struct key_command *command = timer->data;
	if (!command->running) {
		/* It ended well; something it left behind holds its stdout open. */
		end_output(command);
		return;
	}
	char words[64];
	snprintf(words, sizeof(words), "key_command took longer than %g s", command->seconds);
	fail_command(command, words);
}

static void start(uv_timer_t *timer) {
	struct key_command *command = timer->data;
	char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, command->text, NULL};
	/* UV_IGNORE: /dev/null. */
	uv_stdio_container_t stdio[3] = {
			{.flags = UV_IGNORE},
			{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
					.data.stream = (uv_stream_t *)&command->pipe},
			{.flags = UV_IGNORE},
	};
	const uv_process_options_t options = {.exit_cb = exited,
			.file = "/bin/sh",
			.args = arguments,
			.flags = UV_PROCESS_DETACHED,
			.stdio_count = 3,
			.stdio = stdio};
	int code = uv_spawn(timer->loop, &command->process, &options);
	command->process.data = command;
	command->spawned = true;
	if (code != 0) {
		char words[96];
		snprintf(words, sizeof(words), "key_command can't be started: %s",
				uv_strerror(code));
		fail_command(command, words);
		return;
	}
	command->running = true;
	command->piping = uv_read_start((uv_stream_t *)&command->pipe, give_room, output_came) == 0;
	uv_timer_start(&command->timer, time_is_up, (uint64_t)(command->seconds * 1000), 0);
}

struct key_command *key_command_start(uv_loop_t *loop, const char *command, double seconds,
		key_command_done *done, void *data) {
	struct key_command *ret = calloc(1, sizeof(*ret));
	if (ret == NULL) {
		return NULL;
	}
	ret->text = strdup(command);
	ret->output = secret_map(OUTPUT_ROOM);
	if (ret->text == NULL || ret->output == NULL) {
		free_command(ret);
		return NULL;
	}
	ret->seconds = seconds;
	ret->done = done;
	ret->data = data;
	uv_timer_init(loop, &ret->timer);
	uv_pipe_init(loop, &ret->pipe, 0);
	ret->timer.data = ret->pipe.data = ret;
	uv_timer_start(&ret->timer, start, 0, 0);
	return ret;
}

void key_command_cancel(struct key_command *command) {
	if (command != NULL) {
		command->done = NULL;
		fail_command(command, "cancelled");
	}
}
