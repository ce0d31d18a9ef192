/* Growable bytes: see buf.h. */
#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

void buf_finish(struct buf *buf) {
	free(buf->data);
	*buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf) {
	buf->size = 0;
	buf->failed = false;
	if (buf->data != NULL) {
		buf->data[0] = '\0';
	}
}

char *buf_reserve(struct buf *buf, size_t size) {
	size_t limit = buf->limit != 0 ? buf->limit : BUF_LIMIT;
	if (buf->size > limit || size > limit - buf->size) {
		buf->failed = true;
		return NULL;
	}
	size_t needed = buf->size + size + 1;
	if (needed > buf->capacity) {
		size_t capacity = buf->capacity != 0 ? buf->capacity : 64;
		while (capacity < needed) {
			capacity *= 2;
		}
		char *data = realloc(buf->data, capacity);
		if (data == NULL) {
			buf->failed = true;
			return NULL;
		}
		buf->data = data;
		buf->capacity = capacity;
	}
	return buf->data + buf->size;
}

bool buf_add(struct buf *buf, const void *bytes, size_t size) {
	char *end = buf_reserve(buf, size);
	if (end == NULL) {
		return false;
	}
	if (size != 0) {
		memcpy(end, bytes, size);
	}
	buf->size += size;
	buf->data[buf->size] = '\0';
	return true;
}

bool buf_add_byte(struct buf *buf, char byte) {
	return buf_add(buf, &byte, 1);
}

bool buf_add_string(struct buf *buf, const char *string) {
	return buf_add(buf, string, strlen(string));
}

bool buf_add_vformat(struct buf *buf, const char *format, va_list args) {
	va_list measured;
	va_copy(measured, args);
	int length = vsnprintf(NULL, 0, format, measured);
	va_end(measured);
	if (length < 0) {
		buf->failed = true;
		return false;
	}
	char *end = buf_reserve(buf, (size_t)length);
	if (end == NULL) {
		return false;
	}
	vsnprintf(end, (size_t)length + 1, format, args);
	buf->size += (size_t)length;
	return true;
}

bool buf_add_format(struct buf *buf, const char *format, ...) {
	va_list args;
	va_start(args, format);
	bool added = buf_add_vformat(buf, format, args);
	va_end(args);
	return added;
}

void buf_drop_front(struct buf *buf, size_t size) {
	if (size >= buf->size) {
		buf->size = 0;
	} else {
		memmove(buf->data, buf->data + size, buf->size - size);
		buf->size -= size;
	}
	if (buf->data != NULL) {
		buf->data[buf->size] = '\0';
	}
}

const char *buf_string(const struct buf *buf) {
	return buf->data != NULL ? buf->data : "";
}

char *buf_take(struct buf *buf) {
	if (buf->failed || buf_reserve(buf, 0) == NULL) {
		return NULL;
	}
	char *data = buf->data;
	data[buf->size] = '\0';
	*buf = (struct buf){.limit = buf->limit};
	return data;
}
