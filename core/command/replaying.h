/* Running conduitfs-replay, the sandboxed replay of one recorded exchange, and reading what it
 * reports. Private to core/command. */
#ifndef CORE_COMMAND_REPLAYING_H
#define CORE_COMMAND_REPLAYING_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdbool.h>

struct replaying_options {
	const char *program; /* absolute path of conduitfs-replay */
	const char *object; /* the provider's */
	const char *directory; /* the provider's: `exchange` is below it, and named from it */
	const char *exchange; /* "tests/hello.exchange" */
	const char *base_url; /* the manifest's, "" none */
	bool long_view;
	double seconds; /* until it is ended */
	int signals; /* a signalfd of what interrupts it; -1 none */
};

/* Texts are plain, lines ended by newlines. Owned; starts as zeros. */
struct replaying {
	struct buf view, notes, faults, requests;
	char *base_url; /* the exchange's own; NULL when it couldn't be read */
	char *capability; /* NULL for a discovery */
	bool is_discovery;
	size_t replays;
};

/* Blocks. What is wrong with the provider, a crash as well, is among the faults; false with words
 * when the replay couldn't be run at all, EINTR when a signal interrupted it. */
bool replaying_run(
		const struct replaying_options *options, struct replaying *ret, struct fail *fail);
void replaying_finish(struct replaying *replaying);

#endif
