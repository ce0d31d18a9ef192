/* Landlock, landlock(7): what a process gives up of the file system before it touches what
 * strangers wrote. A ruleset refuses every right that the kernel knows but for what is allowed
 * below a descriptor; rulesets of one process, and those it inherits, add up. */
#ifndef CORE_BASE_LANDLOCK_H
#define CORE_BASE_LANDLOCK_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stdint.h>

/* What may be allowed below a directory, or for a file. */
#define LANDLOCK_READ_FILE (1ULL << 2)
#define LANDLOCK_READ_AND_EXECUTE (1ULL << 0 | LANDLOCK_READ_FILE)
#define LANDLOCK_READ_TREE (LANDLOCK_READ_FILE | 1ULL << 3) /* files, and listings */
#define LANDLOCK_EXECUTE_TREE (1ULL << 0 | LANDLOCK_READ_TREE)
/* Regular files, and no directories: reading, writing, truncating, making, removing. */
#define LANDLOCK_WRITE_FILES (LANDLOCK_READ_TREE | 1ULL << 1 | 1ULL << 5 | 1ULL << 8 | 1ULL << 14)
/* A device as /dev/null. */
#define LANDLOCK_WRITE_FILE (LANDLOCK_READ_FILE | 1ULL << 1)
/* Regular files and directories: writing, truncating, making, removing, moving; and reading. */
#define LANDLOCK_WRITE_TREE                                                                        \
	(LANDLOCK_READ_TREE | 1ULL << 1 | 1ULL << 4 | 1ULL << 5 | 1ULL << 7 | 1ULL << 8 |          \
			1ULL << 13 | 1ULL << 14)

/* The kernel's version of it (1 since 5.13); 0 where there is none, or it is switched off. */
int landlock_abi(void);

/* A new ruleset's descriptor; -1 with words (ENOSYS where the kernel has no Landlock). It also
 * refuses signals and abstract sockets out of the sandbox where the kernel can (6.12), and with
 * `no_network` to bind and connect by TCP (6.7). */
int landlock_create(bool no_network, struct fail *fail);
/* Allows what `rights` say for what `fd` (O_PATH will do) refers to; of a file's own only those
 * that files have. `name` is for words. */
bool landlock_allow(int ruleset, int fd, uint64_t rights, const char *name, struct fail *fail);
/* The same by path; fine when nothing is there. */
bool landlock_allow_path(int ruleset, const char *path, uint64_t rights, struct fail *fail);
/* Enters it, for this thread, its children and whatever they execute. PR_SET_NO_NEW_PRIVS must be
 * set. */
bool landlock_enter(int ruleset, struct fail *fail);

#endif
