/* A request's body as a recipe: see conduit/kit/body.h. */
#include <conduit/kit/body.h>

#include "core/base/text.h"

#include <string.h>

#define LITERAL_LIMIT ((size_t)1 << 20)
#define PIECES_LIMIT 4096

/* A run of the literal bytes, by offset as long as they may still move, or a file. */
struct piece {
	enum conduit_body_kind kind;
	uint32_t file;
	size_t start;
	size_t size;
};

struct conduit_body {
	struct buf literal;
	struct piece *pieces;
	size_t n_pieces;
	size_t capacity;
	bool failed;
};

struct conduit_body *conduit_body_create(void) {
	struct conduit_body *body = calloc(1, sizeof(*body));
	if (body != NULL) {
		body->literal.limit = LITERAL_LIMIT;
	}
	return body;
}

void conduit_body_destroy(struct conduit_body *body) {
	if (body != NULL) {
		buf_finish(&body->literal);
		free(body->pieces);
		free(body);
	}
}

static struct piece *add_piece(struct conduit_body *body, enum conduit_body_kind kind) {
	if (body->n_pieces == PIECES_LIMIT) {
		body->failed = true;
		return NULL;
	}
	if (body->pieces == NULL || body->n_pieces == body->capacity) {
		size_t capacity = body->capacity != 0 ? body->capacity * 2 : 16;
		struct piece *pieces = reallocarray(body->pieces, capacity, sizeof(*pieces));
		if (pieces == NULL) {
			body->failed = true;
			return NULL;
		}
		body->pieces = pieces;
		body->capacity = capacity;
	}
	struct piece *piece = &body->pieces[body->n_pieces++];
	*piece = (struct piece){.kind = kind, .start = body->literal.size};
	return piece;
}

/* What was added to the literal bytes since `before` belongs to the last piece, or to a new one
 * after a file. */
static void close_literal(struct conduit_body *body, size_t before) {
	size_t added = body->literal.size - before;
	body->failed = body->failed || body->literal.failed;
	if (added == 0) {
		return;
	}
	struct piece *last = body->n_pieces != 0 ? &body->pieces[body->n_pieces - 1] : NULL;
	if (last == NULL || last->kind != CONDUIT_LITERAL) {
		last = add_piece(body, CONDUIT_LITERAL);
		if (last == NULL) {
			return;
		}
		last->start = before;
	}
	last->size += added;
}

void conduit_body_bytes(struct conduit_body *body, const char *bytes, size_t size) {
	if (body != NULL) {
		size_t before = body->literal.size;
		buf_add(&body->literal, bytes, size);
		close_literal(body, before);
	}
}

void conduit_body_text(struct conduit_body *body, const char *text) {
	conduit_body_bytes(body, text, strlen(text));
}

void conduit_body_string(struct conduit_body *body, const char *text, size_t size) {
	if (body != NULL) {
		size_t before = body->literal.size;
		buf_add_byte(&body->literal, '"');
		json_escape(&body->literal, text, size);
		buf_add_byte(&body->literal, '"');
		close_literal(body, before);
	}
}

void conduit_body_file(struct conduit_body *body, enum conduit_body_kind kind, uint32_t file) {
	struct piece *piece = body != NULL ? add_piece(body, kind) : NULL;
	if (piece != NULL) {
		piece->file = file;
	}
}

static void fail(struct conduit_job *job, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_OTHER, .words = words});
}

void conduit_body_send(struct conduit_body *body, struct conduit_job *job,
		const struct conduit_request *request) {
	if (body == NULL || body->failed) {
		fail(job, "the request is too large to be put together: its own text exceeds 1 MiB "
			  "or it has more than 4096 pieces (start a new conversation), or memory "
			  "is "
			  "short");
		return;
	}
	cleanup_free struct conduit_body_part *parts = calloc(body->n_pieces + 1, sizeof(*parts));
	if (parts == NULL) {
		fail(job, "memory is short");
		return;
	}
	for (size_t i = 0; i < body->n_pieces; i++) {
		const struct piece *piece = &body->pieces[i];
		parts[i].kind = piece->kind;
		parts[i].file = piece->file;
		if (piece->kind == CONDUIT_LITERAL) {
			parts[i].bytes = body->literal.data + piece->start;
			parts[i].size = piece->size;
		}
	}
	struct conduit_request whole = *request;
	whole.body = parts;
	whole.n_body = body->n_pieces;
	conduit_request(job, &whole);
}
