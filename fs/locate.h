/* Where the other parts of conduitfs lie: beside the program in a build directory, or installed. */
#ifndef FS_LOCATE_H
#define FS_LOCATE_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>

/* The directory of the bundled providers and the path of conduitfs-provider; the caller frees
 * both, also after a failure. */
bool locate(char **ret_provider_directory, char **ret_runner, struct fail *fail);

/* `fusermount3 -u -z`: takes a mount off that isn't root's to take. */
void unmount_by_helper(const char *mountpoint);

#endif
