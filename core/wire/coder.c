/* Fields of messages, both ways: see coder.h. */
#include "core/wire/coder.h"

#include <string.h>

/* Copies `size` bytes of a plain value out of or into `value`. */
static void code_plain(struct coder *coder, void *value, size_t size) {
	if (coder->out != NULL) {
		coder->failed = coder->failed || !buf_add(coder->out, value, size);
		return;
	}
	if (coder->failed || coder->left < size) {
		memset(value, 0, size);
		coder->failed = true;
		return;
	}
	memcpy(value, coder->at, size);
	coder->at += size;
	coder->left -= size;
}

void code_u8(struct coder *coder, uint8_t *value, uint8_t most) {
	code_plain(coder, value, sizeof(*value));
	if (!coder->failed && *value > most) {
		coder->failed = true;
	}
}

void code_bool(struct coder *coder, bool *value) {
	uint8_t byte = coder->out != NULL && *value;
	code_u8(coder, &byte, 1);
	*value = byte == 1;
}

void code_u32(struct coder *coder, uint32_t *value, uint32_t most) {
	code_plain(coder, value, sizeof(*value));
	if (!coder->failed && *value > most) {
		coder->failed = true;
	}
}

void code_i32(struct coder *coder, int32_t *value) {
	code_plain(coder, value, sizeof(*value));
}

void code_u64(struct coder *coder, uint64_t *value) {
	code_plain(coder, value, sizeof(*value));
}

void code_i64(struct coder *coder, int64_t *value) {
	code_plain(coder, value, sizeof(*value));
}

void code_double(struct coder *coder, double *value) {
	code_plain(coder, value, sizeof(*value));
}

void code_bytes(struct coder *coder, const void **bytes, uint32_t *size, size_t most) {
	code_u32(coder, size, (uint32_t)most);
	if (coder->out != NULL) {
		coder->failed = coder->failed || !buf_add(coder->out, *bytes, *size);
		return;
	}
	if (coder->failed || coder->left < *size) {
		*bytes = NULL;
		*size = 0;
		coder->failed = true;
		return;
	}
	*bytes = coder->at;
	coder->at += *size;
	coder->left -= *size;
}

void code_text(struct coder *coder, const char **text, uint32_t *size, size_t most) {
	const void *bytes = coder->out != NULL ? *text : NULL;
	code_bytes(coder, &bytes, size, most);
	uint8_t end = 0;
	code_u8(coder, &end, 0);
	if (coder->out == NULL) {
		*text = coder->failed ? "" : bytes;
		*size = coder->failed ? 0 : *size;
	}
}

void code_string(struct coder *coder, const char **string, size_t most) {
	const char *text = coder->out != NULL && *string != NULL ? *string : "";
	size_t length = strnlen(text, most + 1);
	uint32_t size = (uint32_t)length;
	code_text(coder, &text, &size, most);
	if (coder->out != NULL) {
		return;
	}
	if (!coder->failed && memchr(text, '\0', size) != NULL) {
		coder->failed = true;
	}
	*string = coder->failed ? "" : text;
}
