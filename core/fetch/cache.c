/* The cache of providers: see cache.h. */
#include "core/fetch/cache.h"

#include "core/base/file.h"
#include "core/base/siphash.h"
#include "core/base/text.h"
#include "core/config/manifest/manifest.h"
#include "core/config/paths.h"
#include "core/fetch/build/build.h"
#include "core/provider/conduit/provider.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static const char tree_prefix[] = "tree-";

char *fetch_cache_directory(void) {
	char *base cleanup_free = path_xdg("XDG_CACHE_HOME", ".cache", NULL);
	char *path = NULL;
	if (base == NULL || asprintf(&path, "%s/providers", base) < 0) {
		return NULL;
	}
	return path;
}

char *cache_path(const char *cache, const char *below, const char *name, struct fail *fail) {
	char *path = NULL;
	if (asprintf(&path, "%s/%s/%s", cache, below, name) < 0) {
		fail_set(fail, ENOMEM, "no memory for a path in %s", cache);
		return NULL;
	}
	return path;
}

bool cache_make(const char *cache, struct fail *fail) {
	static const char *const names[] = {"git", "files", "built", "tmp", "locks"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path cleanup_free = cache_path(cache, names[i], "", fail);
		if (path == NULL || !file_make_parents(path, fail)) {
			return false;
		}
	}
	return true;
}

void cache_hash(const char *text, char ret[CACHE_HASH_SIZE]) {
	static const struct siphash_key key = {0x636f6e6475697466, 0x7366657463686564};
	snprintf(ret, CACHE_HASH_SIZE, "%016llx",
			(unsigned long long)siphash(key, text, strlen(text)));
}

bool cache_commit_valid(const char *commit) {
	const char *hex = commit + (starts_with(commit, tree_prefix) ? strlen(tree_prefix) : 0);
	return strlen(hex) == 40 && strspn(hex, "0123456789abcdef") == 40;
}

char *cache_key(const char *commit, const char *path) {
	char hash[CACHE_HASH_SIZE], *key = NULL;
	cache_hash(path, hash);
	return asprintf(&key, "%s-%s", commit, hash) < 0 ? NULL : key;
}

char *cache_built_prefix(const char *commit, const char *path) {
	char *key cleanup_free = cache_key(commit, path);
	char *prefix = NULL;
	struct utsname system;
	if (key == NULL || uname(&system) != 0 ||
			asprintf(&prefix, "%s-abi%u-%s-", key, CONDUIT_ABI, system.machine) < 0) {
		return NULL;
	}
	return prefix;
}

/* ---- looking ---- */

/* What a small file in DIRECTORY (of `length` bytes) holds; NULL when it isn't there. */
static char *read_beside(const char *directory, int length, const char *name, size_t most) {
	struct buf text cleanup_buf = {0};
	char *path cleanup_free = NULL;
	if (asprintf(&path, "%.*s/%s", length, directory, name) < 0 ||
			!file_read(path, most, &text, NULL)) {
		return NULL;
	}
	return strdup(buf_string(&text));
}

/* The newest of the built objects whose name begins so; "" without one. A name of the newest
 * compiler isn't needed: an object that was built runs, whatever became of the compiler. */
static bool find_built(const char *cache, const char *prefix, struct fetch_result *ret) {
	char *built cleanup_free = cache_path(cache, "built", "", NULL);
	DIR *directory cleanup_closedir = built != NULL ? opendir(built) : NULL;
	char *newest cleanup_free = NULL;
	struct timespec when = {0};
	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
		struct stat about;
		char *object cleanup_free = NULL;
		if (!starts_with(entry->d_name, prefix) ||
				asprintf(&object, "%s%s/provider.so", built, entry->d_name) < 0 ||
				stat(object, &about) != 0 || !S_ISREG(about.st_mode)) {
			continue;
		}
		if (newest == NULL || about.st_mtim.tv_sec > when.tv_sec ||
				(about.st_mtim.tv_sec == when.tv_sec &&
						about.st_mtim.tv_nsec > when.tv_nsec)) {
			free(newest);
			newest = take(object);
			when = about.st_mtim;
		}
	}
	if (newest == NULL) {
		return false;
	}
	int length = (int)(strlen(newest) - strlen("/provider.so"));
	ret->messages = read_beside(newest, length, "messages", BUILD_MESSAGES_MOST);
	ret->object = take(newest);
	return ret->messages != NULL;
}

static bool find_files(const char *cache, const char *key, struct fetch_result *ret) {
	char *entry cleanup_free = cache_path(cache, "files", key, NULL);
	char *tree cleanup_free = NULL;
	if (entry == NULL || asprintf(&ret->files, "%s/files", entry) < 0) {
		ret->files = NULL;
		return false;
	}
	tree = read_beside(entry, (int)strlen(entry), "tree", FETCH_COMMIT_SIZE - 1);
	if (tree == NULL || !cache_commit_valid(tree)) {
		return false;
	}
	snprintf(ret->tree, sizeof(ret->tree), "%s", tree);
	return true;
}

static bool find(
		const char *cache, const char *path, const char *commit, struct fetch_result *ret) {
	char *key cleanup_free = cache_key(commit, path);
	char *prefix cleanup_free = cache_built_prefix(commit, path);
	char *about cleanup_free = NULL;
	struct manifest manifest cleanup(manifest_finish) = {0};
	if (key == NULL || prefix == NULL || !find_files(cache, key, ret) ||
			asprintf(&about, "%s/" CACHE_MANIFEST, ret->files) < 0 ||
			!manifest_read(&manifest, about, NULL)) {
		return false;
	}
	snprintf(ret->commit, sizeof(ret->commit), "%s", commit);
	if (manifest.sources != NULL) {
		return find_built(cache, prefix, ret);
	}
	ret->object = strdup("");
	ret->messages = strdup("");
	return ret->object != NULL && ret->messages != NULL;
}

bool cache_find(const char *cache, const char *path, const char *commit, struct fetch_result *ret) {
	struct fetch_result found = {0};
	if (!cache_commit_valid(commit) || !find(cache, path, commit, &found)) {
		fetch_result_finish(&found);
		return false;
	}
	found.words = strdup("");
	*ret = found;
	return true;
}

void cache_hold(struct fetch_result *result) {
	char *entry cleanup_free = result->files != NULL ? strdup(result->files) : NULL;
	char *slash = entry != NULL ? strrchr(entry, '/') : NULL;
	if (slash == NULL || result->code != 0) {
		return;
	}
	*slash = '\0';
	int fd cleanup_close = open(entry, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0) {
		/* 0 stands for none. */
		int hold = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		result->hold = hold > 0 ? hold : 0;
	}
}

void fetch_result_finish(struct fetch_result *result) {
	free(result->words);
	free(result->files);
	free(result->object);
	free(result->messages);
	if (result->hold > 0) {
		close(result->hold);
	}
	*result = (struct fetch_result){0};
}
