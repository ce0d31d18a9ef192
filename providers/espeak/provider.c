/* eSpeak NG: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/turn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define VOICE "en"
/* Words a minute, as it speaks unless it is told otherwise. */
#define PACE 175
#define SPEED_LEAST 0.5
#define SPEED_MOST 2.5

/* ---- its voice ---- */

/* The languages' codes, the second column of a table with a head, one a line and each once, after
 * an empty line; to be freed. NULL without memory. */
static char *voices_of(const struct conduit_answer *answer) {
	size_t size = 0, most = answer->size + 2;
	char *voices = calloc(1, most);
	const char *line = strchr(answer->body, '\n');
	for (; voices != NULL && line != NULL; line = strchr(line + 1, '\n')) {
		char code[32], again[40];
		if (sscanf(line, "\n%*d %31s", code) != 1) {
			continue;
		}
		snprintf(again, sizeof(again), "\n%s\n", code);
		if (strstr(voices, again) == NULL) {
			size += (size_t)snprintf(voices + size, most - size, "%s%s\n",
					size == 0 ? "\n" : "", code);
		}
	}
	return voices;
}

static void listed(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status != 0) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "%s", answer->words);
		return;
	}
	char *voices = voices_of(answer);
	if (voices == NULL) {
		conduit_fail_memory(job);
		return;
	}
	/* Without the newlines around them. */
	size_t size = strlen(voices);
	voices[size > 1 ? size - 1 : 0] = '\0';
	struct conduit_limit limits[] = {
			{.name = "voice",
					.least = NAN,
					.most = NAN,
					.choices = voices[0] != '\0' ? voices + 1 : NULL,
					.standard = VOICE},
			{.name = "speed",
					.least = SPEED_LEAST,
					.most = SPEED_MOST,
					.standard = "1"}};
	conduit_local_model(job, &(struct conduit_model){
						 .id = "espeak",
						 .name = "eSpeak NG",
						 .description = "Says a text in the language that "
								"voice names, as WAV.",
						 .input_modalities = "text",
						 .output_modalities = "audio",
						 .limits = limits,
						 .n_limits = 2,
				 });
	free(voices);
	conduit_finish(job, NULL, NULL);
}

static void discover(struct conduit_job *job) {
	static const struct conduit_argument list[] = {{CONDUIT_WORD, .text = "--voices"}};
	conduit_program_ask(job,
			&(struct conduit_program){
					.name = "espeak-ng", .arguments = list, .n_arguments = 1},
			listed);
}

/* ---- a turn ---- */

static void say(struct conduit_job *job, uint32_t file, const char *voice, double speed) {
	char pace[32];
	snprintf(pace, sizeof(pace), "%.0f", PACE * speed);
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-v"},
			{CONDUIT_WORD, .text = voice}, {CONDUIT_WORD, .text = "-s"},
			{CONDUIT_WORD, .text = pace}, {CONDUIT_WORD, .text = "-b"},
			{CONDUIT_WORD, .text = "1"}, {CONDUIT_WORD, .text = "-f"},
			{CONDUIT_INPUT, .file = file}, {CONDUIT_WORD, .text = "-w"},
			{CONDUIT_RESULT, .text = "output.wav"}};
	conduit_program_make(job,
			&(struct conduit_program){.name = "espeak-ng",
					.arguments = arguments,
					.n_arguments = sizeof(arguments) / sizeof(arguments[0])});
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_part *prompt = conduit_turn_part(turn, "text/");
	const char *voice = conduit_setting_or(turn, "voice", VOICE);
	double speed = strtod(conduit_setting_or(turn, "speed", "1"), NULL);
	if (prompt == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "it says text: write some");
	} else if (!conduit_program_name(voice)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"there is no such voice: see info/voices");
	} else if (!(speed >= SPEED_LEAST && speed <= SPEED_MOST)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"the setting speed takes %g to %g: correct config/speed",
				SPEED_LEAST, SPEED_MOST);
	} else {
		say(job, prompt->file, voice, speed);
	}
}

CONDUIT_PROVIDER(.name = "espeak", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_LOCAL_CALLBACKS)
