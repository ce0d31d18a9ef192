/* Flite: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/speaker.h>
#include <stdio.h>
#include <stdlib.h>

#define VOICE "slt"

static const struct conduit_speaker flite = {.id = "flite",
		.name = "Flite",
		.description = "Says an English text, as WAV.",
		.voice = VOICE,
		.least = 0.25,
		.most = 4};

/* ---- its voice ---- */

/* "Voices available: kal slt …", as one a line, to be freed; "" when there is none. NULL without
 * memory. */
static char *voices_of(const struct conduit_answer *answer) {
	const char *colon = strchr(answer->body, ':');
	const char *said = colon != NULL ? colon + 1 : answer->body;
	char *voices = strdup(said + strspn(said, " \t\n"));
	size_t length = voices != NULL ? strlen(voices) : 0;
	while (length != 0 && strchr(" \t\n", voices[length - 1]) != NULL) {
		voices[--length] = '\0';
	}
	for (size_t i = 0; i < length; i++) {
		voices[i] = voices[i] == ' ' ? '\n' : voices[i];
	}
	return voices;
}

static void listed(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status != 0) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "%s", answer->words);
		return;
	}
	char *voices = voices_of(answer);
	bool has = voices != NULL && strstr(voices, VOICE) != NULL;
	conduit_speaker_emit(job, &flite, voices, has ? VOICE : NULL);
	free(voices);
}

static void discover(struct conduit_job *job) {
	static const struct conduit_argument list[] = {{CONDUIT_WORD, .text = "-lv"}};
	conduit_program_ask(job,
			&(struct conduit_program){
					.name = "flite", .arguments = list, .n_arguments = 1},
			listed);
}

/* ---- a turn ---- */

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	struct conduit_speech speech;
	char stretch[64];
	if (!conduit_speaker_read(job, &flite, turn, &speech)) {
		return;
	}
	snprintf(stretch, sizeof(stretch), "duration_stretch=%.4f", 1 / speech.speed);
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-voice"},
			{CONDUIT_WORD, .text = speech.voice}, {CONDUIT_WORD, .text = "--setf"},
			{CONDUIT_WORD, .text = stretch}, {CONDUIT_WORD, .text = "-f"},
			{CONDUIT_INPUT, .file = speech.file}, {CONDUIT_WORD, .text = "-o"},
			{CONDUIT_RESULT, .text = "output.wav"}};
	conduit_program_make(job,
			&(struct conduit_program){.name = "flite",
					.arguments = arguments,
					.n_arguments = sizeof(arguments) / sizeof(arguments[0])});
}

CONDUIT_PROVIDER(.name = "flite", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_LOCAL_CALLBACKS)
