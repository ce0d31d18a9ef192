/* What attach.c and attach_take.c share; nobody else includes it. */
#ifndef CORE_ENGINE_ATTACH_ATTACH_PRIVATE_H
#define CORE_ENGINE_ATTACH_ATTACH_PRIVATE_H

#include "core/engine/attach/attach.h"
#include "core/engine/attach/media.h"

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
/* All that waited there belong to a turn now, which has links of its own to their bytes. */
void attachments_given(struct attachments *attachments, int64_t place);

#endif
