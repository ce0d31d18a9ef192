/* What attach.c, attach_bytes.c and attach_take.c share; nobody else includes it. */
#ifndef CORE_ENGINE_ATTACH_ATTACH_PRIVATE_H
#define CORE_ENGINE_ATTACH_ATTACH_PRIVATE_H

#include "core/engine/attach/attach.h"
#include "core/engine/attach/media.h"

#include <sys/stat.h>

/* A file's mode while it isn't whole, which outlives a crash. */
#define ATTACHMENT_WHOLE 0600
#define ATTACHMENT_PARTIAL S_ISVTX

struct attachments {
	struct engine *engine;
	struct list all; /* that wait */
	struct idmap by_id;
	size_t n;
	int64_t changed;
	struct media *media;
};

void attachments_note_change(struct attachments *attachments);
/* In memory what has a row and a file. NULL without memory. */
struct attachment *attachments_keep(
		struct attachments *attachments, const struct attachment_row *row);
/* Whether a file of `size` bytes may lie there: this one, in place of what it has and of `instead`
 * (NULL: nothing). False with words. */
bool attachments_fit(const struct attachments *attachments, const struct attachment *attachment,
		const struct attachment *instead, int64_t place, uint64_t size, struct fail *fail);
/* All that waited there belong to a turn now, which has links of its own to their bytes. */
void attachments_given(struct attachments *attachments, int64_t place);

#endif
