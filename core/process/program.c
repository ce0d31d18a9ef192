/* Running a program: see program.h. It lives until conduitfs-run was reaped, its pipes came to an
 * end and all handles are closed. */
#include "core/process/program.h"

#include "core/base/buf.h"
#include "core/base/plain.h"
#include "core/base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of address space: decoders of large pictures with a thread a core need much of it. */
#define MEMORY_MOST ((uint64_t)4 << 30)
#define PIECE 65536
/* The descriptors that conduitfs-run is handed: see core/provider/run/shut_in.h. */
#define DIRECTORY 3
#define INPUTS 4
/* Before the program's path, conduitfs-run itself among them. */
#define OPTIONS 6

struct program {
	uv_process_t process;
	uv_pipe_t output, errors;
	unsigned handles; /* not closed yet */
	bool running, outputting, erring; /* reaped; which pipes haven't ended */
	bool spawned;
	bool paused;
	struct program_events events;
	void *data;
	bool cancelled;
	void (*gone)(void *data);
	int status;
	char words[PROGRAM_WORDS_MOST * 2]; /* the second half is thrown away for what comes */
	size_t words_size;
	char piece[PIECE];
};

void program_input_path(size_t number, char ret[static PROGRAM_PATH_SIZE]) {
	snprintf(ret, PROGRAM_PATH_SIZE, "/proc/self/fd/%zu", number + INPUTS);
}

char *program_find(const char *name) {
	static const char *const directories[] = {"/usr/bin", "/usr/local/bin", "/bin"};
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		char *path = NULL;
		if (strchr(name, '/') != NULL ||
				asprintf(&path, "%s/%s", directories[i], name) < 0) {
			return NULL;
		}
		if (access(path, X_OK) == 0) {
			return path;
		}
		free(path);
	}
	return NULL;
}

/* ---- the end ---- */

/* In one line. Paths under which it saw its files mean nothing outside. */
static void make_words(struct buf *to, const char *words) {
	static const char path[] = "/proc/self/fd/";
	while (*words != '\0') {
		if (starts_with(words, path)) {
			buf_add_string(to, "the input");
			words += strlen(path);
			words += strspn(words, "0123456789");
		} else if (*words == '\n') {
			buf_add_string(to, "; ");
			words += strspn(words, "\n");
		} else {
			buf_add_byte(to, *words++);
		}
	}
}

static void tell(struct program *program) {
	size_t skip = program->words_size > PROGRAM_WORDS_MOST
				      ? program->words_size - PROGRAM_WORDS_MOST
				      : 0;
	size_t size = program->words_size - skip;
	while (size != 0 && program->words[skip + size - 1] == '\n') {
		size--;
	}
	cleanup_free char *words = plain_text(
			program->words + skip, size, PROGRAM_WORDS_MOST, true);
	cleanup_buf struct buf named = {0};
	make_words(&named, words != NULL ? words : "");
	struct program_end end = {.status = program->status, .words = buf_string(&named)};
	program->events.end(program->data, &end);
}

static void on_closed(uv_handle_t *handle) {
	struct program *program = handle->data;
	if (--program->handles != 0) {
		return;
	}
	if (!program->cancelled) {
		tell(program);
	} else if (program->gone != NULL) {
		program->gone(program->data);
	}
	free(program);
}

/* Closes everything once it is gone and has no more to say. */
static void close_if_over(struct program *program) {
	if (program->running || program->outputting || program->erring ||
			uv_is_closing((uv_handle_t *)&program->output)) {
		return;
	}
	uv_close((uv_handle_t *)&program->output, on_closed);
	uv_close((uv_handle_t *)&program->errors, on_closed);
	if (program->spawned) {
		uv_close((uv_handle_t *)&program->process, on_closed);
	}
}

static void on_exited(uv_process_t *process, int64_t status, int signal) {
	struct program *program = process->data;
	program->running = false;
	program->status = signal != 0 ? 128 + signal : (int)status;
	close_if_over(program);
}

/* ---- what it says ---- */

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret) {
	(void)wanted;
	struct program *program = handle->data;
	*ret = uv_buf_init(program->piece, PIECE);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
	struct program *program = stream->data;
	if (size < 0) {
		program->outputting = false;
		close_if_over(program);
	} else if (size > 0 && !program->cancelled &&
			!program->events.output(program->data, buf->base, (size_t)size)) {
		program->paused = true;
		uv_read_stop(stream);
	}
}

