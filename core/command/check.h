/* The parts of `conduitfs provider check`. Private to core/command. */
#ifndef CORE_COMMAND_CHECK_H
#define CORE_COMMAND_CHECK_H

#include "core/config/locate.h"
#include "core/config/manifest/manifest.h"

#include <stdbool.h>
#include <stddef.h>

struct check {
	char *directory; /* the provider's, absolute */
	char *cache; /* where it is built: a directory of this check's own */
	bool verbose;
	double seconds; /* for each exchange */
	struct parts parts;
	struct manifest manifest;
	bool has_manifest;
	char *object; /* what was built, or the driver's */
	char **capabilities; /* that turns of exchanges had */
	bool discovers; /* an exchange had a discovery */
	int signals; /* that interrupt it, from the replays on; -1 none */
	bool interrupted;
	size_t faults, notes, exchanges, replays;
};

/* Tells of what is wrong, and of what should be known; counted. */
void check_fault(struct check *check, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
void check_note(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Each line of a text as one of these. */
void check_each(struct check *check, const char *lines,
		void (*say)(struct check *check, const char *format, ...));

/* Replays one exchange, named from the provider's directory, and shows what comes of it. */
void check_exchange(struct check *check, const char *exchange);

#endif
