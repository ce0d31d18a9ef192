/* Text made fit to be shown: see plain.h. */
#include "core/base/plain.h"

#include "core/base/text.h"

#include <string.h>

static bool is_control(const char *character, size_t length) {
	unsigned char byte = (unsigned char)character[0];
	bool c1 = length == 2 && byte == 0xc2 && (unsigned char)character[1] < 0xa0;
	return byte < 0x20 || byte == 0x7f || c1;
}

char *plain_text(const char *text, size_t size, size_t most, bool keep_lines) {
	struct buf out cleanup_buf = {.limit = most};
	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);
		const char *character = text + i;
		size_t add = length;
		if (length == 0) {
			character = "\xef\xbf\xbd";
			add = 3;
		} else if (is_control(character, length) &&
				!(keep_lines && (*character == '\n' || *character == '\t'))) {
			character = " ";
			add = 1;
		}
		if (add > most - out.size) {
			break;
		}
		if (!buf_add(&out, character, add)) {
			return NULL;
		}
		i += length != 0 ? length : 1;
	}
	return buf_take(&out);
}
