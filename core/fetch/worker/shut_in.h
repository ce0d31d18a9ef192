/* What the working process of conduitfs-fetch gives up before it hears a byte from outside: writing
 * anywhere but in the cache, reading the user's files, memory without end, core dumps. It keeps the
 * network and starting the compiler, whose own sandbox is build.h's. */
#ifndef CORE_FETCH_WORKER_SHUT_IN_H
#define CORE_FETCH_WORKER_SHUT_IN_H

#include "core/fetch/message.h"

/* False with words: ENOSYS where the kernel has no Landlock. */
bool shut_in(const struct task *task, struct fail *fail);

#endif
