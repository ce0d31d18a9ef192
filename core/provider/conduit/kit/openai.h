/* Kit: the OpenAI dialect, which most services speak: chat, embeddings, rankings, pictures, speech,
 * transcription. A provider states
 * how its service differs and is done:
 *
 *     static const struct conduit_openai dialect = {.service = "Acme", .include_usage = true};
 *     static void discover(struct conduit_job *job) { conduit_openai_discover(job, &dialect); }
 *     static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
 *             conduit_openai_transform(job, turn, &dialect);
 *     }
 *     CONDUIT_PROVIDER(.name = "acme", .version = "1.0.0", .discover = discover,
 *             .transform = transform, CONDUIT_OPENAI_CALLBACKS)
 *
 * The kit keeps its own state in conduit_state: jobs begun here are the kit's until their end.
 *
 * Discovery: GET models_path. {"object":"list","data":[…]} or a bare array, taken apart while it
 * arrives; further pages under "links.next" are followed. An entry that isn't a model is skipped
 * with a line in the log; an error, or a list that is cut short, fails the job after the models
 * that came. Lists that lie elsewhere follow (`more_models`).
 *
 * A turn is served by what its capability says; what is neither chat nor one of those further down
 * fails with CONDUIT_FAIL_INVALID.
 *
 * Chat (any other capability that ends in "-to-text"): POST chat_path, streamed. In
 * the request:
 * - the conversation, prompts by file; images as data: URLs, audio as input_audio, other
 *   attachments as files (`parts` says how a service differs). The setting "system" leads where the
 * conversation has no system message.
 * - the settings temperature top_p top_k min_p top_a frequency_penalty presence_penalty
 *   repetition_penalty seed max_tokens top_logprobs (numbers, digit for digit as they were
 *   written), logprobs parallel_tool_calls include_reasoning (booleans), stop (one a line),
 *   reasoning_effort verbosity (strings), logit_bias tools tool_choice reasoning prediction
 *   web_search_options response_format (JSON), schema (a JSON schema the answer keeps to, strictly
 *   unless structured_outputs is off; wins over response_format).
 * - `extra`: a JSON object whose members are added and win over all of the above.
 *
 * The reply, SSE or JSON whatever was asked for: text goes to the output, thinking (reasoning,
 * reasoning_content, reasoning_details, Mistral's thinking parts) to the reasoning. Tool calls are
 * put together and given as a JSON array after the text. Usage in every shape recorded. The first
 * finish reason stands. "[DONE]" isn't needed, but a reply that ends with neither it nor a finish
 * reason was cut short: EPROTO. Any chunk with an error fails the turn (failure.h); so does a
 * content filter (EPERM).
 *
 * A chat may answer with sound, where `sound` says how that is asked for: it is where the setting
 * voice or format is in force, or the setting "wanted" (see provider.h) is "audio", or the model
 * makes nothing else. The sound is the output then (bare samples get a WAV header, unless pcm is
 * asked for), and its text a further result, transcript.txt. Sound and pictures that nobody asked
 * for are results beside the text. All are decoded while they arrive.
 *
 * Embeddings ("text-to-embedding"): POST /embeddings. The newest prompt becomes a vector, or with
 * the setting `lines` at yes each of its lines, which then go out 64 a request at most. The output
 * is an array of numbers a line, digit for digit as they came, or with the setting `format` at npy
 * one array of float32 in NumPy's format, shape (vectors, numbers). An empty line is refused, so
 * that line and vector never part. A model whose output_modalities are "embeddings" is given these
 * two settings at discovery.
 *
 * Rankings ("text-to-rerank"): POST /rerank. The prompt's first line is the query, each line after
 * it a document; empty ones aren't sent. The output is a JSON object a line, the best first:
 * {"index":0,"relevance_score":0.8,"document":"…"}; index counts the lines after the query from 0.
 *
 * Both take `extra` ({"dimensions":256}, {"top_n":3}), and text without attachments alone.
 *
 * Pictures ("text-to-image", "image-to-image"): POST /images/generations, or with pictures in the
 * prompt's attachments /images/edits as a form; `media` says how a service differs. Settings: size
 * n quality background style, and what else the form knows. Each picture of the reply is a result,
 * decoded while it arrives or downloaded from the URL that stands there.
 *
 * Speech ("text-to-audio"): POST /audio/speech; the reply is the output. Settings: voice, format
 * (mp3 opus aac flac wav pcm), speed, instructions, language.
 *
 * Transcription ("audio-to-text"): POST /audio/transcriptions as a form, or with the setting task
 * at translate /audio/translations; the output is the text, or with the settings timestamps
 * (segment, word) or format (srt, vtt, verbose_json) what the service gives. Text beside the sound
 * goes along as a hint, where the service has a place for one. Documents ("text-to-ocr"): POST
 * /ocr; the output is Markdown.
 *
 * All of these take `extra`. */
#ifndef CONDUIT_KIT_OPENAI_H
#define CONDUIT_KIT_OPENAI_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>

/* The forms of attachments that are neither text nor images (which go as data: URLs everywhere). */
enum conduit_openai_parts {
	CONDUIT_OPENAI_PARTS_OPENAI = 0, /* input_audio {data, format}; what else, as file */
	CONDUIT_OPENAI_PARTS_OPENROUTER = 1, /* the same, and video_url */
	CONDUIT_OPENAI_PARTS_MISTRAL = 2, /* input_audio, bare base64; what else, as document_url */
	CONDUIT_OPENAI_PARTS_TOGETHER = 3, /* input_audio, audio_url, video_url; nothing else */
};

