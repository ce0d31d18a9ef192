/* The faults of one file, collected so that a person sees all of them at once, each with its line.
 */
#ifndef CORE_CONFIG_YAML_FAULTS_H
#define CORE_CONFIG_YAML_FAULTS_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stddef.h>

/* More are counted only. */
#define FAULTS_MOST 40

struct faults {
	const char *file; /* as words name it; not owned */
	struct buf words; /* "FILE:LINE: …", a line each, without the last newline */
	size_t n;
	bool no_memory;
};

void faults_finish(struct faults *faults);

/* Adds a line; `line` 0 for the file as a whole. Control bytes, which a value may hold, become '?';
 * a very long fault is cut. */
void faults_add(struct faults *faults, int line, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
void faults_add_no_memory(struct faults *faults);
/* "unknown WHAT 'NAME' of WHERE, did you mean 'NEAREST'?"; `where` "" is left out. */
void faults_add_unknown(struct faults *faults, int line, const char *what, const char *name,
		const char *where, const char *const *names, size_t n_names);

/* True while there are none; else hands them over: EINVAL, or ENOMEM. */
bool faults_report(struct faults *faults, struct fail *fail);

#define cleanup_faults cleanup(faults_finish)

#endif
