/* A body's parts turned into bytes, piece by piece: see body.h. */
#include "core/transfer/body.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of a file that are encoded at a time: divides by 3, so that base64 pads only at the end. */
#define PIECE 6144
/* Far above any request (16 GiB of media), far below where sums of lengths could wrap. */
#define SOURCE_MOST ((uint64_t)1 << 44)

struct source {
	int fd; /* -1 for a literal */
	uint64_t skip; /* where in the file what is sent begins */
	uint64_t size; /* bytes taken from the file or literal */
	uint64_t length; /* bytes sent for them */
};

struct body_reader {
	const struct body *body;
	struct source *sources; /* one a part */
	uint64_t length; /* of the whole; grows while it is measured */
	size_t measuring; /* the part that is measured next; n_parts when all are */
	size_t part; /* where reading stands */
	uint64_t taken; /* from the part's source */
	uint64_t sent; /* of the part's encoded bytes */
	struct buf encoded; /* of this part, not handed out before encoded_at */
	size_t encoded_at;
};

void body_finish(struct body *body) {
	for (size_t i = 0; i < body->n_parts; i++) {
		free(body->parts[i].path);
		free(body->parts[i].bytes);
	}
	free(body->parts);
	*body = (struct body){0};
}

static bool copy_part(struct body_part *ret, const struct body_part *from) {
	*ret = *from;
	ret->path = NULL;
	ret->bytes = NULL;
	if (from->path != NULL) {
		ret->path = strdup(from->path);
		if (ret->path == NULL) {
			return false;
		}
	}
	if (from->bytes != NULL) {
		ret->bytes = malloc(from->size + 1);
		if (ret->bytes == NULL) {
			return false;
		}
		memcpy(ret->bytes, from->bytes, from->size);
		ret->bytes[from->size] = '\0';
	}
	return true;
}

bool body_copy(struct body *ret, const struct body *from) {
	struct body copy = {.parts = calloc(from->n_parts + 1, sizeof(*copy.parts))};
	if (copy.parts == NULL) {
		return false;
	}
	for (; copy.n_parts < from->n_parts; copy.n_parts++) {
		if (!copy_part(&copy.parts[copy.n_parts], &from->parts[copy.n_parts])) {
			copy.n_parts++;
			body_finish(&copy);
			return false;
		}
	}
	*ret = copy;
	return true;
}

static uint64_t base64_length(uint64_t size) {
	return (size + 2) / 3 * 4;
}

static bool open_source(struct source *source, const struct body_part *part, struct fail *fail) {
	if (part->kind == BODY_LITERAL) {
		source->size = source->length = part->size;
		return true;
	}
	/* O_NONBLOCK, so that a FIFO in a file's place can't hold the loop. */
	source->fd = open(part->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	if (source->fd < 0 || fstat(source->fd, &status) < 0) {
		int code = errno;
		return fail_set(fail, code, "the request's file %s can't be read: %s", part->path,
				strerror(code));
	}
	if (!S_ISREG(status.st_mode)) {
		return fail_set(fail, EINVAL,
				"the request's file %s is not a regular file: attach a file",
				part->path);
	}
	uint64_t size = (uint64_t)status.st_size;
	if (size > SOURCE_MOST) {
		return fail_set(fail, EFBIG, "the request's file %s is too large: %llu bytes",
				part->path, (unsigned long long)size);
	}
	source->skip = part->skip < size ? part->skip : size;
	size -= source->skip;
	source->size = size > part->drop ? size - part->drop : 0;
	source->length = part->kind == BODY_FILE_BASE64 ? base64_length(source->size)
							: source->size;
	(void)posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return true;
}

struct body_reader *body_reader_open(const struct body *body, struct fail *fail) {
	struct body_reader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL) {
		fail_set(fail, ENOMEM, "no memory to read a request's body");
		return NULL;
	}
	reader->body = body;
	reader->sources = calloc(body->n_parts + 1, sizeof(*reader->sources));
	if (reader->sources == NULL) {
		fail_set(fail, ENOMEM, "no memory to read a request's body");
		body_reader_destroy(reader);
		return NULL;
	}
	for (size_t i = 0; i < body->n_parts; i++) {
		reader->sources[i].fd = -1;
	}
	for (size_t i = 0; i < body->n_parts; i++) {
		if (!open_source(&reader->sources[i], &body->parts[i], fail)) {
			body_reader_destroy(reader);
			return NULL;
		}
	}
	return reader;
}

struct body_reader *body_reader_create(const struct body *body, struct fail *fail) {
	struct body_reader *reader = body_reader_open(body, fail);
	if (reader == NULL) {
		return NULL;
	}
	enum body_measured measured;
	do {
		measured = body_reader_measure(reader, SIZE_MAX, fail);
	} while (measured == BODY_MEASURE_MORE);
	if (measured == BODY_MEASURE_FAILED) {
		body_reader_destroy(reader);
		return NULL;
	}
	return reader;
}

void body_reader_destroy(struct body_reader *reader) {
	if (reader == NULL) {
		return;
	}
	for (size_t i = 0; reader->sources != NULL && i < reader->body->n_parts; i++) {
		if (reader->sources[i].fd >= 0) {
			close(reader->sources[i].fd);
		}
	}
	free(reader->sources);
	buf_finish(&reader->encoded);
	free(reader);
}

uint64_t body_reader_length(const struct body_reader *reader) {
	return reader->length;
}

/* `size` bytes of the file or an error; a short file is EIO. */
static bool read_exactly(int fd, void *bytes, size_t size, uint64_t offset) {
	size_t got = 0;
	while (got < size) {
		ssize_t n = pread(fd, (char *)bytes + got, size - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			errno = n < 0 ? errno : EIO;
			return false;
		}
		got += (size_t)n;
	}
	return true;
}

