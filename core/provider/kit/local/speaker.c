/* A program that says a text: see conduit/kit/speaker.h. */
#include <conduit/kit/speaker.h>

#include <conduit/kit/failure.h>
#include <conduit/kit/program.h>
#include <conduit/kit/turn.h>
#include <math.h>
#include <stdlib.h>

void conduit_speaker_emit(struct conduit_job *job, const struct conduit_speaker *speaker,
		const char *voices, const char *standard) {
	if (voices == NULL) {
		conduit_fail_memory(job);
		return;
	}
	struct conduit_limit limits[] = {
			{.name = "voice",
					.least = NAN,
					.most = NAN,
					.choices = voices[0] != '\0' ? voices : NULL,
					.standard = standard},
			{.name = "speed",
					.least = speaker->least,
					.most = speaker->most,
					.standard = "1"}};
	conduit_local_model(job, &(struct conduit_model){
						 .id = speaker->id,
						 .name = speaker->name,
						 .description = speaker->description,
						 .input_modalities = "text",
						 .output_modalities = "audio",
						 .limits = limits,
						 .n_limits = sizeof(limits) / sizeof(limits[0]),
				 });
	conduit_finish(job, NULL, NULL);
}

bool conduit_speaker_read(struct conduit_job *job, const struct conduit_speaker *speaker,
		const struct conduit_turn *turn, struct conduit_speech *ret) {
	const struct conduit_part *text = conduit_turn_part(turn, "text/");
	const char *voice = conduit_setting_or(turn, "voice", speaker->voice);
	double speed = strtod(conduit_setting_or(turn, "speed", "1"), NULL);
	if (text == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "it says text: write some");
		return false;
	}
	if (!conduit_program_name(voice)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"there is no such voice: see info/voices");
		return false;
	}
	if (!(speed >= speaker->least && speed <= speaker->most)) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"the setting speed takes %g to %g: correct config/speed",
				speaker->least, speaker->most);
		return false;
	}
	*ret = (struct conduit_speech){.file = text->file, .voice = voice, .speed = speed};
	return true;
}
