/* eSpeak NG: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/speaker.h>
#include <stdio.h>
#include <stdlib.h>

#define VOICE "en"
/* Words a minute, as it speaks unless it is told otherwise. */
#define PACE 175

static const struct conduit_speaker espeak = {.id = "espeak",
		.name = "eSpeak NG",
		.description = "Says a text in the language that voice names, as WAV.",
		.voice = VOICE,
		.least = 0.5,
		.most = 2.5};

/* ---- its voice ---- */

/* The languages' codes, the second column of a table with a head, one a line and each once; to be
 * freed. NULL without memory. */
static char *voices_of(const struct conduit_answer *answer) {
	size_t size = 1, most = answer->size + 3;
	char *voices = calloc(1, most);
	const char *line = strchr(answer->body, '\n');
	if (voices == NULL) {
		return NULL;
	}
	/* Newlines stand around each while there may be another like it. */
	voices[0] = '\n';
	for (; line != NULL; line = strchr(line + 1, '\n')) {
		char code[32], again[40];
		if (sscanf(line, "\n%*d %31s", code) != 1) {
			continue;
		}
		snprintf(again, sizeof(again), "\n%s\n", code);
		if (strstr(voices, again) == NULL) {
			size += (size_t)snprintf(voices + size, most - size, "%s\n", code);
		}
	}
	voices[size - 1] = '\0';
	memmove(voices, voices + (size > 1), size - (size > 1));
	return voices;
}

static void listed(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status != 0) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "%s", answer->words);
		return;
	}
	char *voices = voices_of(answer);
	conduit_speaker_emit(job, &espeak, voices, VOICE);
	free(voices);
}

static void discover(struct conduit_job *job) {
	static const struct conduit_argument list[] = {{CONDUIT_WORD, .text = "--voices"}};
	conduit_program_ask(job,
			&(struct conduit_program){
					.name = "espeak-ng", .arguments = list, .n_arguments = 1},
			listed);
}

/* ---- a turn ---- */

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	struct conduit_speech speech;
	char pace[32];
	if (!conduit_speaker_read(job, &espeak, turn, &speech)) {
		return;
	}
	snprintf(pace, sizeof(pace), "%.0f", PACE * speech.speed);
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-v"},
			{CONDUIT_WORD, .text = speech.voice}, {CONDUIT_WORD, .text = "-s"},
			{CONDUIT_WORD, .text = pace}, {CONDUIT_WORD, .text = "-b"},
			{CONDUIT_WORD, .text = "1"}, {CONDUIT_WORD, .text = "-f"},
			{CONDUIT_INPUT, .file = speech.file}, {CONDUIT_WORD, .text = "-w"},
			{CONDUIT_RESULT, .text = "output.wav"}};
	conduit_program_make(job,
			&(struct conduit_program){.name = "espeak-ng",
					.arguments = arguments,
					.n_arguments = sizeof(arguments) / sizeof(arguments[0])});
}

CONDUIT_PROVIDER(.name = "espeak", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_LOCAL_CALLBACKS)
