/* Running conduitfs-fetch on a loop: see fetch.h.
 *
 * It lives until the program was reaped, its output came to an end and all handles are closed; then
 * the end is told, unless it was cancelled, and it frees itself. */
#include "core/fetch/fetch.h"

#include "core/fetch/cache.h"
#include "core/fetch/message.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* The program keeps its own time; this is for one that doesn't: a second more, and a tenth. */
#define GRACE_SECONDS 1.0
#define GRACE_FACTOR 1.1
#define TOTAL_SECONDS 900.0
#define READ_SIZE 65536

struct fetch {
	uv_process_t process;
	uv_pipe_t in, out;
	uv_timer_t timer;
	uv_write_t write;
	struct buf task; /* written to it */
	struct buf lines; /* read from it, the last one not ended yet */
	char room[READ_SIZE];
	struct fetch_events events;
	void *data;
	char *source; /* its text, for words */
	struct fetch_result result;
	unsigned handles; /* open, or closing */
	bool running, reading, over, cancelled;
	int64_t status; /* how it ended */
	int signal;
};

/* ---- its end ---- */

static char *or_empty(char *text) {
	static char empty[] = "";
	return text != NULL ? text : empty;
}

static void tell_end(struct fetch *fetch) {
	/* Nobody is to check for strings that memory was short for. */
	struct fetch_result shown = fetch->result;
	cache_hold(&shown);
	shown.words = or_empty(shown.words);
	shown.files = or_empty(shown.files);
	shown.object = or_empty(shown.object);
	shown.messages = or_empty(shown.messages);
	fetch->events.end(fetch->data, &shown);
	if (shown.hold > 0) {
		close(shown.hold);
	}
}

static void free_fetch(struct fetch *fetch) {
	buf_finish(&fetch->task);
	buf_finish(&fetch->lines);
	fetch_result_finish(&fetch->result);
	free(fetch->source);
	free(fetch);
}

static void handle_closed(uv_handle_t *handle) {
	struct fetch *fetch = handle->data;
	if (--fetch->handles == 0) {
		if (!fetch->cancelled) {
			tell_end(fetch);
		}
		free_fetch(fetch);
	}
}

static void close_handle(void *handle) {
	if (!uv_is_closing(handle)) {
		uv_close(handle, handle_closed);
	}
}

/* The first result counts. */
static void set_failure(struct fetch *fetch, int code, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
static void set_failure(struct fetch *fetch, int code, const char *format, ...) {
	struct buf words cleanup_buf = {0};
	va_list args;
	if (fetch->over) {
		return;
	}
	va_start(args, format);
	buf_add_format(&words, "%s: ", fetch->source);
	buf_add_vformat(&words, format, args);
	va_end(args);
	fetch->over = true;
	fetch->result.code = code;
	fetch->result.words = buf_take(&words);
}

/* It said no end. */
static void tell_death(struct fetch *fetch) {
	if (fetch->signal != 0) {
		const char *name = sigabbrev_np(fetch->signal);
		set_failure(fetch, EIO, "conduitfs-fetch was ended by SIG%s",
				name != NULL ? name : "?");
	} else if (fetch->status != 0) {
		set_failure(fetch, EIO, "conduitfs-fetch ended with status %lld",
				(long long)fetch->status);
	} else {
		set_failure(fetch, EIO, "conduitfs-fetch ended without a result");
	}
}

static void close_if_over(struct fetch *fetch) {
	if (!fetch->running && !fetch->reading) {
		tell_death(fetch);
		close_handle(&fetch->process);
		close_handle(&fetch->in);
		close_handle(&fetch->out);
		close_handle(&fetch->timer);
	}
}

static void kill_group(struct fetch *fetch) {
	if (fetch->running) {
		/* Its own session: pid and process group are the same number. */
		kill(-fetch->process.pid, SIGKILL);
	}
}

static void stop_reading(struct fetch *fetch) {
	fetch->reading = false;
	uv_read_stop((uv_stream_t *)&fetch->out);
}

static void exited(uv_process_t *process, int64_t status, int number) {
	struct fetch *fetch = process->data;
	fetch->running = false;
	fetch->status = status;
	fetch->signal = number;
	close_if_over(fetch);
}

static void time_is_up(uv_timer_t *timer) {
	struct fetch *fetch = timer->data;
	set_failure(fetch, ETIMEDOUT, "conduitfs-fetch took too long and was ended");
	kill_group(fetch);
	stop_reading(fetch);
	close_if_over(fetch);
}

/* ---- what it says ---- */

static void take_line(struct fetch *fetch, const char *line) {
	struct message message cleanup_message = {0};
	if (fetch->over || fetch->cancelled || !message_read(&message, line)) {
		return;
	}
	if (message.type == MESSAGE_END) {
		fetch->over = true;
		fetch->result = message.result;
		message.result = (struct fetch_result){0};
	} else if (message.type == MESSAGE_PROGRESS && fetch->events.progress != NULL) {
		fetch->events.progress(fetch->data, &message.progress);
	}
}

static void give_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret) {
	(void)wanted;
	struct fetch *fetch = handle->data;
	*ret = uv_buf_init(fetch->room, sizeof(fetch->room));
}

