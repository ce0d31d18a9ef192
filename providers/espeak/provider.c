/* eSpeak NG: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/speaker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct voices {
	char *text; /* a newline, then one a line and each once */
	size_t size, most;
};

static void add_voice(struct voices *voices, const char *code, size_t length) {
	char again[40];
	snprintf(again, sizeof(again), "\n%.*s\n", (int)length, code);
	if (length != 0 && strstr(voices->text, again) == NULL) {
		voices->size += (size_t)snprintf(voices->text + voices->size,
				voices->most - voices->size, "%s", again + 1);
	}
}

/* The languages' codes, the second column of a table with a head, and those of whole languages, for
 * each of which it has a voice in mind: "fr" where "fr-fr" is listed. One a line and each once; to
 * be freed. NULL without memory. */
static char *voices_of(const struct conduit_answer *answer) {
	struct voices voices = {.size = 1, .most = 2 * answer->size + 3};
	voices.text = calloc(1, voices.most);
	const char *line = strchr(answer->body, '\n');
	if (voices.text == NULL) {
		return NULL;
	}
	voices.text[0] = '\n';
	for (; line != NULL; line = strchr(line + 1, '\n')) {
		char code[32];
		if (sscanf(line, "\n%*d %31s", code) == 1) {
			add_voice(&voices, code, strcspn(code, "-"));
			add_voice(&voices, code, strlen(code));
		}
	}
	voices.text[voices.size - 1] = '\0';
	memmove(voices.text, voices.text + (voices.size > 1), voices.size - (voices.size > 1));
	return voices.text;
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
