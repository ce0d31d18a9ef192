/* Kit: a program of this machine that says a text, in one of its voices, faster or slower: its
 * model and what a turn asks of it. How the program is asked for both is the provider's: see
 * program.h. */
#ifndef CONDUIT_KIT_SPEAKER_H
#define CONDUIT_KIT_SPEAKER_H

#include <conduit/provider.h>

struct conduit_speaker {
	const char *id, *name, *description; /* of its model */
	const char *voice; /* that speaks where the setting voice isn't in force */
	double least, most; /* of the setting speed, a factor */
};

/* Emits the model and ends the discovery. `voices`: one a line, "" where none is known; NULL fails
 * the job, as memory was short. `standard`: the voice that config/ shows, NULL for none. */
void conduit_speaker_emit(struct conduit_job *job, const struct conduit_speaker *speaker,
		const char *voices, const char *standard);

struct conduit_speech {
	uint32_t file; /* the text */
	const char *voice; /* a mere name: conduit_program_name */
	double speed;
};

/* What the turn asks for; the strings are the turn's. False after it failed the job with words. */
bool conduit_speaker_read(struct conduit_job *job, const struct conduit_speaker *speaker,
		const struct conduit_turn *turn, struct conduit_speech *ret);

#endif