/* How embeddings are asked for where it isn't by POST /embeddings in OpenAI's form. */
struct conduit_openai_embeddings {
	/* The URL: the base URL's host, then these around the model. `after` NULL: the first alone,
	 * and the model is a member as in OpenAI's. */
	const char *before, *after;
	const char *input; /* the member that holds the texts */
	const char *list; /* the reply's array of entries; NULL: the reply is that array */
	const char *vector; /* an entry's array of numbers; NULL: the entry is that array */
};

/* The forms of pictures, speech and transcription. */
enum conduit_openai_media {
	CONDUIT_OPENAI_MEDIA_OPENAI = 0,
	CONDUIT_OPENAI_MEDIA_OPENROUTER = 1, /* POST /images, pictures among its members */
	CONDUIT_OPENAI_MEDIA_TOGETHER = 2, /* width and height, steps, a picture's URL */
	CONDUIT_OPENAI_MEDIA_MISTRAL = 3, /* speech as base64 in JSON */
	CONDUIT_OPENAI_MEDIA_HUGGINGFACE = 4, /* POST /hf-inference/models/ and the model, bytes */
};

/* How chat models that also speak are asked for sound. */
enum conduit_openai_sound {
	CONDUIT_OPENAI_SOUND_NONE = 0, /* they aren't: what comes unasked is kept */
	CONDUIT_OPENAI_SOUND_WHOLE = 1, /* not streamed, in any of the formats: OpenAI */
	CONDUIT_OPENAI_SOUND_STREAMED = 2, /* streamed only, and so as bare samples: OpenRouter */
};

/* How a service differs. Grows at its end only. Must live as long as the provider (static const).
 */
struct conduit_openai {
	const char *service; /* its name for words: "OpenRouter"; NULL: "the service" */
	const char *models_path; /* after the base URL; NULL: "/models" */
	const char *chat_path; /* NULL: "/chat/completions" */
	const char *const *headers; /* further header lines, ended by NULL; NULL for none */
	const char *max_tokens; /* the member for the setting max_tokens; NULL: "max_tokens" */
	const char *seed; /* the member for the setting seed; NULL: "seed" */
	const char *const *without; /* settings that the service has not and would refuse, ended by
				       NULL: left out of the request with a line in the log */
	bool include_usage; /* send stream_options.include_usage, without which OpenAI, vLLM
			       and llama.cpp don't report tokens */
	bool prices; /* `pricing` holds USD a unit, as OpenRouter's; elsewhere it is
			USD a million tokens, or something else */
	const char *parameters; /* the settings that models take whose entry doesn't say it:
				   "top_k,tools"; NULL: unknown */
	/* Changes a model before it is emitted; `entry` is the service's own words about it. False
	 * leaves it out. What it points to must be static or belong to `entry`. May be NULL. */
	bool (*model)(const struct conduit_json *entry, struct conduit_model *model);
	enum conduit_openai_parts parts;
	bool logprobs_is_count; /* `logprobs` is a number: of the alternatives that are told */
	const struct conduit_openai_embeddings *embeddings; /* NULL: as OpenAI's */
	/* URLs of further lists, ended by NULL, which `model` tells apart; NULL for none. One that
	 * the service refuses is passed over with a line in the log. */
	const char *const *more_models;
	const char *fallback_models; /* the member for the setting fallback_models, a JSON array of
					the model and those to ask when it fails; NULL: there is
					none */
	/* What a turn cost that was cut off: GET cost_path and the id that the reply's head held in
	 * cost_header ("x-generation-id"), as OpenRouter answers it. NULL: can't be asked. */
	const char *cost_path, *cost_header;
	enum conduit_openai_media media;
	const char *voice; /* that speaks where the setting voice isn't in force; NULL: the
			      service's own choice */
	enum conduit_openai_sound sound;
	const char *const *only_sounds; /* parts of the names of models that chat, and make sound
					   alone: "lyria"; ended by NULL */
};

/* For `model` above, or to be called by it: gives a model whose list doesn't say what it makes its
 * modalities. A well-known name (embedding, whisper, tts, dall-e …) tells it; what no name gives
 * away is taken to chat. What a model takes besides text is told by the name too (gpt-4o, -vl,
 * vision …), and left unknown where it isn't. */
bool conduit_openai_guess_kind(const struct conduit_json *entry, struct conduit_model *model);

/* `size`: of the dialect, as its provider knows the struct. The two below fill it in. */
void conduit_openai_discover_by(
		struct conduit_job *job, const struct conduit_openai *dialect, size_t size);
void conduit_openai_transform_by(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_openai *dialect, size_t size);

static inline void conduit_openai_discover(
		struct conduit_job *job, const struct conduit_openai *dialect) {
	conduit_openai_discover_by(job, dialect, sizeof(*dialect));
}

static inline void conduit_openai_transform(struct conduit_job *job,
		const struct conduit_turn *turn, const struct conduit_openai *dialect) {
	conduit_openai_transform_by(job, turn, dialect, sizeof(*dialect));
}

void conduit_openai_reply(struct conduit_job *job, const struct conduit_reply *reply);
void conduit_openai_data(struct conduit_job *job, const void *bytes, size_t size);
void conduit_openai_end(struct conduit_job *job);
void conduit_openai_release(struct conduit_job *job);

#define CONDUIT_OPENAI_CALLBACKS                                                                   \
	.reply = conduit_openai_reply, .data = conduit_openai_data, .end = conduit_openai_end,     \
	.release = conduit_openai_release

#endif
