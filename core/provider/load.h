/* Loading a provider's object into a process that is shut in first: what the runner and the replay
 * of recorded exchanges begin with. */
#ifndef CORE_PROVIDER_LOAD_H
#define CORE_PROVIDER_LOAD_H

#include "core/base/fail.h"
#include "core/provider/conduit/provider.h"

#include <stdbool.h>

/* Opens the object, enters the sandbox and its first filter, loads the object (its constructors
 * run) and enters the final filter: from here on nothing can be opened, and there is no way back.
 * `landlock_optional`: go on where the kernel has no Landlock. NULL with words. */
const struct conduit_provider *load_shut_in(
		const char *path, bool landlock_optional, struct fail *fail);

#endif
