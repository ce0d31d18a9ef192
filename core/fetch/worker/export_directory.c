/* Files of a directory on this machine: see export.h. Their hash is git's, so that the same files
 * have the same hash whichever way they came. */
#include "core/fetch/worker/export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
	struct export *export;
	const char *directory;
	struct buf path;
	struct fail *fail;
};

/* An entry of a tree's object. */
struct entry {
	char *name;
	bool directory;
	git_oid id;
};

struct entries {
	struct entry *entry;
	size_t n;
};

static void finish_entries(struct entries *entries) {
	for (size_t i = 0; i < entries->n; i++) {
		free(entries->entry[i].name);
	}
	free(entries->entry);
}

static bool failed(struct walk *walk, const char *doing) {
	return fail_set(walk->fail, errno, "can't %s %s/%s: %s", doing, walk->directory,
			buf_string(&walk->path), strerror(errno));
}

/* What people have beside a provider's files, and no provider needs: .git, editors' files,
 * packages. */
static bool counts(const char *name) {
	return name[0] != '.' && strcmp(name, "node_modules") != 0;
}

/* git's order: as if a directory's name ended with a slash. */
static int compare_entries(const void *left, const void *right) {
	const struct entry *a = left, *b = right;
	size_t shorter = strlen(a->name) < strlen(b->name) ? strlen(a->name) : strlen(b->name);
	int order = memcmp(a->name, b->name, shorter);
	if (order != 0) {
		return order;
	}
	int last_a = a->name[shorter] != '\0' ? (unsigned char)a->name[shorter]
		     : a->directory	      ? '/'
					      : 0;
	int last_b = b->name[shorter] != '\0' ? (unsigned char)b->name[shorter]
		     : b->directory	      ? '/'
					      : 0;
	return last_a - last_b;
}

static bool hash(struct walk *walk, const void *bytes, size_t size, git_object_t type,
		git_oid *ret) {
	return git_odb_hash(ret, bytes, size, type) == 0 ||
	       fail_set(walk->fail, EIO, "can't hash %s/%s", walk->directory,
			       buf_string(&walk->path));
}

static bool hash_entries(struct walk *walk, struct entries *entries, git_oid *ret) {
	struct buf object cleanup_buf = {0};
	if (entries->n > 0) {
		qsort(entries->entry, entries->n, sizeof(entries->entry[0]), compare_entries);
	}
	for (size_t i = 0; i < entries->n; i++) {
		const struct entry *entry = &entries->entry[i];
		buf_add_format(&object, "%s %s", entry->directory ? "40000" : "100644",
				entry->name);
		buf_add_byte(&object, '\0');
		buf_add(&object, entry->id.id, GIT_OID_RAWSZ);
	}
	return !object.failed ? hash(walk, buf_string(&object), object.size, GIT_OBJECT_TREE, ret)
			      : fail_set(walk->fail, ENOMEM, "no memory");
}

/* Reads what is there; a file that grows meanwhile is read up to the size that was checked. */
static bool read_file(struct walk *walk, int fd, size_t size, struct buf *ret) {
	char *bytes = buf_reserve(ret, size);
	if (bytes == NULL) {
		return fail_set(walk->fail, ENOMEM, "no room for a file of %zu bytes", size);
	}
	while (ret->size < size) {
		ssize_t got = read(fd, bytes + ret->size, size - ret->size);
		if (got == 0) {
			break;
		}
		if (got < 0 && errno != EINTR) {
			return failed(walk, "read");
		}
		ret->size += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static bool export_regular(struct walk *walk, int fd, uint64_t size, git_oid *ret) {
	struct buf bytes cleanup_buf = {.limit = EXPORT_FILE_MOST};
	const char *path = buf_string(&walk->path);
	if (walk->export->root == NULL) {
		return export_count(walk->export, path, size, walk->fail);
	}
	return read_file(walk, fd, (size_t)size, &bytes) &&
	       hash(walk, buf_string(&bytes), bytes.size, GIT_OBJECT_BLOB, ret) &&
	       export_file(walk->export, path, buf_string(&bytes), bytes.size, walk->fail);
}

static bool export_open_directory(struct walk *walk, int fd, git_oid *ret);

static bool export_entry(struct walk *walk, int parent, const char *name, struct entry *ret) {
	/* O_NONBLOCK: opening a FIFO would wait for its writer. */
	int fd cleanup_close = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat about;
	if (fd < 0 && errno == ELOOP) {
		return fail_set(walk->fail, EINVAL,
				"'%s' is refused: it is a symbolic link, and a provider's files "
				"hold none; put the file itself there",
				buf_string(&walk->path));
	}
	if (fd < 0 || fstat(fd, &about) != 0) {
		return failed(walk, "read");
	}
	ret->directory = S_ISDIR(about.st_mode);
	if (ret->directory) {
		return export_directory(walk->export, buf_string(&walk->path), walk->fail) &&
		       export_open_directory(walk, fd, &ret->id);
	}
	if (!S_ISREG(about.st_mode)) {
		return fail_set(walk->fail, EINVAL,
				"'%s' is refused: it is neither a regular file nor a directory",
				buf_string(&walk->path));
	}
	return export_regular(walk, fd, (uint64_t)about.st_size, &ret->id);
}

static bool add_entry(struct walk *walk, struct entries *entries, int fd, const char *name) {
	struct entry *grown = realloc(entries->entry, (entries->n + 1) * sizeof(*grown));
	if (grown == NULL) {
		return fail_set(walk->fail, ENOMEM, "no memory");
	}
	entries->entry = grown;
	grown[entries->n] = (struct entry){.name = strdup(name)};
	struct entry *entry = &grown[entries->n++];
	size_t above = walk->path.size;
	if (entry->name == NULL || !buf_add_format(&walk->path, above > 0 ? "/%s" : "%s", name)) {
		return fail_set(walk->fail, ENOMEM, "no memory");
	}
	if (!export_check_name(buf_string(&walk->path), name, walk->fail) ||
			!export_entry(walk, fd, name, entry)) {
		return false;
	}
	walk->path.size = above;
	walk->path.data[above] = '\0';
	return true;
}

static bool export_open_directory(struct walk *walk, int fd, git_oid *ret) {
	struct entries entries cleanup(finish_entries) = {0};
	int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *directory cleanup_closedir = again >= 0 ? fdopendir(again) : NULL;
	if (directory == NULL) {
		return failed(walk, "list");
	}
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (counts(entry->d_name) && !add_entry(walk, &entries, fd, entry->d_name)) {
			return false;
		}
	}
	return hash_entries(walk, &entries, ret);
}

bool export_tree_of(struct export *export, const char *directory, git_oid *ret, struct fail *fail) {
	struct walk walk = {.export = export,
			.directory = directory,
			.path = {.limit = (size_t)64 << 10},
			.fail = fail};
	int fd cleanup_close = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return fail_set(fail, errno, "can't read the directory %s: %s", directory,
				strerror(errno));
	}
	bool exported = export_open_directory(&walk, fd, ret);
	buf_finish(&walk.path);
	return exported;
}
