/* Limits as text and back: see limit.h. Four lines a limit: "name least most", the default, the
 * help, and the choices with tabs between them. */
#include "core/base/limit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Text on one line; newlines become `newline`. */
static bool add_line(struct buf *text, const char *line, char newline) {
	for (const char *at = line != NULL ? line : ""; *at != '\0'; at++) {
		bool control = (unsigned char)*at < 0x20 || *at == 0x7f;
		if (!buf_add_byte(text, *at == '\n' ? newline : control ? ' ' : *at)) {
			return false;
		}
	}
	return buf_add_byte(text, '\n');
}

bool limits_add(struct buf *text, const struct limit *limit) {
	bool none = limit->least == 0 && limit->most == 0;
	double least = none || isnan(limit->least) ? -INFINITY : limit->least;
	double most = none || isnan(limit->most) || limit->most < least ? INFINITY : limit->most;
	return buf_add_format(text, "%.17g %.17g ", least, most) &&
	       add_line(text, limit->name, ' ') && add_line(text, limit->standard, ' ') &&
	       add_line(text, limit->help, ' ') && add_line(text, limit->choices, '\t');
}

/* Cuts the line at *at off and moves past it; NULL when there is none. */
static char *cut_line(char **at) {
	char *line = *at, *end = strchr(line, '\n');
	if (end == NULL) {
		return NULL;
	}
	*end = '\0';
	*at = end + 1;
	return line;
}

static bool read_limit(char **at, struct limit *ret) {
	char *head = cut_line(at), *end = NULL;
	char *standard = head != NULL ? cut_line(at) : NULL;
	char *help = standard != NULL ? cut_line(at) : NULL;
	char *choices = help != NULL ? cut_line(at) : NULL;
	if (choices == NULL) {
		return false;
	}
	ret->least = strtod(head, &end);
	ret->most = strtod(end, &end);
	for (char *tab = choices; (tab = strchr(tab, '\t')) != NULL;) {
		*tab = '\n';
	}
	ret->name = end + (*end == ' ');
	ret->standard = standard;
	ret->help = help;
	ret->choices = choices;
	return ret->name[0] != '\0' && !isnan(ret->least) && !isnan(ret->most);
}

bool limits_read(const char *text, struct limits *ret) {
	*ret = (struct limits){0};
	if (text[0] == '\0') {
		return true;
	}
	ret->text = strdup(text);
	ret->list = calloc(LIMITS_MOST, sizeof(*ret->list));
	if (ret->text == NULL || ret->list == NULL) {
		limits_finish(ret);
		return false;
	}
	char *at = ret->text;
	while (ret->n < LIMITS_MOST && read_limit(&at, &ret->list[ret->n])) {
		ret->n++;
	}
	return true;
}

void limits_finish(struct limits *limits) {
	free(limits->list);
	free(limits->text);
	*limits = (struct limits){0};
}

const struct limit *limits_find(const struct limits *limits, const char *name) {
	for (size_t i = 0; i < limits->n; i++) {
		if (strcmp(limits->list[i].name, name) == 0) {
			return &limits->list[i];
		}
	}
	return NULL;
}

bool limit_choice(const char **at, const char **ret, size_t *ret_length) {
	while (**at != '\0') {
		const char *line = *at;
		size_t length = strcspn(line, "\n");
		*at = line + length + (line[length] == '\n');
		if (length > 0 && !(length == 1 && line[0] == '*')) {
			*ret = line;
			*ret_length = length;
			return true;
		}
	}
	return false;
}

bool limit_is_open(const struct limit *limit) {
	const char *at = limit->choices;
	if (at[0] == '\0') {
		return true;
	}
	for (; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		if (at[0] == '*' && (at[1] == '\n' || at[1] == '\0')) {
			return true;
		}
	}
	return false;
}
