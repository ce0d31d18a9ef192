/* What a program of the system gives up that is run over what strangers wrote: see confine.h and
 * landlock.h for the rest. Between fork and execve, in a process of one thread. */
#ifndef CORE_BASE_CONFINE_PROGRAM_H
#define CORE_BASE_CONFINE_PROGRAM_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <sys/types.h>

/* fork, with namespaces of its own where that is allowed: then the network isn't there at all, and
 * the kernel ends all its children with it. */
pid_t confine_fork(void);
/* Every signal as it is by default, none blocked. */
void confine_signals(void);
/* The system's programs, libraries and data, to be read and executed. */
bool confine_allow_system(int ruleset, struct fail *fail);
/* No sockets, no namespaces, no looking at other processes, no mounts, no keys, no special files;
 * what isn't refused is bounded by Landlock and by whom it runs as. Loads libseccomp's filter:
 * needs memory, so limits come after it. PR_SET_NO_NEW_PRIVS must be set. */
bool confine_calls(struct fail *fail);

#endif
