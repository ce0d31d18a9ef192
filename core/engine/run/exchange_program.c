/* Programs of a job: see exchange_program.h. */
#include "core/engine/run/exchange_program.h"

#include "core/base/strings.h"
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"
#include "core/engine/run/exchange_work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Kept of stdout, for the recorded exchange. */
#define SAID_MOST ((size_t)64 << 10)
/* Of processor time where nothing bounds the turn. */
#define SECONDS_MOST 86400.0
#define NOT_INSTALLED 127

/* ---- what it is told ---- */

struct told {
	char **arguments; /* owned */
	size_t n;
	int inputs[PROGRAM_INPUTS_MOST];
	size_t n_inputs;
	int standard_input, directory;
};

static void told_finish(struct told *told) {
	strings_free(told->arguments);
	for (size_t i = 0; i < told->n_inputs; i++) {
		close(told->inputs[i]);
	}
	if (told->standard_input >= 0) {
		close(told->standard_input);
	}
	if (told->directory >= 0) {
		close(told->directory);
	}
}

/* A file of the turn's, for reading; -1 with words. Root's programs are nobody's, who may read it
 * then too: no other way leads there, for the state directory is root's alone. */
static int open_input(const struct exchange *exchange, uint32_t number, struct fail *fail) {
	if (number >= exchange->n_files) {
		fail_set(fail, EPROTO, "the provider %s asked for file %u of a turn that has %zu",
				exchange->provider->name, number, exchange->n_files);
		return -1;
	}
	const struct exchange_file *file = &exchange->files[number];
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat about;
	if (fd < 0 || fstat(fd, &about) != 0 || lseek(fd, (off_t)file->skip, SEEK_SET) < 0 ||
			(geteuid() == 0 && fchmod(fd, (about.st_mode & 07777) | S_IROTH) != 0)) {
		fail_set(fail, EIO, "%s, a file of the turn, can't be read: %s", file->path,
				strerror(errno));
		return fd >= 0 ? (close(fd), -1) : -1;
	}
	return fd;
}

/* The argument as the program sees it, to be freed; NULL with words. */
static char *argument_of(struct exchange *exchange, struct told *told,
		const struct job_argument *argument, struct fail *fail) {
	char *text = NULL;
	if (argument->kind == JOB_INPUT) {
		char path[PROGRAM_PATH_SIZE];
		if (told->n_inputs == PROGRAM_INPUTS_MOST) {
			fail_set(fail, EPROTO,
					"the provider %s asked for a program over more than "
					"%d files",
					exchange->provider->name, PROGRAM_INPUTS_MOST);
			return NULL;
		}
		int fd = open_input(exchange, argument->file, fail);
		if (fd < 0) {
			return NULL;
		}
		program_input_path(told->n_inputs, path);
		told->inputs[told->n_inputs++] = fd;
		text = strdup(path);
	} else if (argument->kind == JOB_WORD) {
		text = strdup(argument->text);
	} else if (!work_make(exchange, fail) ||
			asprintf(&text, "%s%s", argument->kind == JOB_SCRATCH ? WORK_SCRATCH : "",
					argument->text) < 0) {
		text = NULL;
	}
	if (text == NULL && (fail->code == 0)) {
		fail_set(fail, ENOMEM, "no memory for a program");
	}
	return text;
}

