/* Flite: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/provider.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOICE "slt"

struct work {
	bool discovery;
	char said[4096]; /* of stdout */
	size_t size;
	int status, results;
	char words[1024];
};

static void fail(struct conduit_job *job, enum conduit_kind kind, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = words});
}

static struct work *begin(struct conduit_job *job, bool discovery) {
	struct work *work = calloc(1, sizeof(*work));
	if (work == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return NULL;
	}
	work->discovery = discovery;
	conduit_set_state(job, work);
	return work;
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct work *work = conduit_state(job);
	size_t room = sizeof(work->said) - 1 - work->size;
	size = size < room ? size : room;
	memcpy(work->said + work->size, bytes, size);
	work->size += size;
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct work *work = conduit_state(job);
	const char *words = conduit_header(reply, "words");
	const char *results = conduit_header(reply, "results");
	work->status = reply->status;
	work->results = results != NULL ? (int)strtol(results, NULL, 10) : 0;
	snprintf(work->words, sizeof(work->words), "flite: %s",
			words != NULL && words[0] != '\0' ? words : "it failed without a word");
}

/* ---- its voice ---- */

static void discover(struct conduit_job *job) {
	static const struct conduit_argument list[] = {{CONDUIT_WORD, .text = "-lv"}};
	if (begin(job, true) != NULL) {
		conduit_run(job, &(struct conduit_program){.name = "flite",
						 .arguments = list,
						 .n_arguments = 1});
	}
}

/* "Voices available: kal slt …", as one a line; "" when there is none. */
static const char *voices_of(struct work *work) {
	char *colon = strchr(work->said, ':');
	char *voices = colon != NULL ? colon + 1 : work->said;
	voices += strspn(voices, " \t\n");
	size_t length = strlen(voices);
	while (length != 0 && strchr(" \t\n", voices[length - 1]) != NULL) {
		voices[--length] = '\0';
	}
	for (char *at = voices; *at != '\0'; at++) {
		*at = *at == ' ' ? '\n' : *at;
	}
	return voices;
}

static void end_discovery(struct conduit_job *job, struct work *work) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	const char *voices = voices_of(work);
	struct conduit_limit limits[] = {
			{.name = "voice",
					.least = NAN,
					.most = NAN,
					.choices = voices,
					.standard = strstr(voices, VOICE) != NULL ? VOICE : NULL},
			{.name = "speed", .least = 0.25, .most = 4, .standard = "1"}};
	conduit_model(job, &(struct conduit_model){
					   .id = "flite",
					   .id_size = strlen("flite"),
					   .name = "Flite",
					   .description = "Says an English text, as WAV.",
					   .input_modalities = "text",
					   .output_modalities = "audio",
					   .prices = prices,
					   .n_prices = 2,
					   .limits = limits,
					   .n_limits = 2,
			   });
	conduit_finish(job, NULL, NULL);
}

/* ---- a turn ---- */

static const struct conduit_part *find_prompt(const struct conduit_turn *turn) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	for (size_t i = 0; last != NULL && i < last->n_parts; i++) {
		if (strncmp(last->parts[i].type, "text/", 5) == 0) {
			return &last->parts[i];
		}
	}
	return NULL;
}

/* Letters, digits, '_' and '-': the program would take more for a path or an address. */
static bool is_voice(const char *voice) {
	size_t length = strspn(
			voice, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	return length != 0 && length <= 64 && voice[length] == '\0' && voice[0] != '-';
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_part *prompt = find_prompt(turn);
	const char *voice = conduit_setting(turn, "voice");
	const char *speed = conduit_setting(turn, "speed");
	double fast = speed != NULL && speed[0] != '\0' ? strtod(speed, NULL) : 1;
	char stretch[64];
	voice = voice != NULL && voice[0] != '\0' ? voice : VOICE;
	if (begin(job, false) == NULL) {
		return;
	}
	if (prompt == NULL || !is_voice(voice) || !(fast >= 0.25 && fast <= 4)) {
		fail(job, CONDUIT_FAIL_INVALID,
				prompt == NULL	   ? "it says text: write some"
				: !is_voice(voice) ? "there is no such voice: see info/voices"
						   : "the setting speed takes 0.25 to 4: correct "
						     "config/speed");
		return;
	}
	snprintf(stretch, sizeof(stretch), "duration_stretch=%.4f", 1 / fast);
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-voice"},
			{CONDUIT_WORD, .text = voice}, {CONDUIT_WORD, .text = "--setf"},
			{CONDUIT_WORD, .text = stretch}, {CONDUIT_WORD, .text = "-f"},
			{CONDUIT_INPUT, .file = prompt->file}, {CONDUIT_WORD, .text = "-o"},
			{CONDUIT_RESULT, .text = "output.wav"}};
	conduit_run(job, &(struct conduit_program){.name = "flite",
					 .arguments = arguments,
					 .n_arguments = sizeof(arguments) / sizeof(arguments[0])});
}

static void end(struct conduit_job *job) {
	struct work *work = conduit_state(job);
	if (work->status != 0 || (!work->discovery && work->results == 0)) {
		fail(job, CONDUIT_FAIL_OTHER, work->words);
		return;
	}
	if (work->discovery) {
		end_discovery(job, work);
		return;
	}
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	usage.cost = 0;
	conduit_usage(job, &usage);
	conduit_finish(job, "stop", NULL);
}

static void release(struct conduit_job *job) {
	free(conduit_state(job));
}

CONDUIT_PROVIDER(.name = "flite", .version = "1.0.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
