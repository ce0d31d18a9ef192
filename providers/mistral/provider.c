/* Mistral AI (https://docs.mistral.ai): OpenAI's chat dialect with a name of its own for the seed,
 * thinking as parts of the content, and a service that refuses members it doesn't know. */
#include <conduit/kit/openai.h>

/* What the chat endpoint of Mistral's OpenAPI document has no member for; it takes no others. */
static const char *const unknown[] = {"top_k", "min_p", "top_a", "repetition_penalty", "logit_bias",
		"logprobs", "top_logprobs", "verbosity", "reasoning", "include_reasoning",
		"web_search_options", NULL};

static bool can(const struct conduit_json *entry, const char *what) {
	bool able = false;
	conduit_json_bool(entry, what, &able);
	return able;
}

/* A model is listed under each of its aliases: every id answers, and each is kept. What a model
 * does besides chat has endpoints of its own. */
static bool complete(const struct conduit_json *entry, struct conduit_model *model) {
	bool vision = can(entry, "capabilities.vision");
	bool audio = can(entry, "capabilities.audio");
	if (conduit_json_type(entry, "capabilities") != CONDUIT_JSON_OBJECT) {
		return conduit_openai_guess_kind(entry, model);
	}
	if (can(entry, "capabilities.completion_chat")) {
		model->input_modalities = vision && audio ? "text,image,audio"
					  : vision	  ? "text,image"
					  : audio	  ? "text,audio"
							  : "text";
		model->output_modalities = "text";
	} else if (can(entry, "capabilities.ocr")) {
		model->input_modalities = "image,file";
		model->output_modalities = "ocr";
	} else if (can(entry, "capabilities.audio_transcription") ||
			can(entry, "capabilities.audio_transcription_realtime")) {
		model->input_modalities = "audio";
		model->output_modalities = "transcription";
	} else if (can(entry, "capabilities.audio_speech")) {
		model->input_modalities = "text";
		model->output_modalities = "speech";
	} else if (can(entry, "capabilities.moderation")) {
		model->input_modalities = "text";
		model->output_modalities = "moderation";
	} else if (can(entry, "capabilities.completion_fim")) {
		model->input_modalities = "text";
		model->output_modalities = "infill";
	} else {
		return conduit_openai_guess_kind(entry, model);
	}
	return true;
}

/* Usage comes in the last chunk; the member that asks for it elsewhere is refused here. */
static const struct conduit_openai dialect = {
		.service = "Mistral AI",
		.seed = "random_seed",
		.without = unknown,
		.parameters = "frequency_penalty,presence_penalty,reasoning_effort,tools,"
			      "tool_choice,parallel_tool_calls,prediction,response_format",
		.model = complete,
		.parts = CONDUIT_OPENAI_PARTS_MISTRAL,
		.media = CONDUIT_OPENAI_MEDIA_MISTRAL,
};

static void discover(struct conduit_job *job) {
	conduit_openai_discover(job, &dialect);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_openai_transform(job, turn, &dialect);
}

CONDUIT_PROVIDER(.name = "mistral", .version = "1.0.0", .discover = discover,
		.transform = transform, CONDUIT_OPENAI_CALLBACKS)
