/* What a chat's answer holds beside its text: sound and pictures. One of the three is the turn's
 * output, the others are further results. Sound and pictures are put out as they stream; text is,
 * where it is the output, and else waits for its end. */
#ifndef CORE_PROVIDER_KIT_OPENAI_CHAT_MEDIA_H
#define CORE_PROVIDER_KIT_OPENAI_CHAT_MEDIA_H

#include "core/provider/kit/openai/inlined.h"
#include "core/provider/kit/openai/wish.h"

/* Starts as zeros. */
struct chat_media {
	struct conduit_job *job;
	struct openai_wish wish; /* what the output is to be */
	struct inlined pictures;
	struct conduit_base64 sound; /* goes on from fragment to fragment */
	struct buf head; /* the sound's first bytes, until it is known what they are */
	struct buf text; /* that waits */
	bool is_sound; /* the string under way is sound */
	bool sounded; /* sound was put out */
	bool used; /* something is the output, or it was kept free */
	bool answered; /* what was asked for came */
	enum { CHAT_AT_OUTPUT, CHAT_AT_SOUND, CHAT_AT_PICTURE } at; /* where bytes go now */
};

/* The strings of an answer that are no text, for conduit_json_blobs_create. */
extern const char *const chat_media_names[];

void chat_media_init(struct chat_media *media, struct conduit_job *job, const char *service);
/* Text of the answer. */
void chat_media_text(struct chat_media *media, const char *text, size_t size);
/* A string of these names: see conduit/kit/json_blobs.h. */
void chat_media_begin(struct chat_media *media, const char *name);
void chat_media_piece(struct chat_media *media, const char *bytes, size_t size);
void chat_media_end(struct chat_media *media);
/* The answer is over: what waits is put out. False when the job failed by that. */
bool chat_media_complete(struct chat_media *media);
/* Of an answer that failed the same, as far as it came. */
void chat_media_flush(struct chat_media *media);
void chat_media_finish(struct chat_media *media);

#endif
