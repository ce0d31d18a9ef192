/* Sound and pictures of a chat: see chat_media.h. */
#include "core/provider/kit/openai/chat_media.h"

#include "core/base/text.h"

#include <conduit/kit/failure.h>
#include <string.h>

#define PIECE 4096
/* Text that waits: as much as tool calls may have. */
#define TEXT_MOST ((size_t)16 << 20)
/* By so many bytes it is known what sound is. */
#define HEAD_SIZE 12

const char *const chat_media_names[] = {"choices.delta.audio.data", "choices.message.audio.data",
		"choices.delta.images.image_url.url", "choices.message.images.image_url.url", NULL};

/* ---- where bytes go ---- */

static void go_to_output(struct chat_media *media) {
	if (media->at != CHAT_AT_OUTPUT) {
		conduit_result_end(media->job);
		media->at = CHAT_AT_OUTPUT;
	}
	media->used = true;
}

/* A result of its own, which isn't the output. */
static void go_beside(struct chat_media *media, const char *type) {
	if (!media->used) {
		if (media->wish.makes == OPENAI_MAKES_SOUND) {
			conduit_result(media->job, media->wish.type, NULL);
		}
		conduit_result_end(media->job);
		media->used = true;
	}
	conduit_result(media->job, type, NULL);
}

/* The first of its kind is the output, where it is what was asked for. */
static void begin_picture(void *data) {
	struct chat_media *media = data;
	if (media->wish.makes == OPENAI_MAKES_PICTURES && !media->answered) {
		bool first = !media->used;
		media->answered = true;
		go_to_output(media);
		if (first) {
			conduit_result(media->job, NULL, NULL);
		}
		return;
	}
	go_beside(media, NULL);
	media->at = CHAT_AT_PICTURE;
}

static void begin_sound(struct chat_media *media, const char *type) {
	bool first = !media->used;
	media->sounded = true;
	if (media->wish.makes != OPENAI_MAKES_SOUND) {
		go_beside(media, type);
		media->at = CHAT_AT_SOUND;
		return;
	}
	media->answered = true;
	go_to_output(media);
	if (first) {
		conduit_result(media->job, type, NULL);
	}
}

/* ---- sound ---- */

static bool has_header(const struct buf *head) {
	static const char *const marks[] = {"RIFF", "ID3", "OggS", "fLaC"};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (head->size >= strlen(marks[i]) &&
				memcmp(head->data, marks[i], strlen(marks[i])) == 0) {
			return true;
		}
	}
	return false;
}

/* Of a stream whose end isn't known: both sizes are as large as can be, which players know. */
static void put_wav_header(struct conduit_job *job) {
	static const unsigned char header[] = {'R', 'I', 'F', 'F', 0xff, 0xff, 0xff, 0xff, 'W', 'A',
			'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 1, 0,
			/* 24,000 samples of 16 bits in a second, one channel. */
			0xc0, 0x5d, 0, 0, 0x80, 0xbb, 0, 0, 2, 0, 16, 0, 'd', 'a', 't', 'a', 0xff,
			0xff, 0xff, 0xff};
	conduit_output(job, header, sizeof(header));
}

/* The first bytes say what it is: samples without a header get one, where that was asked for. */
static void put_head(struct chat_media *media) {
	bool bare = media->wish.adds_header && !has_header(&media->head);
	begin_sound(media, media->wish.adds_header && !bare ? NULL : media->wish.type);
	if (bare) {
		put_wav_header(media->job);
	}
	conduit_output(media->job, media->head.data, media->head.size);
	buf_clear(&media->head);
}

static void put_sound(struct chat_media *media, const unsigned char *bytes, size_t size) {
	if (size == 0) {
		return;
	}
	if (!media->sounded) {
		buf_add(&media->head, bytes, size);
		if (media->head.size >= HEAD_SIZE) {
			put_head(media);
		}
		return;
	}
	if (media->wish.makes == OPENAI_MAKES_SOUND) {
		go_to_output(media);
	} else if (media->at != CHAT_AT_SOUND) {
		begin_sound(media, media->wish.type);
	}
	conduit_output(media->job, bytes, size);
}

