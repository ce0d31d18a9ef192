/* Scratch files: what editors and `mv tmp input` put beside our own files (vim's swap, emacs's
 * lock, sed's temporary file). They live in memory, bounded, belong to no model and are gone at
 * unlink, an hour after they were last used, and at unmount. */
#ifndef FS_FILE_SCRATCH_H
#define FS_FILE_SCRATCH_H

#include "core/base/buf.h"
#include "core/base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* All scratch files of a mount together, in bytes; beyond it ENOSPC. */
#define SCRATCH_MOST ((size_t)64 << 20)
/* And in number. */
#define SCRATCH_FILES_MOST 4096

struct scratch_files;

struct scratch {
	struct list link;
	int64_t id; /* never used again while the daemon lives */
	uint64_t parent; /* inode of its directory */
	char *name; /* NULL once it is unlinked or was renamed onto a file of ours */
	char *target; /* a symbolic link's; NULL for a file */
	struct buf data;
	mode_t mode; /* permission bits */
	unsigned opens;
	int64_t used, modified; /* microseconds since the epoch */
};

struct scratch_files *scratch_files_create(void);
void scratch_files_destroy(struct scratch_files *files);
/* NULL with errno (ENOSPC, ENOMEM). `target` makes a symbolic link. */
struct scratch *scratch_create(struct scratch_files *files, uint64_t parent, const char *name,
		mode_t mode, const char *target);
struct scratch *scratch_get(struct scratch_files *files, int64_t id);
struct scratch *scratch_find(struct scratch_files *files, uint64_t parent, const char *name);
/* 0 or an errno. */
int scratch_write(struct scratch_files *files, struct scratch *scratch, const void *bytes,
		size_t size, uint64_t offset);
int scratch_truncate(struct scratch_files *files, struct scratch *scratch, uint64_t size);
int scratch_rename(struct scratch_files *files, struct scratch *scratch, uint64_t parent,
		const char *name);
/* Takes the name away; the file goes with the last open handle. */
void scratch_unlink(struct scratch_files *files, struct scratch *scratch);
void scratch_open(struct scratch *scratch);
void scratch_close(struct scratch_files *files, struct scratch *scratch);

#endif
