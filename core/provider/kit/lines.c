/* Lines from a stream: see lines.h. */
#include "core/provider/kit/lines.h"

#include <string.h>

/* Where the line that starts here ends, or `size` when its end isn't there yet. */
static size_t line_end(const struct lines *lines, const char *bytes, size_t size) {
	const char *lf = memchr(bytes, '\n', size);
	size_t end = lf != NULL ? (size_t)(lf - bytes) : size;
	const char *cr = lines->cr_ends ? memchr(bytes, '\r', end) : NULL;
	return cr != NULL ? (size_t)(cr - bytes) : end;
}

static bool deliver(struct lines *lines, const char *bytes, size_t size) {
	if (lines->pending.size == 0) {
		return lines->line(lines->data, bytes, size);
	}
	if (!buf_add(&lines->pending, bytes, size)) {
		return false;
	}
	bool going_on = lines->line(lines->data, lines->pending.data, lines->pending.size);
	buf_clear(&lines->pending);
	return going_on;
}

bool lines_feed(struct lines *lines, const char *bytes, size_t size) {
	while (size != 0) {
		if (lines->after_cr) {
			lines->after_cr = false;
			if (bytes[0] == '\n') {
				bytes++;
				size--;
				continue;
			}
		}
		size_t end = line_end(lines, bytes, size);
		if (end == size) {
			return buf_add(&lines->pending, bytes, size);
		}
		if (!deliver(lines, bytes, end)) {
			return false;
		}
		lines->after_cr = bytes[end] == '\r';
		bytes += end + 1;
		size -= end + 1;
	}
	return true;
}

bool lines_end(struct lines *lines) {
	return lines->pending.size == 0 || deliver(lines, "", 0);
}

void lines_finish(struct lines *lines) {
	buf_finish(&lines->pending);
}
