/* Components of model ids as file names, and back: see place_encode in catalogue.h. */
#include "core/base/siphash.h"
#include "core/base/text.h"
#include "core/store/catalogue.h"
#include "core/store/reserved.h"

#include <ctype.h>
#include <string.h>

/* "%~" and 32 hex digits: what a cut name ends in. */
#define CUT_SIZE 34

bool place_reserved(const char *name) {
	static const char *const names[] = {RESERVED_NAMES};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_hex(char c) {
	return isxdigit((unsigned char)c) != 0;
}

/* Would a reader take this '%' for the start of something encoded? */
static bool percent_misleads(const char *at, size_t left) {
	return (left >= 2 && at[1] == '~') || (left >= 3 && is_hex(at[1]) && is_hex(at[2]));
}

/* The length of the character at `at` when it may stand as it is, else 0. */
static size_t plain_length(const char *at, size_t left) {
	size_t length = utf8_length(at, left);
	unsigned char first = (unsigned char)at[0];
	if (length == 1 && (first < 0x20 || first == 0x7f || first == '/')) {
		return 0;
	}
	if (length == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0) {
		return 0; /* C1: a terminal may obey it */
	}
	return length == 1 && first == '%' && percent_misleads(at, left) ? 0 : length;
}

/* The names that are legal bytes and mean something else: "", ".", ".." and the reserved. */
static bool is_special(const char *component, size_t size) {
	char name[32];
	if (size >= sizeof(name) || memchr(component, '\0', size) != NULL) {
		return false;
	}
	memcpy(name, component, size);
	name[size] = '\0';
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || place_reserved(name);
}

/* Appends the encoding of `component`; `*ret_cut` is how much of it a cut name may keep. */
static bool encode_units(const char *component, size_t size, struct buf *out, size_t *ret_cut) {
	size_t start = out->size;
	bool special = is_special(component, size);
	for (size_t i = 0; i < size;) {
		size_t length = i == 0 && special ? 0 : plain_length(component + i, size - i);
		bool added = length != 0 ? buf_add(out, component + i, length)
					 : buf_add_format(out, "%%%02X",
							   (unsigned char)component[i]);
		if (!added) {
			return false;
		}
		i += length != 0 ? length : 1;
		if (out->size - start <= PLACE_NAME_MOST - CUT_SIZE) {
			*ret_cut = out->size;
		}
	}
	return true;
}

bool place_encode(const char *component, size_t size, struct buf *out) {
	/* A lone '%' stands for the empty component, so '%' itself is written out. */
	if (size == 0 || (size == 1 && component[0] == '%')) {
		return buf_add_string(out, size == 0 ? "%" : "%25");
	}
	cleanup_buf struct buf name = {0};
	size_t cut = 0;
	if (!encode_units(component, size, &name, &cut)) {
		return false;
	}
	if (name.size > PLACE_NAME_MOST) {
		/* Fixed keys: the name is the same after a remount and everywhere. */
		const struct siphash_key one = {1, 0}, two = {2, 0};
		name.data[name.size = cut] = '\0';
		if (!buf_add_format(&name, "%%~%016llx%016llx",
				    (unsigned long long)siphash(one, component, size),
				    (unsigned long long)siphash(two, component, size))) {
			return false;
		}
	}
	return buf_add(out, name.data, name.size);
}

static unsigned nibble(char c) {
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static bool decode_units(const char *name, size_t size, struct buf *out) {
	for (size_t i = 0; i < size;) {
		bool encoded = name[i] == '%' && percent_misleads(name + i, size - i);
		if (encoded && name[i + 1] == '~') {
			return false;
		}
		char byte = encoded ? (char)(nibble(name[i + 1]) << 4 | nibble(name[i + 2]))
				    : name[i];
		if (!buf_add_byte(out, byte)) {
			return false;
		}
		i += encoded ? 3 : 1;
	}
	return true;
}

bool place_decode(const char *name, struct buf *out) {
	cleanup_buf struct buf component = {0};
	cleanup_buf struct buf again = {0};
	bool empty = strcmp(name, "%") == 0;
	if ((!empty && !decode_units(name, strlen(name), &component)) ||
			!place_encode(buf_string(&component), component.size, &again) ||
			strcmp(buf_string(&again), name) != 0) {
		return false;
	}
	return buf_add(out, buf_string(&component), component.size);
}
