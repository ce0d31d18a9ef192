/* What is shown of routes and written to them: who would be asked, who was asked in vain. */
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config/route_patterns.h"
#include "fs/content/accept.h"
#include "fs/content/show.h"

#include <limits.h>
#include <string.h>

/* So much of the lines about who was asked is shown: eight, and a few of the last's attempts. */
#define TRIED_MOST ((size_t)32 << 10)

SHOW(show_route) {
	(void)tid;
	return route_show(tree->engine, node->place, out);
}

bool show_next(struct tree *tree, const char *key, struct place *place, struct buf *out) {
	static const struct route_wish anybody = {.in_back_off = true};
	cleanup_fail struct fail nobody = {0};
	cleanup_buf struct buf path = {0};
	struct route_choice choice;
	if (place_route(place) == NULL) {
		return true;
	}
	if (!route_choose(tree->engine, place, &anybody, &choice, &nobody)) {
		return buf_add_format(out, "%s - ", key) &&
		       add_on_one_line(out, fail_words(&nobody)) && buf_add_byte(out, '\n');
	}
	return place_path(choice.model, &path) &&
	       buf_add_format(out, "%s %s/%s\n", key, choice.provider->name, path.data);
}

bool show_tried(struct turn *turn, struct buf *out) {
	char path[PATH_MAX];
	cleanup_buf struct buf lines = {0};
	if (turn == NULL || turn_file_size(turn, TURN_TRIED) == 0 ||
			!turn_file_path(turn, TURN_TRIED, path, sizeof(path)) ||
			!file_read(path, TRIED_MOST, &lines, NULL)) {
		return true;
	}
	return buf_add(out, buf_string(&lines), lines.size);
}

/* Nothing is done before the last close: patterns are one whole. What is wrong in a whole line is
 * refused at its write, where a shell reports it. */
ACCEPT(accept_route) {
	(void)who;
	if (moment == AT_RELEASE) {
		return route_set(tree->engine, node->place, text, size, fail) ? 0 : -1;
	}
	const char *end = moment == AFTER_WRITE ? memrchr(text, '\n', size) : text + size;
	struct route_patterns patterns = {0};
	size_t whole = end != NULL ? (size_t)(end - text) : 0;
	if (!route_patterns_read(&patterns, text, whole, fail)) {
		return -1;
	}
	route_patterns_finish(&patterns);
	return 0;
}
