/* Failures with words: see fail.h. */
#include "core/base/fail.h"

#include <string.h>

bool fail_vset(struct fail *fail, int code, const char *format, va_list args) {
	if (fail == NULL) {
		return false;
	}
	char *words = NULL;
	if (vasprintf(&words, format, args) < 0) {
		words = NULL;
	}
	free(fail->words);
	fail->words = words;
	fail->code = code;
	return false;
}

bool fail_set(struct fail *fail, int code, const char *format, ...) {
	va_list args;
	va_start(args, format);
	fail_vset(fail, code, format, args);
	va_end(args);
	return false;
}

const char *fail_words(const struct fail *fail) {
	return fail->words != NULL ? fail->words : strerror(fail->code);
}

void fail_finish(struct fail *fail) {
	free(fail->words);
	*fail = (struct fail){0};
}

const char *errno_name(int code) {
	const char *name = strerrorname_np(code);
	static _Thread_local char unknown[16];
	if (name == NULL) {
		snprintf(unknown, sizeof(unknown), "E%d", code);
		return unknown;
	}
	return name;
}
