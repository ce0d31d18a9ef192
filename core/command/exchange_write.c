/* Lines and files of a recorded exchange: see exchange_write.h. */
#include "core/command/exchange_write.h"

#include "core/base/text.h"
#include "core/command/files.h"
#include "core/provider/replay/exchange_line.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *extension_of(const char *type) {
	static const struct {
		const char *type, *extension;
	} known[] = {
			{"text/event-stream", "sse"},
			{"application/json", "json"},
			{"application/x-ndjson", "ndjson"},
			{"text/plain", "txt"},
			{"text/html", "html"},
			{"image/png", "png"},
			{"image/jpeg", "jpg"},
			{"image/webp", "webp"},
			{"audio/mpeg", "mp3"},
			{"audio/wav", "wav"},
			{"audio/x-wav", "wav"},
			{"video/mp4", "mp4"},
			{"application/pdf", "pdf"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(type, known[i].type) == 0) {
			return known[i].extension;
		}
	}
	return "body";
}

bool write_beside(struct writing *writing, const char *ending, const void *bytes, size_t size,
		struct buf *ret_name) {
	cleanup_buf struct buf path = {0};
	buf_add_format(&path, "%s%s", writing->base, ending);
	const char *slash = strrchr(buf_string(&path), '/');
	buf_add_string(ret_name, slash != NULL ? slash + 1 : buf_string(&path));
	if (!file_write_new(buf_string(&path), bytes, size, writing->fail)) {
		return false;
	}
	return buf_add_format(&writing->written, "%s\n", buf_string(&path)) ||
	       fail_set(writing->fail, ENOMEM, "no memory");
}

bool write_text(struct writing *writing, const char *key, const struct buf *text,
		const char *type) {
	if (text->size <= INLINE_MOST && utf8_valid(buf_string(text), text->size) &&
			memchr(buf_string(text), '\0', text->size) == NULL) {
		exchange_line_write(&writing->text, key, buf_string(text), text->size);
		return true;
	}
	cleanup_buf struct buf name = {0};
	cleanup_buf struct buf ending = {0};
	buf_add_format(&ending, "-%s.%s", key, extension_of(type));
	if (!write_beside(writing, buf_string(&ending), text->data, text->size, &name)) {
		return false;
	}
	return buf_add_format(&writing->text, "%s_file %s\n", key, buf_string(&name));
}

bool write_file(struct writing *writing, const char *key, const char *type, const char *what,
		size_t number, const char *path) {
	cleanup_buf struct buf bytes = {0};
	cleanup_buf struct buf ending = {0};
	cleanup_buf struct buf name = {0};
	const char *dot = strrchr(path, '.');
	size_t letters = dot != NULL ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz0123456789") : 0;
	bool fit = letters >= 1 && letters <= 5 && dot[1 + letters] == '\0';
	buf_add_format(&ending, "-%s", what);
	if (number != 0) {
		buf_add_format(&ending, "-%zu", number);
	}
	buf_add_format(&ending, ".%s", fit ? dot + 1 : extension_of(type));
	if (!recorded_turn_file(writing->turn, path, &bytes, writing->fail) ||
			!write_beside(writing, buf_string(&ending), buf_string(&bytes), bytes.size,
					&name)) {
		return false;
	}
	return buf_add_format(&writing->text, "%s %s %s\n", key, type, buf_string(&name)) ||
	       fail_set(writing->fail, ENOMEM, "no memory");
}

void take_back(const struct writing *writing) {
	const char *at = buf_string(&writing->written);
	while (*at != '\0') {
		size_t size = strcspn(at, "\n");
		cleanup_free char *path = strndup(at, size);
		if (path != NULL) {
			unlink(path);
		}
		at += size + 1;
	}
}
