/* Programs that a provider asks for: their arguments gathered within bounds, and checked before
 * anyone acts on them. Which program may be run is decided where it is run. */
#include "core/process/internal.h"

#include <errno.h>
#include <string.h>

#define FILE_NAME_MOST 64

static void free_arguments(struct job_argument *arguments, size_t n) {
	for (size_t i = 0; i < n; i++) {
		free(arguments[i].text);
	}
	free(arguments);
}

void run_forget_gathered(struct job *job) {
	free_arguments(take(job->arguments), job->n_arguments);
	job->n_arguments = job->argument_bytes = 0;
}

bool run_add_part(struct job *job, const struct wire_run_part *part, struct fail *fail) {
	static const enum job_argument_kind kinds[] = {
			JOB_WORD, JOB_INPUT, JOB_RESULT, JOB_SCRATCH};
	if (job->arguments == NULL) {
		job->arguments = calloc(WIRE_ARGUMENTS_MOST, sizeof(*job->arguments));
	}
	job->argument_bytes += strlen(part->text);
	if (job->n_arguments == WIRE_ARGUMENTS_MOST || job->argument_bytes > WIRE_ARGUMENTS_BYTES) {
		return fail_set(fail, EPROTO,
				"it described a program with more than 256 arguments or 64 KiB");
	}
	char *text = strdup(part->text);
	if (job->arguments == NULL || text == NULL) {
		free(text);
		fail_set(&job->doom, ENOMEM, "no memory for a program of provider %s",
				job->process->options.name);
		process_schedule(job->process);
		return true;
	}
	job->arguments[job->n_arguments++] = (struct job_argument){
			.kind = kinds[part->kind], .file = part->file, .text = text};
	return true;
}

/* Neither an option nor a path, nor anything that leads elsewhere. */
static bool file_name_is_fit(const char *name) {
	static const char first
			[] = "%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		   fit[] = "%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
	size_t length = strspn(name, fit);
	return length != 0 && length <= FILE_NAME_MOST && name[length] == '\0' &&
	       strchr(first, name[0]) != NULL;
}

static bool check(const struct job *job, const struct wire_run *run, struct fail *fail) {
	for (size_t i = 0; i < job->n_arguments; i++) {
		const struct job_argument *argument = &job->arguments[i];
		bool file = argument->kind == JOB_RESULT || argument->kind == JOB_SCRATCH;
		if (file && !file_name_is_fit(argument->text)) {
			return fail_set(fail, EPROTO,
					"provider %s asked for a file \"%.80s\" of %.80s, which "
					"isn't a fit name",
					job->process->options.name, argument->text, run->program);
		}
	}
	return true;
}

void run_begin(struct job *job, const struct wire_run *run) {
	struct fail fail cleanup_fail = {0};
	if (!check(job, run, &fail)) {
		/* From the loop, where the provider is told as well. */
		job->doom = fail;
		fail = (struct fail){0};
		process_schedule(job->process);
		return;
	}
	job->pending = true;
	size_t n = job->n_arguments;
	struct job_argument *arguments = take(job->arguments);
	job->n_arguments = job->argument_bytes = 0;
	struct job_run asked = {.program = run->program,
			.arguments = arguments,
			.n_arguments = n,
			.standard_input = run->reads ? &run->file : NULL,
			.to_output = run->to_output};
	if (job->events.run != NULL) {
		job->events.run(job->data, &asked);
	}
	free_arguments(arguments, n);
}
