/* Files that go along with a prompt: those that wait in a place's attach/, and those that went with
 * a turn. A row each; the bytes of one that waits lie in attach/ID of the state directory, of one
 * that went with a turn in the turn's own directory, attachments/NAME. */
#ifndef CORE_STORE_ATTACHMENTS_H
#define CORE_STORE_ATTACHMENTS_H

#include "core/store/store.h"

struct attachment_row {
	int64_t id; /* never used again */
	int64_t place; /* where it waits; 0 for a turn's */
	int64_t turn; /* 0 while it waits */
	const char *name; /* "" stands for the turn's prompt itself, which isn't text */
	const char *target; /* of a symbolic link, or what was one; "" for a file */
	const char *type; /* MIME type by content; "" while it waits */
};

/* What it is handed is valid until it returns. */
typedef void store_attachment_visit(void *data, const struct attachment_row *row);

/* Durably keeps one that waits; `ret_id` is its id. */
bool store_attachment_add(struct store *store, int64_t place, const char *name, const char *target,
		int64_t *ret_id, struct fail *fail);
/* Gives one that waits another name or place, durably; what bore the name there is gone. */
bool store_attachment_rename(struct store *store, int64_t id, int64_t place, const char *name,
		struct fail *fail);
/* Removes one that waits, its file too. */
bool store_attachment_remove(struct store *store, int64_t id, struct fail *fail);
/* The rows of a turn in place of all that waited at `place` (0: nothing did), durably and at once.
 * The files are the caller's. */
bool store_attachments_give(struct store *store, int64_t place, int64_t turn,
		const struct attachment_row *rows, size_t n, struct fail *fail);

/* What a turn has waits at `place` again, under the same ids, durably and at once; its prompt's
 * type is forgotten. */
bool store_attachments_return(struct store *store, int64_t turn, int64_t place, struct fail *fail);

/* All that wait; those whose place ended are removed first, and so are files without a row. Called
 * at the start, while turns that ran when the last mount ended aren't interrupted yet. */
bool store_attachments_waiting(
		struct store *store, store_attachment_visit *visit, void *data, struct fail *fail);
/* Those that wait at a place. */
bool store_attachments_at(struct store *store, int64_t place, store_attachment_visit *visit,
		void *data, struct fail *fail);
/* Those of a turn, by their ids. */
bool store_attachments_of(struct store *store, int64_t turn, store_attachment_visit *visit,
		void *data, struct fail *fail);
/* The one of a turn with this id; false when there is none. */
bool store_attachment_get(
		struct store *store, int64_t id, store_attachment_visit *visit, void *data);

/* The path of the file of one that waits; its directory is made when `make`. */
bool store_attachment_path(struct store *store, int64_t id, bool make, char *ret, size_t size);
/* The path of a turn's, or of their directory with the name "". */
bool store_attached_path(
		struct store *store, int64_t turn, const char *name, char *ret, size_t size);

#endif
