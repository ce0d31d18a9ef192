/* Programs of a job: see exchange_program.h. A turn's programs work in one directory beside its
 * other files. What is named as scratch bears a prefix there; all else that a program which ended
 * well leaves is a result, in the order of the names. */
#include "core/engine/run/exchange_program.h"

#include "core/base/confine.h"
#include "core/base/strings.h"
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH "scratch."
/* Kept of stdout, for the recorded exchange. */
#define SAID_MOST ((size_t)64 << 10)
/* How often what it wrote is looked at. */
#define LOOK_MS 500
/* Of processor time where nothing bounds the turn. */
#define SECONDS_MOST 86400.0
#define NOT_INSTALLED 127

/* ---- its directory ---- */

static void remove_directory(char *path) {
	cleanup_closedir DIR *directory = opendir(path);
	struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		unlinkat(dirfd(directory), entry->d_name, 0);
	}
	rmdir(path);
	free(path);
}

static void on_gone(void *data) {
	remove_directory(data);
}

void exchange_program_cancel(struct exchange *exchange) {
	struct program *program = take(exchange->program);
	char *directory = take(exchange->work);
	buf_finish(&exchange->said);
	if (program != NULL) {
		program_cancel(program, directory != NULL ? on_gone : NULL, directory);
	} else if (directory != NULL) {
		remove_directory(directory);
	}
}

/* Makes it at the first use; it is the program's, who may be nobody. */
static bool make_directory(struct exchange *exchange, struct fail *fail) {
	if (exchange->work != NULL) {
		return true;
	}
	if (exchange->directory == NULL) {
		return fail_set(fail, EPROTO,
				"the provider %s asked for results of a program outside of a turn",
				exchange->provider->name);
	}
	cleanup_free char *path = NULL;
	if (asprintf(&path, "%s/work-XXXXXX", exchange->directory) < 0) {
		path = NULL;
		return fail_set(fail, ENOMEM, "no memory for a program");
	}
	if (mkdtemp(path) == NULL) {
		return fail_set(fail, errno, "%s can't be made: %s", path, strerror(errno));
	}
	exchange->work = take(path);
	return geteuid() != 0 || chown(exchange->work, CONFINE_NOBODY, CONFINE_NOBODY) == 0 ||
	       fail_set(fail, errno, "%s can't be made nobody's: %s", exchange->work,
			       strerror(errno));
}

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
	} else if (!make_directory(exchange, fail) ||
			asprintf(&text, "%s%s", argument->kind == JOB_SCRATCH ? SCRATCH : "",
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

/* ---- what it leaves ---- */

static int is_result(const struct dirent *entry) {
	return entry->d_name[0] != '.' && strncmp(entry->d_name, SCRATCH, strlen(SCRATCH)) != 0;
}

static int compare(const struct dirent **a, const struct dirent **b) {
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Its results, so far; -1 with words when they can't be listed. Bounded by `look`. */
static int list_results(struct exchange *exchange, struct dirent ***ret, struct fail *fail) {
	*ret = NULL;
	int n = exchange->work != NULL ? scandir(exchange->work, ret, is_result, compare) : 0;
	if (n < 0) {
		fail_set(fail, errno, "%s can't be read: %s", exchange->work, strerror(errno));
	}
	return n;
}

/* Hands over all of them; how many there were, or -1 with words. */
static int take_results(struct exchange *exchange, struct fail *fail) {
	struct dirent **entries;
	int n = list_results(exchange, &entries, fail);
	bool taken = n >= 0;
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", exchange->work, entries[i]->d_name);
		taken = taken && (exchange->events.file == NULL ||
						 exchange->events.file(exchange->data, path,
								 entries[i]->d_name, fail));
		free(entries[i]);
	}
	free(entries);
	return taken ? n : -1;
}

static void fail_program(struct exchange *exchange) {
	uv_timer_start(&exchange->timer, exchange_on_deferred_failure, 0, 0);
}

/* While it runs: its files together are as large as limits.media at most. */
static void on_look(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	uint64_t bytes = 0, most = exchange->provider->engine->config.media_most;
	unsigned files = 0;
	cleanup_closedir DIR *directory = opendir(exchange->work);
	struct dirent *entry;
	struct stat about;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.' && fstatat(dirfd(directory), entry->d_name, &about,
							       AT_SYMLINK_NOFOLLOW) == 0) {
			bytes += (uint64_t)about.st_size;
			files++;
		}
	}
	if (bytes > most || files > PROGRAM_FILES_MOST) {
		fail_set(&exchange->failure, EFBIG,
				"the results are %u files of %llu bytes together: %u files and "
				"%llu "
				"bytes are the most; limits.media in config.yml raises the latter",
				files, (unsigned long long)bytes, PROGRAM_FILES_MOST,
				(unsigned long long)most);
		fail_program(exchange);
	}
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
		results = take_results(exchange, &exchange->failure);
	}
	if (exchange->failure.code != 0) {
		fail_program(exchange);
		return;
	}
	answer(exchange, end->status, end->words, results);
}

static void on_missing(uv_timer_t *timer) {
	struct exchange *exchange = timer->data;
	cleanup_free char *words = NULL;
	if (asprintf(&words, "%s isn't installed: apt-get install %s", exchange->missing,
			    exchange->missing) < 0) {
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
		uv_timer_start(&exchange->timer, on_look, LOOK_MS, LOOK_MS);
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
		fail_program(exchange);
	}
}

void exchange_program_resume(struct exchange *exchange) {
	program_resume(exchange->program);
}
