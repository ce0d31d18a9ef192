/* Programs of this machine: see conduit/kit/program.h. */
#include <conduit/kit/program.h>

#include "core/provider/kit/local/local.h"

#include <conduit/kit/failure.h>

#define NAME_MOST 64

void conduit_program_ask(struct conduit_job *job, const struct conduit_program *program,
		conduit_answered *then) {
	if (conduit_local_expect(job, then)) {
		local_of(job)->program = program->name;
		conduit_run(job, program);
	}
}

static void end_well(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status == CONDUIT_PROGRAM_MISSING) {
		conduit_fail_with(job, CONDUIT_FAIL_MISSING, "%s", answer->words);
	} else if (answer->status != 0) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "%s", answer->words);
	} else {
		conduit_local_finish(job, "stop");
	}
}

static void end_with_files(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status == 0 && answer->results == 0) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "%s", answer->words);
	} else {
		end_well(job, answer);
	}
}

void conduit_program_make(struct conduit_job *job, const struct conduit_program *program) {
	conduit_program_ask(job, program, end_with_files);
}

void conduit_program_say(struct conduit_job *job, const struct conduit_program *program) {
	if (conduit_local_expect(job, end_well)) {
		struct local *local = local_of(job);
		local->program = program->name;
		local->puts_out = true;
		conduit_run(job, program);
	}
}

bool conduit_program_name(const char *word) {
	size_t length = strspn(
			word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	return length != 0 && length <= NAME_MOST && word[length] == '\0' && word[0] != '-';
}
