/* Collected faults: see faults.h. */
#include "core/config/yaml/faults.h"

#include "core/base/text.h"

#include <errno.h>
#include <string.h>

#define FAULT_BYTES 400

void faults_finish(struct faults *faults) {
	buf_finish(&faults->words);
}

/* One line, safe to show on a terminal. */
static void make_presentable(char *text) {
	size_t length = strlen(text);
	if (length == FAULT_BYTES - 1) {
		text[utf8_cut(text, length, length - 4)] = '\0';
		memcpy(text + strlen(text), "…", sizeof("…"));
	}
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			*text = '?';
		}
	}
}

void faults_add(struct faults *faults, int line, const char *format, ...) {
	if (faults->n++ >= FAULTS_MOST) {
		return;
	}
	char text[FAULT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_presentable(text);
	buf_add_string(&faults->words, faults->words.size > 0 ? "\n" : "");
	buf_add_string(&faults->words, faults->file);
	if (line > 0) {
		buf_add_format(&faults->words, ":%d", line);
	}
	buf_add_format(&faults->words, ": %s", text);
}

void faults_add_no_memory(struct faults *faults) {
	faults->no_memory = true;
	faults->n++;
}

void faults_add_unknown(struct faults *faults, int line, const char *what, const char *name,
		const char *where, const char *const *names, size_t n_names) {
	const char *nearest = nearest_name(name, names, n_names);
	bool known = nearest != NULL, placed = where[0] != '\0';
	faults_add(faults, line, "unknown %s '%s'%s%s%s%s%s", what, name, placed ? " of " : "",
			where, known ? ", did you mean '" : "", known ? nearest : "",
			known ? "'?" : "");
}

bool faults_report(struct faults *faults, struct fail *fail) {
	if (faults->n == 0) {
		return true;
	}
	if (faults->no_memory || faults->words.failed) {
		return fail_set(fail, ENOMEM, "%s: no memory to read it", faults->file);
	}
	if (faults->n > FAULTS_MOST) {
		buf_add_format(&faults->words, "\n%s: and %zu more", faults->file,
				faults->n - FAULTS_MOST);
	}
	return fail_set(fail, EINVAL, "%s", buf_string(&faults->words));
}
