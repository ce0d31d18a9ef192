/* When a provider's process is started, ended and started again: see process.h. */
#include "core/process/process.h"

#include "core/base/plain.h"
#include "core/process/internal.h"
#include "core/provider/conduit/provider.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define IDLE_SECONDS 30.0
#define RESTART_FIRST_MS 100
#define RESTART_MOST_MS 30000
/* A job waits for a restart so long at most, else it fails at once. */
#define WAIT_MOST_MS 5000
#define LINES_A_SECOND 50

static void work(uv_timer_t *timer);

/* ---- the log ---- */

void process_log(struct process *process, const char *format, ...) {
	char *line cleanup_free = NULL;
	va_list args;
	va_start(args, format);
	if (vasprintf(&line, format, args) < 0) {
		line = NULL;
	}
	va_end(args);
	if (line != NULL && process->options.log != NULL && !process->destroyed) {
		process->options.log(process->options.data, line);
	}
}

void process_provider_line(struct process *process, const char *text, size_t size) {
	uint64_t second = uv_now(process->loop) / 1000;
	if (process->log_second != second) {
		if (process->log_dropped > 0) {
			process_log(process, "%u more lines were dropped", process->log_dropped);
		}
		process->log_second = second;
		process->log_lines = process->log_dropped = 0;
	}
	if (process->log_lines == LINES_A_SECOND) {
		process->log_dropped++;
		return;
	}
	process->log_lines++;
	char *line cleanup_free = plain_text(text, size, WIRE_WORDS_MOST, false);
	if (line != NULL) {
		process_log(process, "%s", line);
	}
}

/* ---- its beginning and end ---- */

static char *copy(const char *text) {
	return strdup(text != NULL ? text : "");
}

static void free_process(struct process *process) {
	free((char *)process->options.name);
	free((char *)process->options.runner);
	free((char *)process->options.object);
	free((char *)process->options.base_url);
	free(process->last_cause);
	free(process);
}

struct process *process_create(uv_loop_t *loop, const struct process_options *options) {
	struct process *process = calloc(1, sizeof(*process));
	if (process == NULL) {
		return NULL;
	}
	process->loop = loop;
	process->options = *options;
	process->options.name = copy(options->name);
	process->options.runner = copy(options->runner);
	process->options.object = copy(options->object);
	process->options.base_url = copy(options->base_url);
	list_init(&process->jobs);
	if (process->options.name == NULL || process->options.runner == NULL ||
			process->options.object == NULL || process->options.base_url == NULL) {
		free_process(process);
		return NULL;
	}
	uv_timer_init(loop, &process->work);
	uv_timer_init(loop, &process->idle);
	process->work.data = process->idle.data = process;
	process->n_handles = 2;
	return process;
}

static void on_closed(uv_handle_t *handle) {
	struct process *process = handle->data;
	if (--process->n_handles == 0) {
		free_process(process);
	}
}

void process_destroy(struct process *process) {
	if (process == NULL || process->destroyed) {
		return;
	}
	process->destroyed = true;
	while (!list_empty(&process->jobs)) {
		job_free(list_entry(process->jobs.next, struct job, link));
	}
	if (process->child != NULL) {
		child_let_go(process->child);
		process->child = NULL;
	}
	uv_close((uv_handle_t *)&process->work, on_closed);
	uv_close((uv_handle_t *)&process->idle, on_closed);
}

int process_pid(const struct process *process) {
	return process->child != NULL ? process->child->launched.pid : 0;
}

size_t process_jobs(const struct process *process) {
	size_t n = 0;
	for (const struct list *link = process->jobs.next; link != &process->jobs;
			link = link->next) {
		n++;
	}
	return n;
}

void process_schedule(struct process *process) {
	if (!process->destroyed) {
		uv_timer_start(&process->work, work, 0, 0);
	}
}

/* ---- jobs that can't go on ---- */

/* Ends those of the jobs up to `last` that `ends` picks: an event may add jobs, and take any away.
 */
static void end_jobs(struct process *process, bool (*ends)(const struct job *job), int code,
		bool crashed, const char *words) {
	uint64_t last = process->last_job;
	for (bool found = true; found && !process->destroyed;) {
		struct job *job;
		found = false;
		list_for_each(job, &process->jobs, link) {
			if (job->id <= last && ends(job)) {
				found = true;
				job_end_failed(job, code, crashed, words);
				break;
			}
		}
	}
}

static bool is_started(const struct job *job) {
	return job->started;
}

static bool waits(const struct job *job) {
	return !job->started && job->doom.code == 0;
}

static bool is_doomed(const struct job *job) {
	return job->doom.code != 0;
}

static struct job *find_doomed(struct process *process) {
	struct job *job;
	list_for_each(job, &process->jobs, link) {
		if (is_doomed(job)) {
			return job;
		}
	}
	return NULL;
}

