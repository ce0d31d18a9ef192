/* Server-sent events: see conduit/kit/sse.h. */
#include <conduit/kit/sse.h>

#include "core/provider/kit/lines.h"

#include <string.h>

struct conduit_sse {
	struct lines lines;
	struct buf data; /* of the event under way */
	bool has_data; /* an empty data line is data too */
	bool started; /* the first line was seen: no byte order mark any more */
	bool failed;
	char name[64];
	conduit_sse_event *event;
	void *event_data;
};

static void dispatch(struct conduit_sse *sse) {
	if (sse->has_data) {
		const char *name = sse->name[0] != '\0' ? sse->name : "message";
		sse->event(sse->event_data, name, buf_string(&sse->data), sse->data.size);
	}
	buf_clear(&sse->data);
	sse->has_data = false;
	sse->name[0] = '\0';
}

static bool is_field(const char *line, size_t size, const char *field) {
	return size == strlen(field) && memcmp(line, field, size) == 0;
}

static bool add_data(struct conduit_sse *sse, const char *value, size_t size) {
	if (sse->has_data && !buf_add_byte(&sse->data, '\n')) {
		return false;
	}
	sse->has_data = true;
	return buf_add(&sse->data, value, size);
}

static bool read_line(void *data, const char *line, size_t size) {
	struct conduit_sse *sse = data;
	if (!sse->started) {
		sse->started = true;
		if (size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
			line += 3;
			size -= 3;
		}
	}
	if (size == 0) {
		dispatch(sse);
		return true;
	}
	const char *colon = memchr(line, ':', size);
	size_t field_size = colon != NULL ? (size_t)(colon - line) : size;
	const char *value = colon != NULL ? colon + 1 : line + size;
	size_t value_size = size - (size_t)(value - line);
	if (value_size != 0 && value[0] == ' ') {
		value++;
		value_size--;
	}
	if (is_field(line, field_size, "data")) {
		return add_data(sse, value, value_size);
	}
	if (is_field(line, field_size, "event")) {
		size_t most = sizeof(sse->name) - 1;
		size_t kept = value_size < most ? value_size : most;
		memcpy(sse->name, value, kept);
		sse->name[kept] = '\0';
	}
	return true;
}

struct conduit_sse *conduit_sse_create(conduit_sse_event *event, void *data) {
	struct conduit_sse *sse = calloc(1, sizeof(*sse));
	if (sse == NULL) {
		return NULL;
	}
	sse->event = event;
	sse->event_data = data;
	sse->data.limit = CONDUIT_SSE_LIMIT;
	sse->lines = (struct lines){
			.pending.limit = CONDUIT_SSE_LIMIT,
			.cr_ends = true,
			.line = read_line,
			.data = sse,
	};
	return sse;
}

void conduit_sse_destroy(struct conduit_sse *sse) {
	if (sse == NULL) {
		return;
	}
	lines_finish(&sse->lines);
	buf_finish(&sse->data);
	free(sse);
}

bool conduit_sse_feed(struct conduit_sse *sse, const void *bytes, size_t size) {
	sse->failed = sse->failed || !lines_feed(&sse->lines, bytes, size);
	return !sse->failed;
}

bool conduit_sse_end(struct conduit_sse *sse) {
	sse->failed = sse->failed || !lines_end(&sse->lines);
	if (!sse->failed) {
		dispatch(sse);
	}
	return !sse->failed;
}
