/* Newline-delimited JSON: see conduit/kit/ndjson.h. */
#include <conduit/kit/ndjson.h>

#include "core/provider/kit/lines.h"

struct conduit_ndjson {
	struct lines lines;
	bool failed;
	conduit_ndjson_line *line;
	void *data;
};

static bool is_blank(const char *line, size_t size) {
	for (size_t i = 0; i < size; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r') {
			return false;
		}
	}
	return true;
}

static bool read_line(void *data, const char *line, size_t size) {
	struct conduit_ndjson *ndjson = data;
	if (size != 0 && line[size - 1] == '\r') {
		size--;
	}
	if (!is_blank(line, size)) {
		ndjson->line(ndjson->data, line, size);
	}
	return true;
}

struct conduit_ndjson *conduit_ndjson_create(conduit_ndjson_line *line, void *data) {
	struct conduit_ndjson *ndjson = calloc(1, sizeof(*ndjson));
	if (ndjson == NULL) {
		return NULL;
	}
	ndjson->line = line;
	ndjson->data = data;
	ndjson->lines = (struct lines){
			.pending.limit = CONDUIT_NDJSON_LIMIT,
			.line = read_line,
			.data = ndjson,
	};
	return ndjson;
}

void conduit_ndjson_destroy(struct conduit_ndjson *ndjson) {
	if (ndjson != NULL) {
		lines_finish(&ndjson->lines);
		free(ndjson);
	}
}

bool conduit_ndjson_feed(struct conduit_ndjson *ndjson, const void *bytes, size_t size) {
	ndjson->failed = ndjson->failed || !lines_feed(&ndjson->lines, bytes, size);
	return !ndjson->failed;
}

bool conduit_ndjson_end(struct conduit_ndjson *ndjson) {
	ndjson->failed = ndjson->failed || !lines_end(&ndjson->lines);
	return !ndjson->failed;
}
