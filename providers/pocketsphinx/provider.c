/* PocketSphinx: ffmpeg makes 16 kHz mono WAV of a recording, and pocketsphinx_continuous writes
 * down what is said there. Without ffmpeg only such WAV can be heard. */
#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/turn.h>

#define PROGRAM "pocketsphinx_continuous"
#define SCRATCH "speech.wav"
/* Demuxers of sound, by ffmpeg's names: none that reads other files. */
#define FORMATS                                                                                    \
	"wav,w64,mp3,flac,ogg,aac,ac3,eac3,aiff,au,caf,amr,ape,wv,tta,asf,matroska,webm,mov,mp4,"  \
	"m4a,3gp,3g2,mj2"

/* What is heard. */
struct sound {
	uint32_t file;
	bool wav;
};

static void looked(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status == CONDUIT_PROGRAM_MISSING) {
		conduit_fail_with(job, CONDUIT_FAIL_MISSING, "%s", answer->words);
		return;
	}
	conduit_local_model(job, &(struct conduit_model){
						 .id = "pocketsphinx",
						 .name = "PocketSphinx",
						 .description = "Writes down English speech, a "
								"line for each stretch of it.",
						 .input_modalities = "audio",
						 .output_modalities = "text",
				 });
	conduit_finish(job, NULL, NULL);
}

/* Told anything, it would look for a microphone: without arguments it says what it takes. */
static void discover(struct conduit_job *job) {
	conduit_program_ask(job, &(struct conduit_program){.name = PROGRAM}, looked);
}

/* ---- a turn ---- */

static void hear(struct conduit_job *job, struct conduit_argument sound) {
	struct conduit_argument arguments[] = {{CONDUIT_WORD, .text = "-logfn"},
			{CONDUIT_WORD, .text = "/dev/null"}, {CONDUIT_WORD, .text = "-infile"},
			sound};
	conduit_program_say(job,
			&(struct conduit_program){
					.name = PROGRAM, .arguments = arguments, .n_arguments = 4});
}

static void converted(struct conduit_job *job, const struct conduit_answer *answer) {
	const struct sound *sound = conduit_local_own(job, sizeof(*sound), NULL);
	if (answer->status == 0) {
		hear(job, (struct conduit_argument){CONDUIT_SCRATCH, .text = SCRATCH});
	} else if (answer->status != CONDUIT_PROGRAM_MISSING) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "%s", answer->words);
	} else if (sound->wav) {
		conduit_log(job, "without ffmpeg the recording is taken for 16 kHz mono");
		hear(job, (struct conduit_argument){CONDUIT_INPUT, .file = sound->file});
	} else {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"it hears 16 kHz mono WAV alone until ffmpeg is installed: apt-get "
				"install ffmpeg");
	}
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
	conduit_program_ask(job,
			&(struct conduit_program){
					.name = "ffmpeg", .arguments = arguments, .n_arguments = n},
			converted);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	struct sound *sound = conduit_local_own(job, sizeof(*sound), NULL);
	if (sound == NULL) {
		return;
	}
	const struct conduit_part *part = conduit_turn_only_part(
			job, turn, "audio/", "it hears sound: cp a recording to input");
	if (part == NULL) {
		return;
	}
	sound->file = part->file;
	sound->wav = strcmp(part->type, "audio/wav") == 0;
	convert(job, part->file);
}

CONDUIT_PROVIDER(.name = "pocketsphinx", .version = "1.0.0", .discover = discover,
		.transform = transform, CONDUIT_LOCAL_CALLBACKS)