static bool prepare_told(struct exchange *exchange, const struct job_run *run, struct told *told,
		struct fail *fail) {
	told->arguments = calloc(run->n_arguments + 1, sizeof(*told->arguments));
	if (told->arguments == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a program");
	}
	for (size_t i = 0; i < run->n_arguments; i++) {
		told->arguments[i] = argument_of(exchange, told, &run->arguments[i], fail);
		if (told->arguments[i] == NULL) {
			return false;
		}
	}
	if (run->standard_input != NULL) {
		told->standard_input = open_input(exchange, *run->standard_input, fail);
		if (told->standard_input < 0) {
			return false;
		}
	}
	if (exchange->work != NULL) {
		told->directory = open(exchange->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return exchange->work == NULL || told->directory >= 0 ||
	       fail_set(fail, errno, "%s can't be opened: %s", exchange->work, strerror(errno));
}

/* ---- its life ---- */

/* Tells the job how it ended. */
static void answer(struct exchange *exchange, int status, const char *words, int results) {
	cleanup_free char *said = NULL, *left = NULL;
	if (asprintf(&said, "words: %s", words) < 0) {
		said = NULL;
	}
	if (asprintf(&left, "results: %d", results) < 0) {
		left = NULL;
	}
	/* What goes to the output tells by itself what it is. */
	const char *type = exchange->straight ? "" : "text/plain";
	const char *headers[] = {left != NULL ? left : said, said, NULL};
	if (exchange->events.head != NULL) {
		exchange->events.head(
				exchange->data, status, "text/plain", headers, exchange->straight);
	}
	if (exchange->events.response != NULL && exchange->said.size != 0 && !exchange->straight) {
		exchange->events.response(exchange->data, exchange->said.data, exchange->said.size);
	}
	buf_finish(&exchange->said);
	job_reply(exchange->job, status, type, headers);
	job_body_end(exchange->job);
}

static bool on_output(void *data, const void *bytes, size_t size) {
	struct exchange *exchange = data;
	if (exchange->straight) {
		if (exchange->events.output != NULL) {
			exchange->events.output(exchange->data, bytes, size);
		}
		return true;
	}
	size_t room = SAID_MOST - exchange->said.size;
	buf_add(&exchange->said, bytes, size < room ? size : room);
	return job_data(exchange->job, bytes, size);
}

static void on_end(void *data, const struct program_end *end) {
	struct exchange *exchange = data;
	int results = 0;
	exchange->program = NULL;
	uv_timer_stop(&exchange->timer);
	if (exchange->failure.code == 0 && end->status == 0) {
		results = work_take_results(exchange, &exchange->failure);
	} else if (exchange->failure.code == 0) {
		work_has_room(exchange, &exchange->failure);
	}
	if (exchange->failure.code != 0) {
		exchange_fail_later(exchange);
		return;
	}
	answer(exchange, end->status, end->words, results);
}

static void on_missing(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	cleanup_free char *words = NULL;
	if (asprintf(&words, "%s isn't installed: apt-get install %s", exchange->missing,
			    version_package(exchange->version, exchange->missing)) < 0) {
		words = NULL;
	}
	free(take(exchange->missing));
	answer(exchange, NOT_INSTALLED, words != NULL ? words : "it isn't installed", 0);
}

static char *runner_of(const struct engine *engine) {
	const char *runner = engine->options.runner;
	const char *slash = strrchr(runner, '/');
	char *path = NULL;
	int length = slash != NULL ? (int)(slash - runner) : 0;
	return asprintf(&path, "%.*s/conduitfs-run", length, runner) >= 0 ? path : NULL;
}

static bool start(struct exchange *exchange, const struct job_run *run, const char *path,
		struct told *told, struct fail *fail) {
	static const struct program_events events = {.output = on_output, .end = on_end};
	struct engine *engine = exchange->provider->engine;
	cleanup_free char *runner = runner_of(engine);
	if (runner == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a program");
	}
	double total = exchange->timeouts.total;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct program_options options = {.runner = runner,
			.path = path,
			.arguments = told->arguments,
			.standard_input = told->standard_input,
			.directory = told->directory,
			.inputs = told->inputs,
			.n_inputs = told->n_inputs,
			.seconds = total > 0 ? total * (double)(processors > 0 ? processors : 1)
					     : SECONDS_MOST,
			.file_most = engine->config.media_most,
			.allow_without_landlock = engine->config.sandbox_seccomp};
	exchange->straight = run->to_output;
	exchange->program = program_start(engine->loop, &options, &events, exchange, fail);
	if (exchange->program != NULL && exchange->work != NULL) {
		work_watch(exchange);
	}
	return exchange->program != NULL;
}

/* As the recorded exchange has it: a request of the method RUN. */
static void tell_sent(struct exchange *exchange, const struct job_run *run) {
	cleanup_buf struct buf line = {0};
	buf_add_string(&line, run->program);
	for (size_t i = 0; i < run->n_arguments; i++) {
		const struct job_argument *argument = &run->arguments[i];
		if (argument->kind == JOB_INPUT) {
			buf_add_format(&line, " {input %u}", argument->file);
		} else {
			buf_add_format(&line,
					argument->kind == JOB_WORD     ? " %s"
					: argument->kind == JOB_RESULT ? " {result %s}"
								       : " {scratch %s}",
					argument->text);
		}
	}
	if (exchange->events.sent != NULL) {
		exchange->events.sent(exchange->data, "RUN", buf_string(&line), NULL);
	}
}

void exchange_on_run(void *data, const struct job_run *run) {
	struct exchange *exchange = data;
	struct fail *fail = &exchange->failure;
	struct told told cleanup(told_finish) = {.standard_input = -1, .directory = -1};
	bool at_rest = exchange->transfer == NULL && exchange->url == NULL &&
		       exchange->program == NULL && !feed_active(&exchange->feed);
	if (!at_rest) {
		fail_set(fail, EPROTO,
				"the provider %s asked for a program while a request was under way",
				exchange->provider->name);
	} else if (exchange->version->manifest.programs == NULL ||
			!strings_contain(exchange->version->manifest.programs, run->program)) {
		fail_set(fail, EACCES,
				"the provider %s asked for the program %.80s, which its manifest "
				"doesn't name under programs",
				exchange->provider->name, run->program);
	} else {
		cleanup_free char *path = program_find(run->program);
		tell_sent(exchange, run);
		if (path == NULL) {
			free(exchange->missing);
			exchange->missing = strdup(run->program);
			uv_timer_start(&exchange->timer, on_missing, 0, 0);
		} else if (prepare_told(exchange, run, &told, fail)) {
			start(exchange, run, path, &told, fail);
		}
	}
	if (fail->code != 0) {
		exchange_fail_later(exchange);
	}
}

void exchange_program_resume(struct exchange *exchange) {
	program_resume(exchange->program);
}

static void on_gone(void *data) {
	work_remove(data);
}

void exchange_program_cancel(struct exchange *exchange) {
	struct program *program = take(exchange->program);
	char *directory = take(exchange->work);
	buf_finish(&exchange->said);
	if (program != NULL) {
		program_cancel(program, directory != NULL ? on_gone : NULL, directory);
	} else if (directory != NULL) {
		work_remove(directory);
	}
}
