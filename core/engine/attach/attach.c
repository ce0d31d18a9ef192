/* What waits in attach/: see attach.h. Its bytes are in attach_bytes.c, what becomes of it in
 * attach_take.c. */
#include "core/engine/attach/attach.h"

#include "core/base/text.h"
#include "core/engine/attach/attach_private.h"
#include "core/engine/engine.h"
#include "core/engine/money/estimate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void attachment_free(struct attachments *attachments, struct attachment *attachment) {
	if (attachment->id != 0) {
		idmap_remove(&attachments->by_id, attachment->id);
		attachments->n--;
	}
	list_remove(&attachment->link);
	free(attachment->name);
	free(attachment->target);
	free(attachment);
}

void attachments_note_change(struct attachments *attachments) {
	int64_t now = now_us();
	attachments->changed = now > attachments->changed ? now : attachments->changed + 1;
}

/* In memory what has a row. NULL without memory. */
static struct attachment *keep(struct attachments *attachments, int64_t id, int64_t place,
		const char *name, const char *target) {
	struct attachment *attachment = calloc(1, sizeof(*attachment));
	if (attachment == NULL) {
		return NULL;
	}
	attachment->place = place;
	attachment->modified = now_us();
	attachment->name = strdup(name);
	attachment->target = target[0] != '\0' ? strdup(target) : NULL;
	if (attachment->name == NULL || (target[0] != '\0' && attachment->target == NULL) ||
			!idmap_set(&attachments->by_id, id, attachment)) {
		attachment_free(attachments, attachment);
		return NULL;
	}
	attachment->id = id;
	attachments->n++;
	list_append(&attachments->all, &attachment->link);
	return attachment;
}

struct attachment *attachments_keep(
		struct attachments *attachments, const struct attachment_row *row) {
	char path[PATH_MAX];
	struct stat status;
	struct attachment *attachment = keep(
			attachments, row->id, row->place, row->name, row->target);
	if (attachment != NULL &&
			store_attachment_path(attachments->engine->store, row->id, false, path,
					sizeof(path)) &&
			lstat(path, &status) == 0) {
		attachment->size = (uint64_t)status.st_size;
		attachment->torn = (status.st_mode & ATTACHMENT_PARTIAL) != 0;
		attachment->modified = (int64_t)status.st_mtim.tv_sec * 1000000 +
				       status.st_mtim.tv_nsec / 1000;
	}
	return attachment;
}

static void on_waiting(void *data, const struct attachment_row *row) {
	attachments_keep(data, row);
}

/* The daemon died before the file was there: whoever made it was never told that it is. */
static void remove_fileless(struct attachments *attachments) {
	struct store *store = attachments->engine->store;
	struct attachment *attachment;
	char path[PATH_MAX];
	list_for_each(attachment, &attachments->all, link) {
		if (attachment->target == NULL &&
				store_attachment_path(
						store, attachment->id, false, path, sizeof(path)) &&
				access(path, F_OK) != 0 && errno == ENOENT &&
				store_attachment_remove(store, attachment->id, NULL)) {
			attachment_free(attachments, attachment);
		}
	}
}

struct attachments *attachments_create(struct engine *engine, struct fail *fail) {
	struct attachments *attachments = calloc(1, sizeof(*attachments));
	if (attachments == NULL) {
		fail_set(fail, ENOMEM, "no memory for attachments");
		return NULL;
	}
	attachments->engine = engine;
	list_init(&attachments->all);
	attachments_note_change(attachments);
	attachments->media = media_create();
	if (attachments->media == NULL ||
			!store_attachments_waiting(engine->store, on_waiting, attachments, fail)) {
		attachments_destroy(attachments);
		return NULL;
	}
	remove_fileless(attachments);
	return attachments;
}

void attachments_destroy(struct attachments *attachments) {
	if (attachments == NULL) {
		return;
	}
	struct attachment *attachment;
	list_for_each(attachment, &attachments->all, link) {
		attachment_free(attachments, attachment);
	}
	idmap_finish(&attachments->by_id);
	media_destroy(attachments->media);
	free(attachments);
}

/* ---- looking ---- */

struct media *attachments_media(const struct attachments *attachments) {
	return attachments->media;
}

struct attachment *attachment_get(const struct attachments *attachments, int64_t id) {
	return id != 0 ? idmap_get(&attachments->by_id, id) : NULL;
}

struct attachment *attachment_find(
		const struct attachments *attachments, int64_t place, const char *name) {
	struct attachment *attachment;
	list_for_each(attachment, &attachments->all, link) {
		if (attachment->place == place && strcmp(attachment->name, name) == 0) {
			return attachment;
		}
	}
	return NULL;
}

struct attachment *attachment_next(
		const struct attachments *attachments, int64_t place, int64_t after) {
	struct attachment *attachment, *next = NULL;
	list_for_each(attachment, &attachments->all, link) {
		bool later = attachment->place == place && attachment->id > after;
		if (later && (next == NULL || attachment->id < next->id)) {
			next = attachment;
		}
	}
	return next;
}

int64_t attachments_changed(const struct attachments *attachments) {
	return attachments->changed;
}

