/* PocketSphinx: ffmpeg makes 16 kHz mono WAV of a recording, and pocketsphinx_continuous writes
 * down what is said there. Without ffmpeg only such WAV can be heard. */
#include <conduit/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pocketsphinx_continuous"
#define NOT_INSTALLED 127
#define SCRATCH "speech.wav"
/* Demuxers of sound, by ffmpeg's names: none that reads other files. */
#define FORMATS                                                                                    \
	"wav,w64,mp3,flac,ogg,aac,ac3,eac3,aiff,au,caf,amr,ape,wv,tta,asf,matroska,webm,mov,mp4,"  \
	"m4a,3gp,3g2,mj2"

enum stage { LOOKING, CONVERTING, HEARING };

struct work {
	enum stage stage;
	uint32_t file;
	bool wav;
	int status;
	char words[1024];
};

static void fail(struct conduit_job *job, enum conduit_kind kind, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = words});
}

static struct work *begin(struct conduit_job *job, enum stage stage) {
	struct work *work = calloc(1, sizeof(*work));
	if (work == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return NULL;
	}
	work->stage = stage;
	conduit_set_state(job, work);
	return work;
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct work *work = conduit_state(job);
	const char *words = conduit_header(reply, "words");
	work->status = reply->status;
	snprintf(work->words, sizeof(work->words), "%s: %s",
			work->stage == CONVERTING ? "ffmpeg" : PROGRAM,
			words != NULL && words[0] != '\0' ? words : "it failed without a word");
}

/* Told anything, it would look for a microphone: without arguments it says what it takes. */
static void discover(struct conduit_job *job) {
	if (begin(job, LOOKING) != NULL) {
		conduit_run(job, &(struct conduit_program){.name = PROGRAM});
	}
}

static void end_discovery(struct conduit_job *job, const struct work *work) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	if (work->status == NOT_INSTALLED) {
		fail(job, CONDUIT_FAIL_OTHER,
				"pocketsphinx isn't installed: apt-get install pocketsphinx "
				"pocketsphinx-en-us");
		return;
	}
	conduit_model(job, &(struct conduit_model){
					   .id = "pocketsphinx",
					   .id_size = strlen("pocketsphinx"),
					   .name = "PocketSphinx",
					   .description = "Writes down English speech, a line for "
							  "each stretch of it.",
					   .input_modalities = "audio",
					   .output_modalities = "text",
					   .prices = prices,
					   .n_prices = 2,
			   });
	conduit_finish(job, NULL, NULL);
}

/* ---- a turn ---- */

static const struct conduit_part *find_sound(const struct conduit_turn *turn) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	for (size_t i = 0; last != NULL && i < last->n_parts; i++) {
		if (strncmp(last->parts[i].type, "audio/", 6) == 0) {
			return &last->parts[i];
		}
	}
	return NULL;
}

static void convert(struct conduit_job *job, uint32_t file) {
	static const char *const before[] = {"-nostdin", "-hide_banner", "-loglevel", "error",
			"-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS, "-i"};
	static const char *const after[] = {
			"-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", "-f", "wav"};
	struct conduit_argument arguments[20];
	size_t n = 0;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		arguments[n++] = (struct conduit_argument){CONDUIT_WORD, .text = before[i]};
	}
	arguments[n++] = (struct conduit_argument){CONDUIT_INPUT, .file = file};
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		arguments[n++] = (struct conduit_argument){CONDUIT_WORD, .text = after[i]};
	}
	arguments[n++] = (struct conduit_argument){CONDUIT_SCRATCH, .text = SCRATCH};
	conduit_run(job, &(struct conduit_program){.name = "ffmpeg",
					 .arguments = arguments,
					 .n_arguments = n});
}

static void hear(struct conduit_job *job, struct work *work, bool converted) {
	struct conduit_argument sound = {CONDUIT_INPUT, .file = work->file};
	if (converted) {
		sound = (struct conduit_argument){CONDUIT_SCRATCH, .text = SCRATCH};
	}
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-logfn"},
			{CONDUIT_WORD, .text = "/dev/null"}, {CONDUIT_WORD, .text = "-infile"},
			sound};
	work->stage = HEARING;
	conduit_run(job,
			&(struct conduit_program){
					.name = PROGRAM, .arguments = arguments, .n_arguments = 4});
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct conduit_part *sound = find_sound(turn);
	struct work *work = begin(job, CONVERTING);
	if (work == NULL) {
		return;
	}
	if (sound == NULL) {
		fail(job, CONDUIT_FAIL_INVALID, "it hears sound: cp a recording to input");
		return;
	}
	work->file = sound->file;
	work->wav = strcmp(sound->type, "audio/wav") == 0;
	convert(job, sound->file);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct work *work = conduit_state(job);
	if (work->stage == HEARING) {
		conduit_output(job, bytes, size);
	}
}

static void end_conversion(struct conduit_job *job, struct work *work) {
	if (work->status == 0) {
		hear(job, work, true);
	} else if (work->status != NOT_INSTALLED) {
		fail(job, CONDUIT_FAIL_INVALID, work->words);
	} else if (work->wav) {
		conduit_log(job, "without ffmpeg the recording is taken for 16 kHz mono");
		hear(job, work, false);
	} else {
		fail(job, CONDUIT_FAIL_INVALID,
				"it hears 16 kHz mono WAV alone until ffmpeg is installed: apt-get "
				"install ffmpeg");
	}
}

static void end(struct conduit_job *job) {
	struct work *work = conduit_state(job);
	if (work->stage == LOOKING) {
		end_discovery(job, work);
	} else if (work->stage == CONVERTING) {
		end_conversion(job, work);
	} else if (work->status != 0) {
		fail(job, CONDUIT_FAIL_OTHER, work->words);
	} else {
		struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
		usage.cost = 0;
		conduit_usage(job, &usage);
		conduit_finish(job, "stop", NULL);
	}
}

static void release(struct conduit_job *job) {
	free(conduit_state(job));
}

CONDUIT_PROVIDER(.name = "pocketsphinx", .version = "1.0.0", .discover = discover,
		.transform = transform, .reply = reply, .data = data, .end = end,
		.release = release)
