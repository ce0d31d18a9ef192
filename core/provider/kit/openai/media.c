/* What pictures and speech share: see media.h. */
#include "core/provider/kit/openai/media.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/request.h"
#include "core/provider/kit/openai/usage.h"

#include <conduit/kit/failure.h>
#include <stdio.h>
#include <string.h>

static const char *service(const struct media *media) {
	return media->dialect->service != NULL ? media->dialect->service : "the service";
}

static void stop(struct media *media, enum conduit_kind kind, const char *words) {
	conduit_fail(media->job, &(struct conduit_failure){.kind = kind, .words = words});
	media->results.over = true;
}

static void malformed(struct media *media, const char *what) {
	conduit_malformed(media->job, "%s's answer %s", service(media), what);
	media->results.over = true;
}

/* ---- parts of the turn ---- */

static const struct conduit_message *newest(const struct conduit_turn *turn) {
	return turn->n_messages != 0 ? &turn->messages[turn->n_messages - 1] : NULL;
}

const struct conduit_part *media_part(const struct conduit_turn *turn, const char *kind, size_t n) {
	const struct conduit_message *message = newest(turn);
	for (size_t i = 0; message != NULL && i < message->n_parts; i++) {
		if (starts_with(message->parts[i].type, kind) && n-- == 0) {
			return &message->parts[i];
		}
	}
	return NULL;
}

const struct conduit_part *media_prompt(const struct conduit_turn *turn) {
	const struct conduit_part *part = media_part(turn, "text/", 0);
	return part != NULL && part->bytes != 0 ? part : NULL;
}

void media_filename(const struct conduit_part *part, char *ret, size_t size) {
	static const struct {
		const char *type, *extension;
	} known[] = {{"mpeg", "mp3"}, {"x-wav", "wav"}, {"jpeg", "jpg"}, {"quicktime", "mov"},
			{"x-matroska", "mkv"}};
	const char *slash = strchr(part->type, '/');
	const char *extension = slash != NULL ? slash + 1 : "bin";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(extension, known[i].type) == 0) {
			extension = known[i].extension;
		}
	}
	size_t length = slash != NULL ? (size_t)(slash - part->type) : 4;
	if (part->name[0] != '\0') {
		snprintf(ret, size, "%s", part->name);
	} else {
		snprintf(ret, size, "%.*s.%s", (int)length, slash != NULL ? part->type : "file",
				extension);
	}
}

void media_data_url(struct conduit_body *body, const struct conduit_part *part) {
	conduit_body_text(body, "\"data:");
	conduit_body_text(body, part->type);
	conduit_body_text(body, ";base64,");
	conduit_body_file(body, CONDUIT_FILE_BASE64, part->file);
	conduit_body_text(body, "\"");
}

void media_model_url(struct conduit_job *job, const char *before, const char *model,
		const char *after, struct buf *out) {
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~/";
	const char *base = conduit_base_url(job);
	const char *host = strstr(base, "://");
	size_t origin = host != NULL ? (size_t)(host - base) + 3 + strcspn(host + 3, "/?#") : 0;
	buf_add_format(out, "%.*s%s", (int)origin, base, before);
	for (; *model != '\0'; model++) {
		if (strchr(plain, *model) != NULL) {
			buf_add_byte(out, *model);
		} else {
			buf_add_format(out, "%%%02X", (unsigned char)*model);
		}
	}
	buf_add_string(out, after);
}

/* ---- results in JSON ---- */

static void begin_blob(void *data, const char *name) {
	struct media *media = data;
	inlined_begin(&media->results, strcmp(name, "url") == 0);
}

static void take_piece(void *data, const char *text, size_t size) {
	struct media *media = data;
	inlined_piece(&media->results, text, size);
}

static void end_blob(void *data) {
	struct media *media = data;
	inlined_end(&media->results);
}

void media_begin(struct media *media, struct conduit_job *job,
		const struct conduit_openai *dialect) {
	media->dialect = dialect;
	media->job = media->results.job = job;
	media->results.service = service(media);
}

bool media_expect(struct media *media, const char *const *names) {
	media->blobs = conduit_json_blobs_create(&(struct conduit_json_blobs_calls){.names = names,
			.begin = begin_blob,
			.piece = take_piece,
			.end = end_blob,
			.data = media});
	if (media->blobs == NULL) {
		stop(media, CONDUIT_FAIL_OTHER, "memory is short");
	}
	return media->blobs != NULL;
}

void media_feed(struct media *media, const char *bytes, size_t size) {
	if (!media->results.over) {
		conduit_json_blobs_feed(media->blobs, bytes, size);
	}
}

/* ---- the end of a reply ---- */

static void finish(struct media *media) {
	conduit_finish(media->job, "stop", NULL);
	media->results.over = true;
}

static bool take_rest(struct media *media) {
	struct conduit_usage usage = CONDUIT_USAGE_UNKNOWN;
	struct conduit_json *rest = conduit_json_blobs_rest(media->blobs);
	if (media->results.over) {
		conduit_json_free(rest);
		return false;
	}
	if (rest == NULL) {
		malformed(media, "isn't JSON, or was cut short");
	} else if (conduit_json_type(rest, "error") >= CONDUIT_JSON_STRING) {
		conduit_json_failure(media->job, 200, rest);
		media->results.over = true;
	} else if (media->results.n == 0 && media->results.n_urls == 0) {
		malformed(media, "holds no result");
	} else if (usage_read(conduit_json_get(rest, "usage"), &usage)) {
		conduit_usage(media->job, &usage);
	}
	conduit_json_free(rest);
	return !media->results.over;
}

void media_end(struct media *media, const char *content_type) {
	if (media->results.over) {
		return;
	}
	bool straight = media->blobs == NULL;
	if (straight && !conduit_media_came(media->job, content_type, "the result itself")) {
		media->results.over = true;
		return;
	}
	if (!straight && media->results.downloaded == 0 && !take_rest(media)) {
		return;
	}
	if (!inlined_download(&media->results)) {
		finish(media);
	}
}

void media_finish(struct media *media) {
	conduit_json_blobs_destroy(media->blobs);
	inlined_finish(&media->results);
}
