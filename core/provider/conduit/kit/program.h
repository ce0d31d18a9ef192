/* Kit: programs of this machine: a discovery asks one for what it knows, a turn has it make the
 * result. The steps of a job are local.h's.
 *
 *     static void discover(struct conduit_job *job) {
 *             conduit_program_ask(job, &(struct conduit_program){.name = "say", …}, listed);
 *     }
 *     static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
 *             conduit_program_make(job, &(struct conduit_program){.name = "say", …});
 *     }
 *     CONDUIT_PROVIDER(…, CONDUIT_LOCAL_CALLBACKS)
 */
#ifndef CONDUIT_KIT_PROGRAM_H
#define CONDUIT_KIT_PROGRAM_H

#include <conduit/kit/local.h>

/* An answer's status where the program isn't installed; its words say so, and the remedy. */
#define CONDUIT_PROGRAM_MISSING 127

/* Runs it for what it says, or for what a later program reads; `name` must be static. */
void conduit_program_ask(struct conduit_job *job, const struct conduit_program *program,
		conduit_answered *then);

/* Runs it as the turn's last: its result files are the result, which costs nothing. One that fails,
 * or leaves no file, fails the job with its words. */
void conduit_program_make(struct conduit_job *job, const struct conduit_program *program);
/* The same of one whose result is what it says on stdout: put out as it comes. */
void conduit_program_say(struct conduit_job *job, const struct conduit_program *program);

/* Whether a word of the user's is a mere name (letters, digits, '_' and '-', at most 64, no '-' at
 * its start), which no program takes for an option, a path or an address. */
bool conduit_program_name(const char *word);

#endif
