/* Starts conduitfs-provider with nothing of the daemon's but a socket and a pipe: no environment,
 * no descriptor, no blocked or ignored signal, and a process group of its own, so that ^C in the
 * daemon's terminal ends turns in order. */
#ifndef CORE_PROCESS_LAUNCH_H
#define CORE_PROCESS_LAUNCH_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <sys/types.h>

struct launched {
	pid_t pid; /* to be reaped by the caller */
	int pidfd; /* readable when the process has ended; reap it with waitid(P_PIDFD) */
	int socket; /* SEQPACKET, its descriptor 3 */
	int log; /* what it writes to stderr; non-blocking */
};

/* `arguments` begins with the program's absolute path and ends with NULL. All descriptors are the
 * caller's, CLOEXEC. False with words. */
bool launch_provider(char *const *arguments, struct launched *ret, struct fail *fail);

#endif
