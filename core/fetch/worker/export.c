/* Checked writing of files from outside: see export.h. */
#include "core/fetch/worker/export.h"

#include "core/base/plain.h"
#include "core/base/text.h"
#include "core/fetch/cache.h"
#include "core/fetch/staging.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MOST 255
#define MANIFESTS_MOST 512

void export_finish(struct export *export) {
	buf_finish(&export->manifests);
}

/* ---- names ---- */

/* Code points that HFS+ leaves out when it compares names, U+200C .. U+200F, U+202A .. U+202E,
 * U+206A .. U+206F and U+FEFF. */
static bool is_ignored(const char *at, size_t length) {
	const unsigned char *c = (const unsigned char *)at;
	if (length != 3) {
		return false;
	}
	unsigned point = (c[0] & 0xfU) << 12 | (c[1] & 0x3fU) << 6 | (c[2] & 0x3fU);
	return (point >= 0x200c && point <= 0x200f) || (point >= 0x202a && point <= 0x202e) ||
	       (point >= 0x206a && point <= 0x206f) || point == 0xfeff;
}

/* The name as the most forgiving file system takes it: without ignored code points, in lower case,
 * without a stream's name (":…") and what NTFS drops at the end. */
static void fold(const char *name, char ret[NAME_MOST + 1]) {
	size_t size = strlen(name), n = 0;
	for (size_t i = 0; i < size && name[i] != ':' && n < NAME_MOST;) {
		size_t length = utf8_length(name + i, size - i);
		if (!is_ignored(name + i, length)) {
			for (size_t k = 0; k < length && n < NAME_MOST; k++) {
				ret[n++] = (char)tolower((unsigned char)name[i + k]);
			}
		}
		i += length;
	}
	while (n > 0 && (ret[n - 1] == '.' || ret[n - 1] == ' ')) {
		n--;
	}
	ret[n] = '\0';
}

static bool is_git_directory(const char *name) {
	char folded[NAME_MOST + 1];
	fold(name, folded);
	return strcmp(folded, ".git") == 0 || strcmp(folded, "git~1") == 0;
}

static bool refuse(struct fail *fail, int code, const char *path, const char *words) {
	char *shown cleanup_free = plain_text(path, strlen(path), EXPORT_PATH_MOST, false);
	return fail_set(fail, code, "'%s' %s", shown != NULL ? shown : "a file", words);
}

bool export_check_name(const char *path, const char *name, struct fail *fail) {
	size_t length = strlen(name);
	if (length == 0 || length > NAME_MOST || strlen(path) > EXPORT_PATH_MOST) {
		return refuse(fail, ENAMETOOLONG, path,
				"is refused: a path is at most 512 bytes, a name in it 1 to 255");
	}
	if (!utf8_valid(name, length)) {
		return refuse(fail, EINVAL, path, "is refused: its name isn't UTF-8");
	}
	for (const char *c = name; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c) || *c == '/' || *c == '\\') {
			return refuse(fail, EINVAL, path,
					"is refused: its name holds a slash, a backslash or a "
					"control byte");
		}
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_git_directory(name)) {
		return refuse(fail, EINVAL, path,
				"is refused: it would leave its directory, or be git's own");
	}
	size_t depth = 0;
	for (const char *c = path; *c != '\0'; c++) {
		depth += *c == '/';
	}
	return depth < EXPORT_DEPTH_MOST ||
	       refuse(fail, ELOOP, path, "is refused: it lies more than 16 directories deep");
}

static bool check_size(
		const struct export *export, const char *path, uint64_t size, struct fail *fail) {
	if (size > EXPORT_FILE_MOST) {
		return refuse(fail, EFBIG, path,
				"is refused: it is above 8 MiB, which no part of a provider is");
	}
	return export->bytes + size <= EXPORT_BYTES_MOST ||
	       refuse(fail, EFBIG, path,
			       "is refused: with it the files would be above 32 MiB together; "
			       "give the provider a repository, or a directory (#PATH), of its "
			       "own");
}

static bool count_entry(struct export *export, const char *path, struct fail *fail) {
	return ++export->entries <= EXPORT_ENTRIES_MOST ||
	       refuse(fail, EFBIG, path,
			       "is refused: it is one of more than 2000 files and directories; "
			       "give the provider a repository, or a directory (#PATH), of its "
			       "own");
}

/* ---- writing ---- */

static char *below_root(const struct export *export, const char *path, struct fail *fail) {
	char *whole = NULL;
	if (asprintf(&whole, "%s/%s", export->root, path) < 0) {
		fail_set(fail, ENOMEM, "no memory for a path");
		return NULL;
	}
	return whole;
}

bool export_directory(struct export *export, const char *path, struct fail *fail) {
	if (!count_entry(export, path, fail)) {
		return false;
	}
	if (export->root == NULL) {
		return true;
	}
	char *whole cleanup_free = below_root(export, path, fail);
	if (whole == NULL) {
		return false;
	}
	return mkdir(whole, 0755) == 0 ||
	       fail_set(fail, errno, "can't make %s: %s", whole, strerror(errno));
}

static void note_manifest(struct export *export, const char *path) {
	if (strcmp(path, CACHE_MANIFEST) == 0) {
		export->has_manifest = true;
	} else if (ends_with(path, "/" CACHE_MANIFEST)) {
		export->manifests.limit = MANIFESTS_MOST;
		buf_add_format(&export->manifests, "%s%.*s", export->manifests.size > 0 ? ", " : "",
				(int)(strlen(path) - strlen("/" CACHE_MANIFEST)), path);
	}
}

bool export_count(struct export *export, const char *path, uint64_t size, struct fail *fail) {
	if (!check_size(export, path, size, fail) || !count_entry(export, path, fail)) {
		return false;
	}
	export->bytes += size;
	note_manifest(export, path);
	return true;
}

bool export_file(struct export *export, const char *path, const void *bytes, size_t size,
		struct fail *fail) {
	char *whole cleanup_free = below_root(export, path, fail);
	if (whole == NULL || !export_count(export, path, size, fail) ||
			!staging_write(whole, bytes, size, fail)) {
		return false;
	}
	report_progress(export->report, FETCH_CHECKING, export->entries, 0, export->bytes,
			"writing files: %llu", (unsigned long long)export->entries);
	return true;
}
