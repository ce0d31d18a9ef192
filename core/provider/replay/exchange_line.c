/* Writing lines of exchanges: see exchange_line.h. */
#include "core/provider/replay/exchange_line.h"

#include "core/base/text.h"

#include <string.h>

/* Whether it is read back as it stands: see exchange_lines.c. */
static bool stands_for_itself(const char *value, size_t size) {
	if (size == 0 || value[0] == '"' || !utf8_valid(value, size)) {
		return size == 0;
	}
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f) {
			return false;
		}
	}
	return value[0] != ' ' && value[size - 1] != ' ';
}

bool exchange_line_write(struct buf *out, const char *key, const char *value, size_t size) {
	bool plain = stands_for_itself(value, size);
	buf_add_string(out, key);
	buf_add_string(out, plain ? " " : " \"");
	if (plain) {
		buf_add(out, value, size);
	} else {
		json_escape(out, value, size);
	}
	return buf_add_string(out, plain ? "\n" : "\"\n");
}
