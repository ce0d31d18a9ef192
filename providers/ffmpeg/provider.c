/* FFmpeg: a turn is two programs, ffprobe, which says what the input holds and how long it is, and
 * ffmpeg, which makes the result of it. */
#include "ffmpeg.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/local.h>
#include <conduit/kit/turn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_INSTALLED 127
/* As a shell says that a signal ended it. */
#define SIGNALLED 128

struct work {
	const struct model *model;
	struct command command;
	bool probing;
	char line[256]; /* of stdout, not ended yet */
	size_t line_size;
	bool sound, pictures;
	bool made; /* anything: a picture, or a while of sound */
	double duration; /* of the input, in seconds; 0 unknown */
	int status, results;
	char words[1024];
};

/* ---- what the programs say ---- */

static void tell_progress(struct conduit_job *job, const struct work *work, double seconds) {
	double all = work->duration - work->command.start;
	double wanted = work->command.duration;
	all = wanted > 0 && (wanted < all || work->duration <= 0) ? wanted : all;
	double share = all > 0 ? seconds / all : NAN;
	char words[64];
	snprintf(words, sizeof(words), "%s, %.0f s done", work->model->id, seconds);
	conduit_progress(job, share > 1 ? 1 : share, words);
}

static void take_line(struct conduit_job *job, struct work *work) {
	static const char done[] = "out_time_us=", frame[] = "frame=", duration[] = "duration=";
	const char *line = work->line;
	if (work->probing && strcmp(line, "codec_type=audio") == 0) {
		work->sound = true;
	} else if (work->probing && strcmp(line, "codec_type=video") == 0) {
		work->pictures = true;
	} else if (work->probing && strncmp(line, duration, strlen(duration)) == 0) {
		double seconds = strtod(line + strlen(duration), NULL);
		work->duration = seconds > 0 && seconds < 1e9 ? seconds : 0;
	} else if (!work->probing && strncmp(line, done, strlen(done)) == 0) {
		double seconds = strtod(line + strlen(done), NULL) / 1e6;
		if (seconds >= 0) {
			tell_progress(job, work, seconds);
		}
		work->made = work->made || seconds > 0;
	} else if (!work->probing && strncmp(line, frame, strlen(frame)) == 0) {
		work->made = work->made || strtol(line + strlen(frame), NULL, 10) > 0;
	}
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct work *work = conduit_state(job);
	const char *text = bytes;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			work->line[work->line_size] = '\0';
			take_line(job, work);
			work->line_size = 0;
		} else if (work->line_size < sizeof(work->line) - 1) {
			work->line[work->line_size++] = text[i];
		}
	}
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct work *work = conduit_state(job);
	const char *words = conduit_header(reply, "words");
	const char *results = conduit_header(reply, "results");
	work->status = reply->status;
	work->results = results != NULL ? (int)strtol(results, NULL, 10) : 0;
	snprintf(work->words, sizeof(work->words), "%s", words != NULL ? words : "");
}

/* ---- a turn ---- */

/* The new prompt, or else what goes along with it. NULL, and the job has failed, where there isn't
 * one alone. */
static const struct conduit_part *find_input(struct conduit_job *job, const struct model *model,
		const struct conduit_turn *turn) {
	char none[128], type[16];
	snprintf(none, sizeof(none), "the prompt is text, and %s takes %s: cp a file to input",
			model->id, model->input);
	snprintf(type, sizeof(type), "%s/", model->input);
	return conduit_turn_only_part(job, turn, type, none);
}

static void discover(struct conduit_job *job) {
	emit_models(job);
	conduit_finish(job, NULL, NULL);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct model *model = find_model(turn->model);
	struct work *work = calloc(1, sizeof(*work));
	if (work == NULL) {
		conduit_fail_memory(job);
		return;
	}
	conduit_set_state(job, work);
	if (model == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_GONE, "there is no such model: see models/");
		return;
	}
	const struct conduit_part *input = find_input(job, model, turn);
	if (input == NULL) {
		return;
	}
	work->model = model;
	work->probing = true;
	command_make(&work->command, model, turn, input->file);
	if (work->command.trouble[0] != '\0') {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "%s", work->command.trouble);
		return;
	}
	struct command probe;
	command_probe(&probe, input->file);
	conduit_run(job, &(struct conduit_program){.name = "ffprobe",
					 .arguments = probe.arguments,
					 .n_arguments = probe.n});
}

static void fail_program(struct conduit_job *job, const struct work *work) {
	const char *program = work->probing ? "ffprobe" : "ffmpeg";
	if (work->status == NOT_INSTALLED) {
		conduit_fail_with(job, CONDUIT_FAIL_MISSING, "%s", work->words);
	} else if (work->status > SIGNALLED) {
		conduit_fail_with(job, CONDUIT_FAIL_OTHER,
				"%s was ended by signal %d: too much processor time "
				"(timeout_total), "
				"memory or disk (limits.media) was asked for",
				program, work->status - SIGNALLED);
	} else {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "%s: %s", program,
				work->words[0] != '\0' ? work->words : "it failed without a word");
	}
}

static void end_probe(struct conduit_job *job, struct work *work) {
	if (work->model->sound ? !work->sound : !work->pictures) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				work->model->sound ? "there is no sound in the input"
						   : "there are no pictures in the input");
		return;
	}
	work->probing = false;
	work->line_size = 0;
	tell_progress(job, work, 0);
	conduit_run(job, &(struct conduit_program){.name = "ffmpeg",
					 .arguments = work->command.arguments,
					 .n_arguments = work->command.n});
}

static void end(struct conduit_job *job) {
	struct work *work = conduit_state(job);
	if (work->status != 0) {
		fail_program(job, work);
		return;
	}
	if (work->probing) {
		end_probe(job, work);
		return;
	}
	if (work->results == 0 || !work->made) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"nothing is left of the input there: look at config/start and "
				"config/duration");
		return;
	}
	conduit_local_finish(job, work->results == FRAMES_MOST ? "length" : "stop");
}

static void release(struct conduit_job *job) {
	free(conduit_state(job));
}

CONDUIT_PROVIDER(.name = "ffmpeg", .version = "1.0.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
