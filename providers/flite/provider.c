/* Flite: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/turn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define VOICE "slt"
#define SPEED_LEAST 0.25
#define SPEED_MOST 4.0

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
	if (voices == NULL) {
		conduit_fail_memory(job);
		return;
	}
	struct conduit_limit limits[] = {
			{.name = "voice",
					.least = NAN,
					.most = NAN,
					.choices = voices,
					.standard = strstr(voices, VOICE) != NULL ? VOICE : NULL},
			{.name = "speed",
					.least = SPEED_LEAST,
					.most = SPEED_MOST,
					.standard = "1"}};
	conduit_local_model(job, &(struct conduit_model){
						 .id = "flite",
						 .name = "Flite",
						 .description = "Says an English text, as WAV.",
						 .input_modalities = "text",
						 .output_modalities = "audio",
						 .limits = limits,
						 .n_limits = 2,
				 });
	free(voices);
	conduit_finish(job, NULL, NULL);
}

static void discover(struct conduit_job *job) {
	static const struct conduit_argument list[] = {{CONDUIT_WORD, .text = "-lv"}};
	conduit_program_ask(job,
			&(struct conduit_program){
					.name = "flite", .arguments = list, .n_arguments = 1},
			listed);
}

/* ---- a turn ---- */

static void say(struct conduit_job *job, uint32_t file, const char *voice, double speed) {
	char stretch[64];
	snprintf(stretch, sizeof(stretch), "duration_stretch=%.4f", 1 / speed);
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-voice"},
			{CONDUIT_WORD, .text = voice}, {CONDUIT_WORD, .text = "--setf"},
			{CONDUIT_WORD, .text = stretch}, {CONDUIT_WORD, .text = "-f"},
			{CONDUIT_INPUT, .file = file}, {CONDUIT_WORD, .text = "-o"},
			{CONDUIT_RESULT, .text = "output.wav"}};
	conduit_program_make(job,
			&(struct conduit_program){.name = "flite",
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

CONDUIT_PROVIDER(.name = "flite", .version = "1.0.0", .discover = discover, .transform = transform,
		CONDUIT_LOCAL_CALLBACKS)
