/* Whisper (speech to text) behind one of three servers: speaches and what else speaks OpenAI's
 * audio API, whisper-asr-webservice (/asr), whisper.cpp's server (/inference). */
#include "whisper.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/multipart.h>
#include <conduit/kit/server.h>
#include <conduit/kit/turn.h>
#include <stdio.h>

static bool is(const struct conduit_turn *turn, const char *name, const char *value) {
	return strcmp(conduit_setting_or(turn, name, ""), value) == 0;
}

static bool wants_times(const struct conduit_turn *turn) {
	return is(turn, "timestamps", "segment") || is(turn, "timestamps", "word");
}

/* Times make JSON of a plain text, which has no place for them. */
static const char *format_of(const struct conduit_turn *turn) {
	const char *format = conduit_setting_or(turn, "format", "text");
	return strcmp(format, "text") == 0 && wants_times(turn) ? "json" : format;
}

static const char *type_of(const char *format) {
	return strcmp(format, "srt") == 0    ? "application/x-subrip"
	       : strcmp(format, "vtt") == 0  ? "text/vtt"
	       : strcmp(format, "json") == 0 ? "application/json"
					     : "text/tab-separated-values";
}

/* The last message's sounds, and its text, which says what words to expect. */
struct parts {
	const struct conduit_part *sound, *another, *words; /* NULL: there is none */
};

static struct parts find_parts(const struct conduit_turn *turn) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	struct parts parts = {0};
	for (size_t i = 0; last != NULL && i < last->n_parts; i++) {
		const struct conduit_part *part = &last->parts[i];
		if (strncmp(part->type, "text/", 5) == 0) {
			parts.words = part->bytes != 0 ? part : parts.words;
		} else if (parts.sound == NULL) {
			parts.sound = part;
		} else {
			parts.another = part;
		}
	}
	return parts;
}

/* What can't be done is refused: nothing that was given is passed over in silence. */
static bool check_parts(struct conduit_job *job, const struct conduit_turn *turn,
		const struct parts *parts) {
	if (parts->sound == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"speech is written down, not text: cp speech.mp3 input");
	} else if (parts->another != NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"one recording is written down at a time: attach/%s is another",
				parts->another->name);
	} else if (parts->words != NULL && strcmp(turn->model, ID_ASR) == 0) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"this server takes words to expect from config/instructions alone: "
				"write the text there, and the sound to input");
	} else {
		return true;
	}
	return false;
}

/* Servers tell the kind of sound by the name's ending, or by what is in it. */
static void put_sound(struct conduit_multipart *form, const char *name,
		const struct conduit_part *sound) {
	const char *kind = strchr(sound->type, '/');
	char made[64];
	kind = kind != NULL ? kind + 1 : "bin";
	kind = strncmp(kind, "x-", 2) == 0 ? kind + 2 : kind;
	snprintf(made, sizeof(made), "speech.%s", strcmp(kind, "mpeg") == 0 ? "mp3" : kind);
	conduit_multipart_file(form, name, sound, sound->name[0] != '\0' ? sound->name : made);
}

static void send_form(struct conduit_job *job, struct conduit_multipart *form, const char *path) {
	struct conduit_request request = conduit_server_post(job, path, NULL, NULL);
	conduit_multipart_send(form, job, &request);
	conduit_multipart_destroy(form);
}

/* What both servers that take a form name alike. "verbose_json" is all that they can say. */
static struct conduit_multipart *begin_form(
		const struct conduit_turn *turn, const struct conduit_part *words) {
	struct conduit_multipart *form = conduit_multipart_create();
	const char *format = format_of(turn);
	bool verbose = strcmp(format, "json") == 0 && wants_times(turn);
	conduit_multipart_text(form, "response_format", verbose ? "verbose_json" : format);
	conduit_multipart_setting(form, turn, "temperature", "temperature");
	if (words != NULL) {
		conduit_multipart_part(form, "prompt", words);
	} else {
		conduit_multipart_setting(form, turn, "instructions", "prompt");
	}
	conduit_multipart_extra(form, turn);
	return form;
}

static void send_openai(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *sound, const struct conduit_part *words) {
	struct conduit_multipart *form = begin_form(turn, words);
	bool translate = is(turn, "task", "translate");
	conduit_multipart_text(form, "model", turn->model);
	if (!translate) {
		conduit_multipart_setting(form, turn, "language", "language");
	}
	if (wants_times(turn) && !translate) {
		conduit_multipart_setting(form, turn, "timestamps", "timestamp_granularities[]");
	}
	put_sound(form, "file", sound);
	send_form(job, form, translate ? "/v1/audio/translations" : "/v1/audio/transcriptions");
}

static void send_cpp(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *sound, const struct conduit_part *words) {
	struct conduit_multipart *form = begin_form(turn, words);
	/* Unasked it takes everything for English. */
	conduit_multipart_text(form, "language", conduit_setting_or(turn, "language", "auto"));
	if (is(turn, "task", "translate")) {
		conduit_multipart_text(form, "translate", "true");
	}
	put_sound(form, "file", sound);
	send_form(job, form, "/inference");
}

/* Longer paths than this, and a host before it, servers refuse. */
#define PATH_MOST 7168

/* A query's value (RFC 3986); false when it doesn't fit. */
static bool add_query(char *path, size_t size, const char *name, const char *value) {
	size_t used = strlen(path);
	used += (size_t)snprintf(path + used, size - used, "&%s=", name);
	for (; *value != '\0' && used + 4 < size; value++) {
		bool plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~",
					     *value) != NULL;
		used += (size_t)snprintf(path + used, size - used, plain ? "%c" : "%%%02X",
				(unsigned char)*value);
	}
	return *value == '\0';
}

static void send_asr(struct conduit_job *job, const struct conduit_turn *turn,
		const struct conduit_part *sound) {
	char path[PATH_MOST];
	const char *format = format_of(turn);
	const char *language = conduit_setting_or(turn, "language", "");
	const char *words = conduit_setting_or(turn, "instructions", "");
	snprintf(path, sizeof(path), "/asr?encode=true&task=%s&output=%s",
			is(turn, "task", "translate") ? "translate" : "transcribe",
			strcmp(format, "text") == 0 ? "txt" : format);
	bool fits = (language[0] == '\0' || add_query(path, sizeof(path), "language", language)) &&
		    (!is(turn, "timestamps", "word") ||
				    add_query(path, sizeof(path), "word_timestamps", "true")) &&
		    (words[0] == '\0' || add_query(path, sizeof(path), "initial_prompt", words));
	if (!fits) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"the setting instructions is too long for this server: shorten it");
		return;
	}
	struct conduit_multipart *form = conduit_multipart_create();
	put_sound(form, "audio_file", sound);
	send_form(job, form, path);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	struct parts parts = find_parts(turn);
	if (!check_parts(job, turn, &parts)) {
		return;
	}
	if (strcmp(format_of(turn), "text") != 0) {
		conduit_result(job, type_of(format_of(turn)), NULL);
	}
	if (strcmp(turn->model, ID_ASR) == 0) {
		send_asr(job, turn, parts.sound);
	} else if (strcmp(turn->model, ID_CPP) == 0) {
		send_cpp(job, turn, parts.sound, parts.words);
	} else {
		send_openai(job, turn, parts.sound, parts.words);
	}
}

CONDUIT_PROVIDER(.name = "whisper", .version = "1.0.0", .discover = whisper_discover,
		.transform = transform, CONDUIT_LOCAL_CALLBACKS)