static void take_sound(struct chat_media *media, const char *text, size_t size) {
	unsigned char bytes[CONDUIT_BASE64_ROOM(PIECE)];
	while (size > 0) {
		size_t piece = size < PIECE ? size : PIECE;
		put_sound(media, bytes, conduit_base64_decode(&media->sound, text, piece, bytes));
		text += piece;
		size -= piece;
	}
}

/* One whole base64 is over: what came before the next. False when it was wrong. */
static bool end_sound(struct chat_media *media) {
	unsigned char last[2];
	size_t n = 0;
	bool whole = conduit_base64_end(&media->sound, last, &n);
	put_sound(media, last, n);
	media->sound = (struct conduit_base64){0};
	if (!whole && !media->pictures.over) {
		chat_media_flush(media);
		conduit_malformed(media->job,
				"%s's answer holds sound whose base64 is wrong or was cut short",
				media->pictures.service);
		media->pictures.over = true;
	}
	return whole;
}

/* ---- strings of the answer ---- */

void chat_media_init(struct chat_media *media, struct conduit_job *job, const char *service) {
	media->job = media->pictures.job = job;
	media->pictures.service = service;
	media->pictures.begin = begin_picture;
	media->pictures.data = media;
	media->text.limit = TEXT_MOST;
}

void chat_media_begin(struct chat_media *media, const char *name) {
	media->is_sound = ends_with(name, ".audio.data");
	if (!media->is_sound) {
		inlined_begin(&media->pictures, true);
	} else if (media->sound.padding != 0) {
		/* Each fragment is either a piece of one text, or encoded by itself. */
		end_sound(media);
	}
}

void chat_media_piece(struct chat_media *media, const char *bytes, size_t size) {
	if (!media->is_sound) {
		inlined_piece(&media->pictures, bytes, size);
	} else if (!media->pictures.over) {
		take_sound(media, bytes, size);
	}
}

void chat_media_end(struct chat_media *media) {
	if (!media->is_sound) {
		inlined_end(&media->pictures);
	} else if (media->sound.wrong) {
		end_sound(media);
	}
}

void chat_media_text(struct chat_media *media, const char *text, size_t size) {
	if (size == 0) {
		return;
	}
	if (media->wish.makes == OPENAI_MAKES_TEXT && media->at != CHAT_AT_SOUND) {
		go_to_output(media);
		conduit_output(media->job, text, size);
	} else {
		buf_add(&media->text, text, size);
	}
}

/* ---- the end ---- */

void chat_media_flush(struct chat_media *media) {
	struct buf *text = &media->text;
	if (media->head.size != 0) {
		put_head(media);
	}
	if (text->size == 0) {
		return;
	}
	if (text->failed) {
		conduit_log(media->job, "the text beside a result is cut after %zu bytes",
				text->size);
	}
	/* Where nothing else came it is the output after all. */
	if (media->wish.makes == OPENAI_MAKES_TEXT || !media->answered) {
		go_to_output(media);
	} else {
		conduit_result(media->job, "text/plain",
				media->wish.makes == OPENAI_MAKES_SOUND ? "transcript.txt"
									: "text.txt");
		if (text->data[text->size - 1] != '\n') {
			buf_add_byte(text, '\n');
		}
	}
	conduit_output(media->job, text->data, text->size);
	buf_clear(text);
}

bool chat_media_complete(struct chat_media *media) {
	bool whole = end_sound(media);
	if (whole) {
		chat_media_flush(media);
	}
	return whole;
}

void chat_media_finish(struct chat_media *media) {
	inlined_finish(&media->pictures);
	buf_finish(&media->head);
	buf_finish(&media->text);
}
