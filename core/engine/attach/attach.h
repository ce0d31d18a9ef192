/* attach/ of a place: files that go along with the next prompt that is written there. They are
 * taken whole when it is submitted, and belong to its turn from then on; the directory is empty
 * again. A file that is still being written, a link that leads nowhere and a kind that the model
 * doesn't take fail that turn before anything is sent, and all of them stay where they are. */
#ifndef CORE_ENGINE_ATTACH_ATTACH_H
#define CORE_ENGINE_ATTACH_ATTACH_H

#include "core/store/attachments.h"
#include "core/store/catalogue.h"
#include "core/turn/turn.h"

struct attachments;
struct engine;
struct input_size;

/* Files in one attach/. */
#define ATTACH_MOST 64
/* Bytes of what is shown where a link leads: a copy is made at once. */
#define ATTACH_SHOWN_MOST ((size_t)16 << 20)
/* And files over all directories of a mount. */
#define ATTACH_ALL_MOST 4096

/* One that waits. */
struct attachment {
	struct list link;
	int64_t id, place;
	char *name; /* UTF-8 without control characters */
	char *target; /* of a symbolic link; NULL for a file */
	uint64_t size;
	int64_t modified; /* microseconds since the epoch */
	unsigned writers; /* who wrote and hasn't closed */
	bool torn; /* a write was refused or broken off: it isn't sent in part */
};

/* Those that waited when the last mount ended wait on. NULL with words. */
struct attachments *attachments_create(struct engine *engine, struct fail *fail);
/* NULL is fine. */
void attachments_destroy(struct attachments *attachments);

/* What tells types, for others too. */
struct media *attachments_media(const struct attachments *attachments);

/* NULL when there is none (any more). */
struct attachment *attachment_get(const struct attachments *attachments, int64_t id);
struct attachment *attachment_find(
		const struct attachments *attachments, int64_t place, const char *name);
/* The first there with an id above `after`; NULL at the end. */
struct attachment *attachment_next(
		const struct attachments *attachments, int64_t place, int64_t after);
/* When a listing last changed: larger after each change. */
int64_t attachments_changed(const struct attachments *attachments);
/* Adds what waits at a place, for an estimate; links count nothing. */
void attachments_measure(struct attachments *attachments, int64_t place, struct input_size *size);

/* Makes an empty file, or a link when there is a target. NULL with EINVAL for a name that can't be
 * sent, EDQUOT over ATTACH_MOST, ENOSPC … and words. */
struct attachment *attachment_make(struct attachments *attachments, int64_t place, const char *name,
		const char *target, struct fail *fail);
/* Gives it another name or place, in place of what bears that name there. */
bool attachment_rename(struct attachments *attachments, struct attachment *attachment,
		int64_t place, const char *name, struct fail *fail);
bool attachment_remove(
		struct attachments *attachments, struct attachment *attachment, struct fail *fail);
/* The place ended. */
void attachments_forget(struct attachments *attachments, int64_t place);

/* Its file, open as `flags` say; -1 with errno. */
int attachment_open(
		struct attachments *attachments, const struct attachment *attachment, int flags);
/* Between these two it counts as one that is being written, after a crash too. `broken_off`: its
 * writer was ended by a signal. */
void attachment_writing(struct attachment *attachment, int fd);
void attachment_written(struct attachment *attachment, int fd, bool broken_off);
/* EFBIG for one that is larger than limits.attach, EDQUOT for all of a directory, ENOSPC … and
 * words; what was there stays. */
bool attachment_write(struct attachments *attachments, struct attachment *attachment, int fd,
		const void *bytes, size_t size, uint64_t offset, struct fail *fail);
bool attachment_truncate(struct attachments *attachments, struct attachment *attachment, int fd,
		uint64_t size, struct fail *fail);

/* Before a turn is recorded: takes what waits at its place, and says what its prompt is when that
 * isn't text. False with words: then nothing was taken. */
bool attachments_take(struct attachments *attachments, struct turn *turn, struct fail *fail);
/* The turn wasn't accepted after all: what it took waits again. */
void attachments_give_back(struct attachments *attachments, struct turn *turn);
/* Gives a turn what went with another one. */
bool attachments_share(struct attachments *attachments, struct turn *from, struct turn *to,
		struct fail *fail);

/* What went with a turn; an entry with the name "" is its prompt. */
struct attached {
	struct attached_file {
		char *name, *type;
	} * files; /* owned */
	size_t n;
};
bool attached_of(struct attachments *attachments, int64_t turn, struct attached *ret,
		struct fail *fail);
void attached_finish(struct attached *attached);
/* The type of the prompt: "text/plain", or what it was found to be. */
const char *attached_prompt_type(const struct attached *attached);

#endif