void attachments_measure(struct attachments *attachments, int64_t place, struct input_size *size) {
	char path[PATH_MAX], type[MEDIA_TYPE_MOST];
	const struct attachment *attachment = attachment_next(attachments, place, 0);
	for (; attachment != NULL;
			attachment = attachment_next(attachments, place, attachment->id)) {
		if (attachment->target == NULL &&
				store_attachment_path(attachments->engine->store, attachment->id,
						false, path, sizeof(path)) &&
				media_type_of(attachments->media, path, type, NULL)) {
			input_add(size, media_kind_of(type), attachment->size);
		}
	}
}

/* ---- names ---- */

static bool name_is_fine(const char *name, struct fail *fail) {
	bool fine = utf8_valid(name, strlen(name));
	for (const char *c = name; *c != '\0'; c++) {
		fine = fine && (unsigned char)*c >= 0x20 && *c != 0x7f;
	}
	return fine || fail_set(fail, EINVAL,
				       "attach: a name that goes to a service is UTF-8 without "
				       "control characters");
}

/* Whether one more may wait there: what is made, or comes from another place. */
static bool has_room(const struct attachments *attachments, int64_t place, bool made,
		const char *name, struct fail *fail) {
	const struct attachment *other;
	size_t there = 0;
	list_for_each(other, &attachments->all, link) {
		there += other->place == place;
	}
	return (there < ATTACH_MOST && (!made || attachments->n < ATTACH_ALL_MOST)) ||
	       fail_set(fail, EDQUOT, "attach/%s: %d files at most go along with a prompt%s", name,
			       ATTACH_MOST,
			       there < ATTACH_MOST ? ", and too many wait elsewhere" : "");
}

struct attachment *attachment_make(struct attachments *attachments, int64_t place, const char *name,
		const char *target, struct fail *fail) {
	struct store *store = attachments->engine->store;
	char path[PATH_MAX];
	int64_t id;
	struct attachment *attachment = NULL;
	if (!name_is_fine(name, fail) || !has_room(attachments, place, true, name, fail)) {
		return NULL;
	}
	if (!store_attachment_add(store, place, name, target != NULL ? target : "", &id, fail)) {
		return NULL;
	}
	bool made = target != NULL;
	if (!made && store_attachment_path(store, id, true, path, sizeof(path))) {
		cleanup_close int fd = open(
				path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, ATTACHMENT_WHOLE);
		made = fd >= 0;
	}
	int code = errno;
	attachment = made ? keep(attachments, id, place, name, target != NULL ? target : "") : NULL;
	if (attachment == NULL) {
		store_attachment_remove(store, id, NULL);
		fail_set(fail, made ? ENOMEM : code,
				"attach/%s can't be kept in the state directory: %s", name,
				strerror(made ? ENOMEM : code));
	}
	attachments_note_change(attachments);
	return attachment;
}

/* What is replaced there makes room. */
static bool may_go_there(const struct attachments *attachments, const struct attachment *attachment,
		const struct attachment *there, int64_t place, struct fail *fail) {
	return place == attachment->place ||
	       ((there != NULL || has_room(attachments, place, false, attachment->name, fail)) &&
			       attachments_fit(attachments, attachment, there, place,
					       attachment->size, fail));
}

bool attachment_rename(struct attachments *attachments, struct attachment *attachment,
		int64_t place, const char *name, struct fail *fail) {
	struct store *store = attachments->engine->store;
	struct attachment *there = attachment_find(attachments, place, name);
	char path[PATH_MAX];
	if (there == attachment) {
		return true;
	}
	cleanup_free char *copy = strdup(name);
	if (copy == NULL) {
		return fail_set(fail, ENOMEM, "no memory for attachments");
	}
	if (!name_is_fine(name, fail) ||
			!may_go_there(attachments, attachment, there, place, fail) ||
			!store_attachment_rename(store, attachment->id, place, name, fail)) {
		return false;
	}
	if (there != NULL) {
		if (store_attachment_path(store, there->id, false, path, sizeof(path))) {
			unlink(path);
		}
		attachment_free(attachments, there);
	}
	free(attachment->name);
	attachment->name = take(copy);
	attachment->place = place;
	attachments_note_change(attachments);
	return true;
}

bool attachment_remove(
		struct attachments *attachments, struct attachment *attachment, struct fail *fail) {
	if (!store_attachment_remove(attachments->engine->store, attachment->id, fail)) {
		return false;
	}
	attachment_free(attachments, attachment);
	attachments_note_change(attachments);
	return true;
}

void attachments_forget(struct attachments *attachments, int64_t place) {
	struct attachment *attachment;
	list_for_each(attachment, &attachments->all, link) {
		if (attachment->place == place) {
			store_attachment_remove(attachments->engine->store, attachment->id, NULL);
			attachment_free(attachments, attachment);
		}
	}
	attachments_note_change(attachments);
}

void attachments_given(struct attachments *attachments, int64_t place) {
	char path[PATH_MAX];
	struct attachment *attachment;
	list_for_each(attachment, &attachments->all, link) {
		if (attachment->place != place) {
			continue;
		}
		if (store_attachment_path(attachments->engine->store, attachment->id, false, path,
				    sizeof(path))) {
			unlink(path);
		}
		attachment_free(attachments, attachment);
	}
	attachments_note_change(attachments);
}
