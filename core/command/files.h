/* Writing files that people keep: never over what is there, and all of them or none. Private to
 * core/command. */
#ifndef CORE_COMMAND_FILES_H
#define CORE_COMMAND_FILES_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes a new file, 0644 as the umask has it; EEXIST with words when something is there. */
bool file_write_new(const char *path, const void *bytes, size_t size, struct fail *fail);
/* Removes a directory and all below it, following no link; what can't be removed stays. */
void directory_remove(const char *path);

#endif
