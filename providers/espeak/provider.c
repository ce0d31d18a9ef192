/* eSpeak NG: a discovery asks the program for its voices, a turn has it say the prompt. */
#include <conduit/provider.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOICE "en"
/* Words a minute, as it speaks unless it is told otherwise. */
#define PACE 175
/* What its list of voices may take. */
#define SAID_MOST 65536

struct work {
	bool discovery;
	char said[SAID_MOST]; /* of stdout */
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
	snprintf(work->words, sizeof(work->words), "espeak-ng: %s",
			words != NULL && words[0] != '\0' ? words : "it failed without a word");
}

/* ---- its voice ---- */

static void discover(struct conduit_job *job) {
	static const struct conduit_argument list[] = {{CONDUIT_WORD, .text = "--voices"}};
	if (begin(job, true) != NULL) {
		conduit_run(job, &(struct conduit_program){.name = "espeak-ng",
						 .arguments = list,
						 .n_arguments = 1});
	}
}

/* The languages' codes, the second column of a table with a head, one a line and each once. False
 * without memory. */
static bool voices_of(struct work *work, char **ret) {
	char *rest = work->said;
	size_t size = 0;
	char *voices = calloc(1, work->size + 2);
	strsep(&rest, "\n");
	for (char *line; voices != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		char code[32], again[40];
		if (sscanf(line, "%*d %31s", code) != 1) {
			continue;
		}
		snprintf(again, sizeof(again), "\n%s\n", code);
		if (strstr(voices, again) == NULL) {
			size += (size_t)snprintf(voices + size, work->size + 2 - size, "%s%s\n",
					size == 0 ? "\n" : "", code);
		}
	}
	*ret = voices;
	return voices != NULL;
}

static void end_discovery(struct conduit_job *job, struct work *work) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	char *voices;
	if (!voices_of(work, &voices)) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
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
			{.name = "speed", .least = 0.5, .most = 2.5, .standard = "1"}};
	conduit_model(job, &(struct conduit_model){
					   .id = "espeak",
					   .id_size = strlen("espeak"),
					   .name = "eSpeak NG",
					   .description = "Says a text in the language that voice "
							  "names, as WAV.",
					   .input_modalities = "text",
					   .output_modalities = "audio",
					   .prices = prices,
					   .n_prices = 2,
					   .limits = limits,
					   .n_limits = 2,
			   });
	free(voices);
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
	char pace[32];
	voice = voice != NULL && voice[0] != '\0' ? voice : VOICE;
	if (begin(job, false) == NULL) {
		return;
	}
	if (prompt == NULL || !is_voice(voice) || !(fast >= 0.5 && fast <= 2.5)) {
		fail(job, CONDUIT_FAIL_INVALID,
				prompt == NULL	   ? "it says text: write some"
				: !is_voice(voice) ? "there is no such voice: see info/voices"
						   : "the setting speed takes 0.5 to 2.5: correct "
						     "config/speed");
		return;
	}
	snprintf(pace, sizeof(pace), "%.0f", PACE * fast);
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-v"},
			{CONDUIT_WORD, .text = voice}, {CONDUIT_WORD, .text = "-s"},
			{CONDUIT_WORD, .text = pace}, {CONDUIT_WORD, .text = "-b"},
			{CONDUIT_WORD, .text = "1"}, {CONDUIT_WORD, .text = "-f"},
			{CONDUIT_INPUT, .file = prompt->file}, {CONDUIT_WORD, .text = "-w"},
			{CONDUIT_RESULT, .text = "output.wav"}};
	conduit_run(job, &(struct conduit_program){.name = "espeak-ng",
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

CONDUIT_PROVIDER(.name = "espeak", .version = "1.0.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
