/* Patterns of a route: see route_patterns.h. */
#include "core/config/route_patterns.h"

#include "core/base/glob.h"
#include "core/base/text.h"

#include <errno.h>
#include <string.h>

static const char *const words[] = {"@local", "@free"};

/* Of a line in words: cut, on one line. */
#define SHOWN "%.60s"

static bool check(const char *line, size_t number, struct fail *fail) {
	size_t length = strlen(line);
	const char *name = line + (line[0] == '!');
	if (length > ROUTE_PATTERN_BYTES_MOST || !utf8_valid(line, length)) {
		return fail_set(fail, EINVAL,
				"route: line %zu has more than %d bytes, or isn't UTF-8", number,
				ROUTE_PATTERN_BYTES_MOST);
	}
	for (const char *c = line; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			return fail_set(fail, EINVAL, "route: line %zu holds a control character",
					number);
		}
	}
	if (name[0] == '@') {
		bool known = strcmp(name, words[0]) == 0 || strcmp(name, words[1]) == 0;
		return known ||
		       fail_set(fail, EINVAL,
				       "route: line %zu: '" SHOWN "' is neither @local nor @free",
				       number, line);
	}
	/* A name without a provider would match nothing, ever. */
	return strchr(name, '/') != NULL || strchr(name, '*') != NULL ||
	       fail_set(fail, EINVAL,
			       "route: line %zu: '" SHOWN
			       "' names no model: a pattern is PROVIDER/MODEL, "
			       "such as openrouter/*:free",
			       number, line);
}

static bool add(struct route_patterns *patterns, const char *line, size_t number,
		struct fail *fail) {
	if (patterns->n == ROUTE_PATTERNS_MOST) {
		return fail_set(fail, E2BIG, "route: more than %d patterns", ROUTE_PATTERNS_MOST);
	}
	if (!check(line, number, fail)) {
		return false;
	}
	patterns->excludes[patterns->n] = line[0] == '!';
	patterns->lines[patterns->n] = strdup(line + (line[0] == '!'));
	return patterns->lines[patterns->n++] != NULL ||
	       fail_set(fail, ENOMEM, "no memory for the patterns of a route");
}

bool route_patterns_read(
		struct route_patterns *ret, const char *text, size_t size, struct fail *fail) {
	struct route_patterns patterns = {0};
	const char *end = text + size;
	bool good = memchr(text, '\0', size) == NULL ||
		    fail_set(fail, EINVAL, "route: holds a NUL byte");
	for (size_t number = 1; good && text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline != NULL ? newline : end) - text);
		cleanup_free char *line = trimmed(text, length);
		if (line == NULL) {
			good = fail_set(fail, ENOMEM, "no memory for a route");
		} else if (line[0] != '\0' && line[0] != '#') {
			good = add(&patterns, line, number, fail);
		}
		text += length + 1;
	}
	if (!good) {
		route_patterns_finish(&patterns);
		return false;
	}
	*ret = patterns;
	return true;
}

void route_patterns_finish(struct route_patterns *patterns) {
	for (size_t i = 0; i < patterns->n; i++) {
		free(patterns->lines[i]);
	}
	patterns->n = 0;
}

bool route_patterns_text(const struct route_patterns *patterns, struct buf *out) {
	for (size_t i = 0; i < patterns->n; i++) {
		buf_add_format(out, "%s%s\n", patterns->excludes[i] ? "!" : "", patterns->lines[i]);
	}
	return !out->failed;
}

bool route_patterns_name_any(const struct route_patterns *patterns) {
	for (size_t i = 0; i < patterns->n; i++) {
		if (!patterns->excludes[i]) {
			return true;
		}
	}
	return false;
}

static bool is_meant(const char *line, const struct route_subject *subject) {
	return line[0] != '@'		     ? glob_match(line, subject->name)
	       : strcmp(line, words[0]) == 0 ? subject->local
					     : subject->free;
}

int route_patterns_rank(const struct route_patterns *patterns, const struct route_subject *subject,
		bool *ret_excluded) {
	int rank = -1;
	*ret_excluded = false;
	for (size_t i = 0; i < patterns->n; i++) {
		if ((patterns->excludes[i] ? *ret_excluded : rank >= 0) ||
				!is_meant(patterns->lines[i], subject)) {
			continue;
		}
		if (patterns->excludes[i]) {
			*ret_excluded = true;
		} else {
			rank = (int)i;
		}
	}
	return rank;
}
