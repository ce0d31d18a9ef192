/* Results within JSON: see inlined.h. */
#include "core/provider/kit/openai/inlined.h"

#include "core/base/text.h"

#include <conduit/kit/failure.h>
#include <stdlib.h>

#define URL_MOST 8192
#define PIECE 4096

static void malformed(struct inlined *inlined, const char *what) {
	conduit_malformed(inlined->job, "%s's answer %s", inlined->service, what);
	inlined->over = true;
}

static void begin_result(struct inlined *inlined) {
	inlined->n++;
	if (inlined->begin != NULL) {
		inlined->begin(inlined->data);
	} else {
		/* What it is its content tells; what services say of it comes later, or is wrong.
		 */
		conduit_result(inlined->job, NULL, NULL);
	}
}

static void put_out(struct inlined *inlined, const void *bytes, size_t size) {
	if (size == 0) {
		return;
	}
	if (!inlined->begun) {
		inlined->begun = true;
		begin_result(inlined);
	}
	conduit_output(inlined->job, bytes, size);
}

static void take_base64(struct inlined *inlined, const char *text, size_t size) {
	unsigned char bytes[CONDUIT_BASE64_ROOM(PIECE)];
	while (size > 0) {
		size_t piece = size < PIECE ? size : PIECE;
		put_out(inlined, bytes,
				conduit_base64_decode(&inlined->decoder, text, piece, bytes));
		text += piece;
		size -= piece;
	}
}

/* A URL is an address, or the data themselves: "data:image/png;base64,…". */
static void take_url(struct inlined *inlined, const char *text, size_t size) {
	for (size_t i = 0; i < size && inlined->form == INLINED_URL; i++) {
		buf_add_byte(&inlined->text, text[i]);
		bool is_data = starts_with(buf_string(&inlined->text), "data:");
		if (is_data && text[i] == ',') {
			inlined->form = INLINED_BASE64;
			take_base64(inlined, text + i + 1, size - i - 1);
		} else if (inlined->text.size > URL_MOST) {
			inlined->form = INLINED_NONE;
			malformed(inlined, "holds a URL above 8 KiB");
		}
	}
}

void inlined_begin(struct inlined *inlined, bool is_url) {
	inlined->form = is_url ? INLINED_URL : INLINED_BASE64;
	inlined->decoder = (struct conduit_base64){0};
	inlined->begun = false;
	buf_clear(&inlined->text);
}

void inlined_piece(struct inlined *inlined, const char *text, size_t size) {
	if (inlined->over) {
		return;
	}
	if (inlined->form == INLINED_BASE64) {
		take_base64(inlined, text, size);
	} else if (inlined->form == INLINED_URL) {
		take_url(inlined, text, size);
	}
}

static void end_base64(struct inlined *inlined) {
	unsigned char last[2];
	size_t n = 0;
	bool whole = conduit_base64_end(&inlined->decoder, last, &n);
	put_out(inlined, last, n);
	if (!whole) {
		malformed(inlined, "holds a result whose base64 is wrong or was cut short");
	}
}

static void end_url(struct inlined *inlined) {
	if (inlined->n_urls == INLINED_URLS_MOST) {
		malformed(inlined, "holds more than 64 URLs");
	} else if ((inlined->urls[inlined->n_urls++] = buf_take(&inlined->text)) == NULL) {
		conduit_fail(inlined->job, &(struct conduit_failure){.words = "memory is short"});
		inlined->over = true;
	}
}

void inlined_end(struct inlined *inlined) {
	if (!inlined->over && inlined->form == INLINED_BASE64) {
		end_base64(inlined);
	} else if (!inlined->over && inlined->form == INLINED_URL && inlined->text.size != 0) {
		end_url(inlined);
	}
	inlined->form = INLINED_NONE;
}

bool inlined_download(struct inlined *inlined) {
	if (inlined->downloaded == inlined->n_urls) {
		return false;
	}
	begin_result(inlined);
	/* Only hosts that were granted are asked, which the daemon sees to. */
	conduit_request(inlined->job, &(struct conduit_request){.method = "GET",
						      .url = inlined->urls[inlined->downloaded++],
						      .sink = CONDUIT_TO_OUTPUT});
	return true;
}

void inlined_finish(struct inlined *inlined) {
	buf_finish(&inlined->text);
	for (size_t i = 0; i < inlined->n_urls; i++) {
		free(inlined->urls[i]);
	}
}
