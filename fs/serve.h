/* Serving one mount: /dev/fuse on the loop, signals, and telling the kernel what changed. */
#ifndef FS_SERVE_H
#define FS_SERVE_H

#include "core/base/fail.h"

#include <stdbool.h>

struct serve_options {
	const char *mountpoint; /* absolute */
	const char *config; /* absolute, or NULL */
	const char *fuse_options; /* for -o, comma-separated; "" none */
	bool debug; /* print each FUSE request */
	/* Called once, when the mount answers (and the first discovery has ended, or took too
	 * long). */
	void (*ready)(void *data);
	void *data;
};

/* Mounts, serves until it is unmounted or told to end, and cleans up. False with words when it
 * could not be mounted. */
bool serve(const struct serve_options *options, struct fail *fail);

#endif
