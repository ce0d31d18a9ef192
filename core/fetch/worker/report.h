/* How the process that does the work tells the one that watches it, and asks it. */
#ifndef CORE_FETCH_WORKER_REPORT_H
#define CORE_FETCH_WORKER_REPORT_H

#include "core/fetch/message.h"

struct report {
	int fd; /* to the watching process; borrowed */
	uint64_t told_ms; /* when progress was told last */
	enum fetch_stage stage;
	bool started;
};

/* A stage's first is always told, then at most ten a second: each is a sign of life. `objects` and
 * `total` and `bytes` may be 0. */
void report_progress(struct report *report, enum fetch_stage stage, uint64_t objects,
		uint64_t total, uint64_t bytes, const char *format, ...)
		__attribute__((format(printf, 6, 7)));
void report_plain(struct report *report, enum message_type type);
void report_end(struct report *report, const struct fetch_result *result);
/* Asks for credentials and waits for the answer; false with words when there are none. */
bool report_ask(struct report *report, struct message *ret, struct fail *fail);

#endif
