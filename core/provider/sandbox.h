/* What a provider's process gives up, all before the provider's first instruction (its
 * constructors run while it is loaded): core dumps, memory, descriptors, root, the file system but
 * for the system's libraries and the provider's own object, and every system call that loading
 * doesn't need. filter_final then takes away what only loading needed. */
#ifndef CORE_PROVIDER_SANDBOX_H
#define CORE_PROVIDER_SANDBOX_H

#include "core/base/confine.h"
#include "core/base/fail.h"

#include <stdbool.h>

/* Built with AddressSanitizer, which makes calls of its own: no limit of memory, and the filters
 * only log. */
#define SANDBOX_LENIENT CONFINE_SANITIZED

struct sandbox_options {
	int object_fd; /* the provider's object, open for reading */
	bool landlock_may_be_absent; /* go on where the kernel has no Landlock */
};

/* Limits, no_new_privs, not dumpable, nobody in place of root, Landlock. False with words. */
bool sandbox_enter(const struct sandbox_options *options, struct fail *fail);

/* The system calls that loading needs, and those that running needs; a call that no provider has
 * any business making ends the process with SIGSYS after a line that names it, others fail with
 * EPERM. False with words. */
bool filter_loading(struct fail *fail);
/* Only those that running needs: no opening, no executable memory, no further filters. */
bool filter_final(struct fail *fail);

#endif