static void output_came(uv_stream_t *stream, ssize_t got, const uv_buf_t *into) {
	struct fetch *fetch = stream->data;
	if (got < 0) {
		stop_reading(fetch);
		close_if_over(fetch);
		return;
	}
	if (!buf_add(&fetch->lines, into->base, (size_t)got)) {
		set_failure(fetch, EPROTO, "conduitfs-fetch says what makes no sense");
		kill_group(fetch);
	}
	for (char *end; fetch->lines.size > 0 &&
			(end = memchr(fetch->lines.data, '\n', fetch->lines.size)) != NULL;) {
		*end = '\0';
		take_line(fetch, fetch->lines.data);
		buf_drop_front(&fetch->lines, (size_t)(end - fetch->lines.data) + 1);
	}
}

/* ---- its beginning ---- */

/* What git, ssh-agent and credential helpers need of the environment; no keys. */
static const char *const passed[] = {"PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK",
		"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
		"DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME", "https_proxy", "HTTPS_PROXY", "no_proxy",
		"NO_PROXY"};
#define N_PASSED (sizeof(passed) / sizeof(passed[0]))

/* Fills `ret` with pointers into our own environment. */
static void pick_environment(char *ret[N_PASSED + 1]) {
	size_t n = 0;
	for (char **entry = environ; *entry != NULL; entry++) {
		size_t length = strcspn(*entry, "=");
		for (size_t i = 0; i < N_PASSED && n < N_PASSED; i++) {
			if (strlen(passed[i]) == length &&
					strncmp(*entry, passed[i], length) == 0) {
				ret[n++] = *entry;
			}
		}
	}
	ret[n] = NULL;
}

static int spawn(struct fetch *fetch, uv_loop_t *loop, const char *program) {
	char *arguments[] = {(char *)program, NULL};
	char *environment[N_PASSED + 1];
	uv_stdio_container_t stdio[3] = {
			{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
					.data.stream = (uv_stream_t *)&fetch->in},
			{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
					.data.stream = (uv_stream_t *)&fetch->out},
			{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
	};
	const uv_process_options_t options = {.exit_cb = exited,
			.file = program,
			.args = arguments,
			.env = environment,
			.flags = UV_PROCESS_DETACHED,
			.stdio_count = 3,
			.stdio = stdio};
	pick_environment(environment);
	return uv_spawn(loop, &fetch->process, &options);
}

static struct fetch *create(uv_loop_t *loop, const struct fetch_options *options,
		const struct fetch_request *request, const struct fetch_events *events,
		void *data) {
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	if (fetch == NULL) {
		return NULL;
	}
	fetch->lines.limit = 2 * MESSAGE_MOST;
	fetch->events = *events;
	fetch->data = data;
	fetch->source = strdup(request->source->text);
	if (fetch->source == NULL || !task_write(&fetch->task, options, request)) {
		free_fetch(fetch);
		return NULL;
	}
	uv_pipe_init(loop, &fetch->in, 0);
	uv_pipe_init(loop, &fetch->out, 0);
	uv_timer_init(loop, &fetch->timer);
	fetch->in.data = fetch->out.data = fetch->timer.data = fetch;
	fetch->process.data = fetch;
	fetch->handles = 4;
	return fetch;
}

struct fetch *fetch_begin(uv_loop_t *loop, const struct fetch_options *options,
		const struct fetch_request *request, const struct fetch_events *events, void *data,
		struct fail *fail) {
	if (request->source->kind == SOURCE_BUNDLED) {
		fail_set(fail, EINVAL, "%s is a bundled provider: there is nothing to fetch",
				request->source->text);
		return NULL;
	}
	struct fetch *fetch = create(loop, options, request, events, data);
	if (fetch == NULL) {
		fail_set(fail, ENOMEM, "no memory to fetch %s", request->source->text);
		return NULL;
	}
	int code = spawn(fetch, loop, options->program);
	fetch->process.data = fetch;
	if (code != 0) {
		fail_set(fail, -code, "can't start %s: %s", options->program, uv_strerror(code));
		fetch->cancelled = true;
		close_if_over(fetch);
		return NULL;
	}
	fetch->running = true;
	fetch->reading = uv_read_start((uv_stream_t *)&fetch->out, give_room, output_came) == 0;
	const uv_buf_t task = uv_buf_init(fetch->task.data, (unsigned)fetch->task.size);
	uv_write(&fetch->write, (uv_stream_t *)&fetch->in, &task, 1, NULL);
	double seconds = options->total_seconds > 0 ? options->total_seconds : TOTAL_SECONDS;
	uv_timer_start(&fetch->timer, time_is_up,
			(uint64_t)((seconds * GRACE_FACTOR + GRACE_SECONDS) * 1000), 0);
	return fetch;
}

void fetch_cancel(struct fetch *fetch) {
	if (fetch != NULL && !fetch->cancelled) {
		fetch->cancelled = true;
		kill_group(fetch);
		stop_reading(fetch);
		close_if_over(fetch);
	}
}

bool fetch_cached(const struct fetch_options *options, const struct source *source,
		const char *commit, struct fetch_result *ret) {
	if (source->kind == SOURCE_BUNDLED ||
			!cache_find(options->cache, source->path, commit, ret)) {
		return false;
	}
	cache_hold(ret);
	return true;
}
