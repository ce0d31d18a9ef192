/* Scratch files: see scratch.h. */
#include "fs/file/scratch.h"

#include "core/turn/turn.h"

#include <errno.h>
#include <string.h>

/* A scratch file that nobody opened for so long is forgotten. */
#define FORGOTTEN_AFTER_US (INT64_C(3600) * 1000000)

struct scratch_files {
	struct list all; /* ascending by id */
	struct idmap by_id;
	int64_t last_id;
	size_t bytes;
	size_t n;
};

struct scratch_files *scratch_files_create(void) {
	struct scratch_files *files = calloc(1, sizeof(*files));
	if (files != NULL) {
		list_init(&files->all);
	}
	return files;
}

static void destroy(struct scratch_files *files, struct scratch *scratch) {
	idmap_remove(&files->by_id, scratch->id);
	list_remove(&scratch->link);
	files->bytes -= scratch->data.size;
	files->n--;
	buf_finish(&scratch->data);
	free(scratch->name);
	free(scratch->target);
	free(scratch);
}

void scratch_files_destroy(struct scratch_files *files) {
	if (files == NULL) {
		return;
	}
	struct scratch *scratch;
	list_for_each(scratch, &files->all, link) {
		destroy(files, scratch);
	}
	idmap_finish(&files->by_id);
	free(files);
}

static void forget_old(struct scratch_files *files) {
	int64_t before = now_us() - FORGOTTEN_AFTER_US;
	struct scratch *scratch;
	list_for_each(scratch, &files->all, link) {
		if (scratch->opens == 0 && scratch->used < before) {
			destroy(files, scratch);
		}
	}
}

struct scratch *scratch_create(struct scratch_files *files, uint64_t parent, const char *name,
		mode_t mode, const char *target) {
	forget_old(files);
	if (files->n >= SCRATCH_FILES_MOST) {
		errno = ENOSPC;
		return NULL;
	}
	struct scratch *scratch = calloc(1, sizeof(*scratch));
	if (scratch == NULL) {
		return NULL;
	}
	scratch->id = files->last_id + 1;
	scratch->parent = parent;
	scratch->name = strdup(name);
	scratch->target = target != NULL ? strdup(target) : NULL;
	scratch->data.limit = SCRATCH_MOST;
	scratch->mode = mode & 07777;
	scratch->used = scratch->modified = now_us();
	if (scratch->name == NULL || (target != NULL && scratch->target == NULL) ||
			!idmap_set(&files->by_id, scratch->id, scratch)) {
		free(scratch->name);
		free(scratch->target);
		free(scratch);
		errno = ENOMEM;
		return NULL;
	}
	files->last_id = scratch->id;
	files->n++;
	list_append(&files->all, &scratch->link);
	return scratch;
}

struct scratch *scratch_get(struct scratch_files *files, int64_t id) {
	return idmap_get(&files->by_id, id);
}

struct scratch *scratch_find(struct scratch_files *files, uint64_t parent, const char *name) {
	struct scratch *scratch;
	list_for_each(scratch, &files->all, link) {
		if (scratch->name != NULL && scratch->parent == parent &&
				strcmp(scratch->name, name) == 0) {
			return scratch;
		}
	}
	return NULL;
}

int scratch_truncate(struct scratch_files *files, struct scratch *scratch, uint64_t size) {
	struct buf *data = &scratch->data;
	scratch->modified = scratch->used = now_us();
	if (size <= data->size) {
		files->bytes -= data->size - (size_t)size;
		data->size = (size_t)size;
		return 0;
	}
	if (size > SCRATCH_MOST || files->bytes + (size - data->size) > SCRATCH_MOST) {
		return ENOSPC;
	}
	size_t more = (size_t)size - data->size;
	char *end = buf_reserve(data, more);
	if (end == NULL) {
		return ENOMEM;
	}
	memset(end, 0, more);
	data->size += more;
	files->bytes += more;
	return 0;
}

int scratch_write(struct scratch_files *files, struct scratch *scratch, const void *bytes,
		size_t size, uint64_t offset) {
	if (offset > SCRATCH_MOST || size > SCRATCH_MOST - offset) {
		return ENOSPC;
	}
	if (offset + size > scratch->data.size) {
		int failed = scratch_truncate(files, scratch, offset + size);
		if (failed != 0) {
			return failed;
		}
	}
	memcpy(scratch->data.data + offset, bytes, size);
	scratch->modified = scratch->used = now_us();
	return 0;
}

int scratch_rename(struct scratch_files *files, struct scratch *scratch, uint64_t parent,
		const char *name) {
	struct scratch *there = scratch_find(files, parent, name);
	char *copy = strdup(name);
	if (copy == NULL) {
		return ENOMEM;
	}
	if (there != NULL && there != scratch) {
		scratch_unlink(files, there);
	}
	free(scratch->name);
	scratch->name = copy;
	scratch->parent = parent;
	return 0;
}

void scratch_unlink(struct scratch_files *files, struct scratch *scratch) {
	free(take(scratch->name));
	if (scratch->opens == 0) {
		destroy(files, scratch);
	}
}

void scratch_open(struct scratch *scratch) {
	scratch->opens++;
	scratch->used = now_us();
}

void scratch_close(struct scratch_files *files, struct scratch *scratch) {
	scratch->used = now_us();
	if (--scratch->opens == 0 && scratch->name == NULL) {
		destroy(files, scratch);
	}
}
