/* The command line of conduitfs. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "core/base/fail.h"

#include <stdbool.h>

struct options {
	char *mountpoint; /* absolute */
	char *config; /* absolute, or NULL */
	char *fuse_options; /* comma-separated, "" none */
	bool foreground, debug, help, version;
};

/* False with words for a bad call. */
bool options_read(struct options *ret, int argc, char **argv, struct fail *fail);
void options_finish(struct options *options);
void options_print_help(void);

#endif
