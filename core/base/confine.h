/* What a process gives up, for good, before it touches what strangers wrote; Landlock and filters
 * of system calls come on top. */
#ifndef CORE_BASE_CONFINE_H
#define CORE_BASE_CONFINE_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Built with AddressSanitizer, which wants terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__)
#define CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED 0
#endif

/* The user and group that root becomes. */
#define CONFINE_NOBODY 65534

/* Lowers a limit of the process to `most`; one that is lower already stays. `name` is for words. */
bool confine_limit(int resource, const char *name, rlim_t most, struct fail *fail);
/* Root becomes nobody, with no groups; anybody else stays who they are. */
bool confine_root(struct fail *fail);
/* No new privileges by execve, no core file and no debugger, and an end when the parent ends. After
 * confine_root, which would undo the last two. */
bool confine_privileges(struct fail *fail);

#endif