static void on_error(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
	struct program *program = stream->data;
	if (got < 0) {
		program->erring = false;
		close_if_over(program);
		return;
	}
	size_t size = (size_t)got;
	const char *from = buf->base;
	if (size > PROGRAM_WORDS_MOST) {
		from += size - PROGRAM_WORDS_MOST;
		size = PROGRAM_WORDS_MOST;
	}
	if (program->words_size + size > sizeof(program->words)) {
		size_t kept = PROGRAM_WORDS_MOST;
		memmove(program->words, program->words + program->words_size - kept, kept);
		program->words_size = kept;
	}
	memcpy(program->words + program->words_size, from, size);
	program->words_size += size;
}

void program_resume(struct program *program) {
	if (program->paused && program->outputting) {
		program->paused = false;
		uv_read_start((uv_stream_t *)&program->output, on_room, on_output);
	}
}

void program_cancel(struct program *program, void (*gone)(void *data), void *data) {
	program->cancelled = true;
	program->gone = gone;
	program->data = data;
	program_resume(program);
	if (program->running) {
		uv_process_kill(&program->process, SIGTERM);
	}
}

/* ---- the beginning ---- */

static char **arguments_of(const struct program_options *options, char numbers[4][32]) {
	size_t n = 0;
	while (options->arguments[n] != NULL) {
		n++;
	}
	char **arguments = calloc(OPTIONS + n + 2, sizeof(*arguments));
	if (arguments == NULL) {
		return NULL;
	}
	static char landlock[] = "landlock", optional[] = "landlock-optional";
	double seconds = options->seconds < 1 ? 1 : options->seconds;
	snprintf(numbers[0], 32, "%.0f", seconds < 1e9 ? seconds : 1e9);
	snprintf(numbers[1], 32, "%llu", (unsigned long long)MEMORY_MOST);
	snprintf(numbers[2], 32, "%llu",
			(unsigned long long)(options->file_most < INT64_MAX ? options->file_most
									    : INT64_MAX));
	snprintf(numbers[3], 32, "%zu", options->n_inputs);
	arguments[0] = (char *)options->runner;
	for (size_t i = 0; i < 4; i++) {
		arguments[1 + i] = numbers[i];
	}
	arguments[5] = options->allow_without_landlock ? optional : landlock;
	arguments[OPTIONS] = (char *)options->path;
	memcpy(arguments + OPTIONS + 1, options->arguments, n * sizeof(*arguments));
	return arguments;
}

static uv_stdio_container_t inherited(int fd) {
	return fd >= 0 ? (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = fd}
		       : (uv_stdio_container_t){.flags = UV_IGNORE};
}

static uv_stdio_container_t piped(uv_pipe_t *pipe) {
	return (uv_stdio_container_t){.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)pipe};
}

static int spawn(uv_loop_t *loop, struct program *program, const struct program_options *options,
		char **arguments) {
	uv_stdio_container_t stdio[INPUTS + PROGRAM_INPUTS_MOST];
	char *environment[] = {NULL};
	stdio[0] = inherited(options->standard_input);
	stdio[1] = piped(&program->output);
	stdio[2] = piped(&program->errors);
	stdio[DIRECTORY] = inherited(options->directory);
	for (size_t i = 0; i < options->n_inputs; i++) {
		stdio[INPUTS + i] = inherited(options->inputs[i]);
	}
	const uv_process_options_t what = {.exit_cb = on_exited,
			.file = options->runner,
			.args = arguments,
			.env = environment,
			.cwd = "/",
			.flags = UV_PROCESS_DETACHED,
			.stdio_count = (int)(INPUTS + options->n_inputs),
			.stdio = stdio};
	program->spawned = true;
	program->handles++;
	program->process.data = program;
	int code = uv_spawn(loop, &program->process, &what);
	program->process.data = program;
	return code;
}

struct program *program_start(uv_loop_t *loop, const struct program_options *options,
		const struct program_events *events, void *data, struct fail *fail) {
	char numbers[4][32];
	struct program *program = calloc(1, sizeof(*program));
	cleanup_free char **arguments = arguments_of(options, numbers);
	if (program == NULL || arguments == NULL) {
		free(program);
		fail_set(fail, ENOMEM, "no memory for %s", options->path);
		return NULL;
	}
	program->events = *events;
	program->data = data;
	uv_pipe_init(loop, &program->output, 0);
	uv_pipe_init(loop, &program->errors, 0);
	program->output.data = program->errors.data = program;
	program->handles = 2;
	int code = spawn(loop, program, options, arguments);
	if (code != 0) {
		fail_set(fail, -code, "%s can't be started: %s", options->runner,
				uv_strerror(code));
		program->cancelled = true;
		close_if_over(program);
		return NULL;
	}
	program->running = true;
	program->outputting = uv_read_start((uv_stream_t *)&program->output, on_room, on_output) ==
			      0;
	program->erring = uv_read_start((uv_stream_t *)&program->errors, on_room, on_error) == 0;
	return program;
}