static void end_doomed(struct process *process) {
	struct job *job;
	while (!process->destroyed && (job = find_doomed(process)) != NULL) {
		struct fail doom cleanup_fail = job->doom;
		job->doom = (struct fail){0};
		if (job->started && process->child != NULL) {
			child_put(process->child, &(struct wire_message){.type = WIRE_CANCEL,
								  .job = job->id});
		}
		job_end_failed(job, doom.code, false, fail_words(&doom));
	}
}

/* ---- starting ---- */

/* Counts a start or a run that went wrong, and says when the next may be. */
static void back_off(struct process *process, char *cause) {
	unsigned doublings = process->crashes < 16 ? process->crashes : 16;
	uint64_t delay = (uint64_t)RESTART_FIRST_MS << doublings;
	process->crashes++;
	process->not_before = uv_now(process->loop) +
			      (delay < RESTART_MOST_MS ? delay : RESTART_MOST_MS);
	free(process->last_cause);
	process->last_cause = cause;
}

static const char *last_cause(const struct process *process) {
	return process->last_cause != NULL ? process->last_cause : "ended";
}

static void start(struct process *process) {
	const struct process_options *options = &process->options;
	bool optional = options->trusted || options->allow_without_landlock;
	char *arguments[4] = {(char *)options->runner};
	size_t n = 1;
	if (optional) {
		arguments[n++] = "--landlock-optional";
	}
	arguments[n] = (char *)options->object;
	struct fail fail cleanup_fail = {0};
	struct wire_message hello = {.type = WIRE_HELLO,
			.hello = {.abi = CONDUIT_ABI, .base_url = options->base_url}};
	process->child = child_start(process, arguments, &fail);
	if (process->child == NULL) {
		back_off(process, strdup(fail_words(&fail)));
		process_log(process, "%s", fail_words(&fail));
		end_jobs(process, waits, EIO, false, fail_words(&fail));
		return;
	}
	if (!child_put(process->child, &hello)) {
		child_kill(process->child, "its base URL is above 8 KiB, or memory is short");
		return;
	}
	child_flush(process->child);
}

/* Starts the process, or waits for the time when it may be, or fails those who would wait long. */
static void start_when_due(struct process *process) {
	uint64_t now = uv_now(process->loop);
	if (now >= process->not_before) {
		start(process);
		return;
	}
	uint64_t wait = process->not_before - now;
	if (wait <= WAIT_MOST_MS) {
		uv_timer_start(&process->work, work, wait, 0);
		return;
	}
	char *words cleanup_free = NULL;
	if (asprintf(&words,
			    "provider %s %s; after %u failures in a row it is started again in "
			    "%.0f s",
			    process->options.name, last_cause(process), process->crashes,
			    (double)wait / 1000) < 0) {
		words = NULL;
	}
	end_jobs(process, waits, EIO, false, words);
}

static bool any_waits(const struct process *process) {
	struct job *job;
	list_for_each(job, &process->jobs, link) {
		if (waits(job)) {
			return true;
		}
	}
	return false;
}

static void on_idle(uv_timer_t *timer) {
	struct process *process = timer->data;
	if (process->child != NULL && list_empty(&process->jobs)) {
		process->child->idle = true;
		child_kill(process->child, "it has nothing to do");
	}
}

/* What API calls put off to the loop. */
static void work(uv_timer_t *timer) {
	struct process *process = timer->data;
	end_doomed(process);
	if (process->destroyed) {
		return;
	}
	if (process->child == NULL && any_waits(process)) {
		start_when_due(process);
	}
	job_start_all(process);
	if (process->child != NULL && list_empty(&process->jobs) &&
			!uv_is_active((uv_handle_t *)&process->idle)) {
		double seconds = process->options.idle_seconds > 0 ? process->options.idle_seconds
								   : IDLE_SECONDS;
		uv_timer_start(&process->idle, on_idle, (uint64_t)(seconds * 1000), 0);
	}
	job_resume_all(process);
}

/* ---- ending ---- */

static void end_after_crash(struct process *process, const struct child *child, const char *cause) {
	char *words cleanup_free = NULL;
	bool ready = child->ready;
	if (asprintf(&words, "provider %s %s%s", process->options.name, cause,
			    ready ? ", while it was working on this" : "") < 0) {
		words = NULL;
	}
	end_jobs(process, is_started, EIO, true, words);
	/* One that was never ready won't be for those who wait either. */
	if (!ready && !process->destroyed) {
		end_jobs(process, waits, EIO, false, words);
	}
}

void process_child_ended(struct process *process, struct child *child, int code, int status) {
	process->child = NULL;
	uv_timer_stop(&process->idle);
	if (child->idle) {
		process_log(process, "ended for having nothing to do");
	} else {
		char *raw cleanup_free = child_cause(child, code, status);
		char *cause = raw != NULL ? plain_text(raw, strlen(raw), WIRE_WORDS_MOST, false)
					  : NULL;
		back_off(process, cause);
		process_log(process, "%s", last_cause(process));
		char *said cleanup_free = strdup(last_cause(process));
		end_after_crash(process, child, said != NULL ? said : "ended");
	}
	process_schedule(process);
}
