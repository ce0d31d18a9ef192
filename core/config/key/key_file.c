/* Files that hold a key: see key_file.h. */
#include "core/config/key/key_file.h"

#include "core/base/file.h"
#include "core/config/key/key.h"
#include "core/config/key/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A key and the blanks around it. */
#define KEY_FILE_MOST (KEY_MOST + 1024)

bool key_check(const char *text, size_t size, struct fail *fail) {
	if (size == 0 || size > KEY_MOST) {
		return fail_set(fail, EINVAL, "a key has 1 to %d bytes, this one %zu", KEY_MOST,
				size);
	}
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f) {
			return fail_set(fail, EINVAL,
					"a key has no blanks, line breaks, control bytes or "
					"letters "
					"beyond ASCII; this one has one as byte %zu",
					i + 1);
		}
	}
	return true;
}

static void trim(const char **text, size_t *size) {
	while (*size > 0 && isspace((unsigned char)(*text)[*size - 1])) {
		--*size;
	}
	while (*size > 0 && isspace((unsigned char)**text)) {
		++*text;
		--*size;
	}
}

char *secret_key(const char *text, size_t size, struct fail *fail) {
	trim(&text, &size);
	if (size == 0 || !key_check(text, size, fail)) {
		return NULL;
	}
	char *key = secret_map(KEY_MOST + 1);
	if (key == NULL) {
		fail_set(fail, ENOMEM, "no memory for a key");
		return NULL;
	}
	memcpy(key, text, size);
	return key;
}

void secret_key_free(char *key) {
	secret_unmap(key, KEY_MOST + 1);
}

bool key_file_init(struct key_file *file, const char *path, bool optional) {
	*file = (struct key_file){.optional = optional};
	if (path != NULL) {
		file->path = strdup(path);
	}
	return path == NULL || file->path != NULL;
}

static void forget(struct key_file *file) {
	secret_key_free(take(file->value));
	free(take(file->trouble));
	file->exposed = false;
	file->known = (struct stat){0};
}

void key_file_finish(struct key_file *file) {
	forget(file);
	free(take(file->path));
}

static bool same_file(const struct stat *a, const struct stat *b) {
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
	       memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
	       memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

void key_file_refresh(struct key_file *file) {
	struct stat now = {0};
	int code = file->path != NULL && stat(file->path, &now) < 0 ? errno : 0;
	if (file->path == NULL || (code == 0 && same_file(&now, &file->known))) {
		return;
	}
	forget(file);
	if (code == ENOENT && file->optional) {
		return;
	}
	cleanup_secret_buf struct buf text = {0};
	cleanup_fail struct fail fail = {0};
	if (file_read(file->path, KEY_FILE_MOST, &text, &fail)) {
		file->value = secret_key(buf_string(&text), text.size, &fail);
		file->exposed = (now.st_mode & (S_IRGRP | S_IROTH)) != 0 || now.st_uid != geteuid();
		file->known = now;
		if (file->value == NULL && asprintf(&file->trouble, "%s: %s", file->path,
							   fail.code != 0 ? fail_words(&fail)
									  : "is empty") < 0) {
			file->trouble = NULL;
		}
	} else {
		file->trouble = take(fail.words);
	}
}

/* Beside the file, then in its place: a reader sees the old key or the new one, whole. */
static bool replace(const char *path, const char *text, size_t size, struct fail *fail) {
	cleanup_free char *beside = NULL;
	if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
		beside = NULL;
		return fail_set(fail, ENOMEM, "no memory for a path");
	}
	cleanup_close int fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		int code = errno;
		return fail_set(fail, code, "%s: %s", path, strerror(code));
	}
	if (!file_write(fd, text, size) || !file_write(fd, "\n", 1) || rename(beside, path) < 0) {
		int code = errno;
		unlink(beside);
		return fail_set(fail, code, "%s: %s", path, strerror(code));
	}
	return true;
}

bool key_file_write(struct key_file *file, const char *text, size_t size, struct fail *fail) {
	trim(&text, &size);
	if (file->path == NULL) {
		return fail_set(fail, EPERM, "this provider's key isn't kept in a file");
	}
	if (size == 0) {
		if (unlink(file->path) < 0 && errno != ENOENT) {
			int code = errno;
			return fail_set(fail, code, "%s: %s", file->path, strerror(code));
		}
	} else if (!key_check(text, size, fail) || !file_make_parents(file->path, fail) ||
			!replace(file->path, text, size, fail)) {
		return false;
	}
	forget(file);
	key_file_refresh(file);
	return true;
}