static bool base64_encode(struct buf *out, const unsigned char *bytes, size_t size) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = (size_t)base64_length(size);
	char *to = buf_reserve(out, length);
	if (to == NULL) {
		return false;
	}
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t group = (uint32_t)bytes[i] << 16;
		group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? (uint32_t)bytes[i + 2] : 0;
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[group & 63] : '=';
	}
	out->size += length;
	return true;
}

/* How many of `size` bytes may be escaped before the next ones are known: all but a character
 * that the end of the piece may have cut. Whatever a lead byte begins, json_escape looks at it
 * afresh, so that cutting before one never changes what comes out. */
static size_t whole_characters(const unsigned char *text, size_t size) {
	for (size_t back = 1; back <= 3 && back <= size; back++) {
		unsigned char byte = text[size - back];
		if ((byte & 0xc0) == 0x80) {
			continue;
		}
		size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
		return length > back ? size - back : size;
	}
	return size;
}

/* Encodes the next piece of a file into `encoded`, which was emptied before. Returns how many of
 * its bytes were used; 0 is a failure (errno). */
static size_t encode_piece(struct buf *encoded, const struct source *source, enum body_kind kind,
		uint64_t offset) {
	unsigned char piece[PIECE];
	uint64_t left = source->size - offset;
	size_t size = left < sizeof(piece) ? (size_t)left : sizeof(piece);
	if (!read_exactly(source->fd, piece, size, source->skip + offset)) {
		return 0;
	}
	bool added;
	if (kind == BODY_FILE_BASE64) {
		added = base64_encode(encoded, piece, size);
	} else {
		size = size < left ? whole_characters(piece, size) : size;
		added = json_escape(encoded, (const char *)piece, size);
	}
	if (!added) {
		errno = ENOMEM;
		return 0;
	}
	return size;
}

static enum body_measured measure_failed(const struct body_part *part, struct fail *fail) {
	int code = errno;
	fail_set(fail, code, "the request's file %s can't be read: %s", part->path, strerror(code));
	return BODY_MEASURE_FAILED;
}

enum body_measured body_reader_measure(struct body_reader *reader, size_t most, struct fail *fail) {
	size_t used = 0;
	while (reader->measuring < reader->body->n_parts) {
		const struct body_part *part = &reader->body->parts[reader->measuring];
		struct source *source = &reader->sources[reader->measuring];
		if (part->kind == BODY_FILE_JSON && reader->taken == 0) {
			source->length = 0;
		}
		while (part->kind == BODY_FILE_JSON && reader->taken < source->size) {
			if (used >= most) {
				return BODY_MEASURE_MORE;
			}
			buf_clear(&reader->encoded);
			size_t n = encode_piece(
					&reader->encoded, source, part->kind, reader->taken);
			if (n == 0) {
				return measure_failed(part, fail);
			}
			used += n;
			reader->taken += n;
			source->length += reader->encoded.size;
		}
		reader->length += source->length;
		reader->taken = 0;
		reader->measuring++;
	}
	body_reader_rewind(reader);
	return BODY_MEASURED;
}

bool body_reader_rewind(struct body_reader *reader) {
	reader->part = 0;
	reader->taken = 0;
	reader->sent = 0;
	reader->encoded_at = 0;
	buf_clear(&reader->encoded);
	return true;
}

/* Bytes of the current part, more than 0; -1 with errno. */
static ssize_t read_part(struct body_reader *reader, void *bytes, size_t size) {
	const struct body_part *part = &reader->body->parts[reader->part];
	const struct source *source = &reader->sources[reader->part];
	uint64_t left = source->length - reader->sent;
	size = left < size ? (size_t)left : size;
	if (part->kind == BODY_LITERAL) {
		memcpy(bytes, part->bytes + reader->sent, size);
		return (ssize_t)size;
	}
	if (part->kind == BODY_FILE) {
		uint64_t from = source->skip + reader->sent;
		return read_exactly(source->fd, bytes, size, from) ? (ssize_t)size : -1;
	}
	if (reader->encoded_at == reader->encoded.size) {
		buf_clear(&reader->encoded);
		reader->encoded_at = 0;
		if (reader->taken == source->size) {
			errno = EIO; /* a text that changed after it was measured */
			return -1;
		}
		size_t n = encode_piece(&reader->encoded, source, part->kind, reader->taken);
		if (n == 0) {
			return -1;
		}
		reader->taken += n;
	}
	size_t ready = reader->encoded.size - reader->encoded_at;
	size = ready < size ? ready : size;
	memcpy(bytes, reader->encoded.data + reader->encoded_at, size);
	reader->encoded_at += size;
	return (ssize_t)size;
}

/* A part's end, reached exactly: anything encoded but not sent means that the text has changed. */
static bool part_ends_well(const struct body_reader *reader) {
	return reader->encoded_at == reader->encoded.size &&
	       (reader->body->parts[reader->part].kind != BODY_FILE_JSON ||
			       reader->taken == reader->sources[reader->part].size);
}

ssize_t body_reader_read(struct body_reader *reader, void *bytes, size_t size) {
	size_t filled = 0;
	while (filled < size && reader->part < reader->body->n_parts) {
		if (reader->sent == reader->sources[reader->part].length) {
			if (!part_ends_well(reader)) {
				errno = EIO;
				return -1;
			}
			reader->part++;
			reader->taken = reader->sent = 0;
			continue;
		}
		ssize_t n = read_part(reader, (char *)bytes + filled, size - filled);
		if (n < 0) {
			return -1;
		}
		filled += (size_t)n;
		reader->sent += (size_t)n;
	}
	return (ssize_t)filled;
}
