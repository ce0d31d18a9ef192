/* Kept turns on disk: see kept.h. */
#include "core/engine/replay/kept.h"

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/siphash.h"
#include "core/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a turn says of itself is small. */
#define FACTS_MOST ((size_t)64 << 10)
/* A conversation is followed back so far. */
#define CONTINUES_MOST 1000

/* ---- a turn's files ---- */

static bool path_of(const char *directory, const char *name, char ret[PATH_MAX]) {
	int length = snprintf(ret, PATH_MAX, "%s/%s", directory, name);
	return length > 0 && length < PATH_MAX;
}

/* A small file's text; NULL when it isn't there. */
static char *read_facts(const char *directory, const char *name) {
	char path[PATH_MAX];
	cleanup_buf struct buf text = {.limit = FACTS_MOST};
	if (!path_of(directory, name, path)) {
		return NULL;
	}
	return file_read(path, FACTS_MOST, &text, NULL) ? buf_take(&text) : NULL;
}

/* The value of a `key value` line, copied; NULL for none and for "-". */
static char *fact(const char *facts, const char *key) {
	size_t length = strlen(key);
	for (const char *line = facts; line != NULL && *line != '\0';) {
		const char *end = strchrnul(line, '\n');
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			char *value = trimmed(line + length, (size_t)(end - line) - length);
			if (value != NULL && strcmp(value, "-") == 0) {
				free(take(value));
			}
			return value;
		}
		line = *end != '\0' ? end + 1 : end;
	}
	return NULL;
}

static int64_t number_fact(const char *facts, const char *key) {
	cleanup_free char *value = fact(facts, key);
	int64_t number;
	return value != NULL && parse_int64(value, &number) ? number : -1;
}

/* ---- keys ---- */

static void fold(struct kept_key *key, const void *bytes, size_t size) {
	key->low = siphash((struct siphash_key){key->low, 1}, bytes, size);
	key->high = siphash((struct siphash_key){key->high, 2}, bytes, size);
}

bool kept_key_add(struct kept_key *key, const char *path, uint64_t size) {
	/* One piece always has the same bounds, so that equal prompts give equal keys. */
	char piece[65536];
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint64_t at = 0;
	while (fd >= 0 && at < size) {
		size_t wanted = size - at < sizeof(piece) ? (size_t)(size - at) : sizeof(piece);
		size_t have = 0;
		ssize_t got = 1;
		while (have < wanted && (got = read(fd, piece + have, wanted - have)) > 0) {
			have += (size_t)got;
		}
		if (have < wanted) {
			return false;
		}
		fold(key, piece, have);
		at += have;
	}
	fold(key, &size, sizeof(size));
	return fd >= 0;
}

bool kept_attached_add(struct kept_key *attached, const char *path, uint64_t size) {
	struct kept_key one = {0};
	if (!kept_key_add(&one, path, size)) {
		return false;
	}
	attached->low += one.low;
	attached->high += one.high;
	return true;
}

void kept_key_join(struct kept_key *key, const struct kept_key *attached) {
	if (attached->low != 0 || attached->high != 0) {
		fold(key, attached, sizeof(*attached));
	}
}

/* Nothing may have gone along. */
static bool add_attached(struct kept_key *key, const char *directory) {
	char path[PATH_MAX] = "";
	struct kept_key attached = {0};
	struct stat about;
	struct dirent *entry;
	cleanup_closedir DIR *files = path_of(directory, "attachments", path) ? opendir(path)
									      : NULL;
	size_t length = strlen(path);
	bool good = true;
	while (good && files != NULL && (entry = readdir(files)) != NULL) {
		path[length] = '\0';
		bool fits = strlen(entry->d_name) + 2 <= sizeof(path) - length;
		if (fits) {
			path[length] = '/';
			strcpy(path + length + 1, entry->d_name);
		}
		if (!fits || lstat(path, &about) != 0 || !S_ISREG(about.st_mode)) {
			continue;
		}
		good = kept_attached_add(&attached, path, (uint64_t)about.st_size);
	}
	kept_key_join(key, &attached);
	return good;
}

/* A trailing newline of a prompt isn't sent. */
static bool add_prompt(struct kept_key *key, const char *directory) {
	char path[PATH_MAX], last = 0;
	struct stat about;
	if (!path_of(directory, "prompt", path)) {
		return false;
	}
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		return false;
	}
	uint64_t size = (uint64_t)about.st_size;
	if (size > 0 && pread(fd, &last, 1, (off_t)size - 1) == 1 && last == '\n') {
		size--;
	}
	return kept_key_add(key, path, size);
}

/* Follows `continues` to the first turn, then folds the prompts of those that were answered. */
static bool conversation_key(struct kept_key *key, const char *directory, int depth) {
	cleanup_free char *status = read_facts(directory, "status");
	cleanup_free char *before = status != NULL ? fact(status, "continues") : NULL;
	char path[PATH_MAX];
	const char *slash = strrchr(directory, '/');
	if (before != NULL && strchr(before, '/') == NULL && slash != NULL &&
			depth < CONTINUES_MOST) {
		int length = snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - directory),
				directory, before);
		if (length < 0 || length >= PATH_MAX || !conversation_key(key, path, depth + 1)) {
			return false;
		}
	}
	cleanup_free char *state = status != NULL ? fact(status, "state") : NULL;
	bool answered = state != NULL && strcmp(state, "done") == 0;
	return (depth > 0 && !answered) ||
	       (add_prompt(key, directory) && add_attached(key, directory));
}

/* ---- reading all ---- */

/* What was asked for: the line "turn MODEL CAPABILITY" of `exchange`; else who answered. */
static char *model_of(const char *directory, const char *status) {
	cleanup_free char *exchange = read_facts(directory, "exchange");
	char *turn = exchange != NULL ? fact(exchange, "turn") : NULL;
	char *blank = turn != NULL ? strrchr(turn, ' ') : NULL;
	if (blank != NULL) {
		*blank = '\0';
		return turn;
	}
	free(turn);
	return fact(status, "model");
}

/* Only what ended well, or as the service said, can be told again. */
static bool add_turn(struct kept *kept, const char *directory) {
	cleanup_free char *status = read_facts(directory, "status");
	cleanup_free char *state = status != NULL ? fact(status, "state") : NULL;
	struct kept_turn turn = {0};
	if (state == NULL || (strcmp(state, "done") != 0 && strcmp(state, "failed") != 0) ||
			!conversation_key(&turn.key, directory, 0)) {
		return true;
	}
	turn.model = model_of(directory, status);
	if (turn.model == NULL) {
		return true;
	}
	turn.directory = strdup(directory);
	if (kept->n_turns % 256 == 0) {
		struct kept_turn *turns = reallocarray(
				kept->turns, kept->n_turns + 256, sizeof(*turns));
		if (turns == NULL) {
			free(turn.model);
			free(turn.directory);
			return false;
		}
		kept->turns = turns;
	}
	kept->turns[kept->n_turns++] = turn;
	return turn.directory != NULL;
}

static bool walk(struct kept *kept, const char *path, int depth, struct fail *fail) {
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	if (n < 0) {
		return fail_set(fail, errno, "%s: %s", path, strerror(errno));
	}
	bool good = true;
	for (int i = 0; i < n; i++) {
		char below[PATH_MAX];
		struct stat about;
		bool directory = good && names[i]->d_name[0] != '.' &&
				 path_of(path, names[i]->d_name, below) &&
				 lstat(below, &about) == 0 && S_ISDIR(about.st_mode);
		if (directory && kept->n_turns >= KEPT_TURNS_MOST) {
			good = fail_set(fail, EFBIG, "%s: holds more than %d turns", path,
					KEPT_TURNS_MOST);
		} else if (directory && depth < KEPT_DEPTH_MOST) {
			good = walk(kept, below, depth + 1, fail);
		}
		free(names[i]);
	}
	free(names);
	char prompt[PATH_MAX];
	if (good && path_of(path, "prompt", prompt) && access(prompt, R_OK) == 0 &&
			!add_turn(kept, path)) {
		return fail_set(fail, ENOMEM, "no memory for kept turns");
	}
	return good;
}

struct kept *kept_read(const char *path, struct fail *fail) {
	struct kept *kept = calloc(1, sizeof(*kept));
	if (kept == NULL) {
		fail_set(fail, ENOMEM, "no memory for kept turns");
		return NULL;
	}
	kept->holds = 1;
	bool good = walk(kept, path, 0, fail);
	if (good && kept->n_turns == 0) {
		good = fail_set(fail, ENOENT,
				"%s holds no kept turns: copy some there, as cp -r MODEL/turns %s",
				path, path);
	}
	if (!good) {
		kept_release(kept);
		return NULL;
	}
	return kept;
}

struct kept *kept_hold(struct kept *kept) {
	kept->holds++;
	return kept;
}

void kept_release(struct kept *kept) {
	if (kept == NULL || --kept->holds > 0) {
		return;
	}
	for (size_t i = 0; i < kept->n_turns; i++) {
		free(kept->turns[i].model);
		free(kept->turns[i].directory);
	}
	free(kept->turns);
	free(kept);
}

const struct kept_turn *kept_find(const struct kept *kept, const char *model, struct kept_key key) {
	for (size_t i = kept->n_turns; i-- > 0;) {
		const struct kept_turn *turn = &kept->turns[i];
		if (turn->key.low == key.low && turn->key.high == key.high &&
				strcmp(turn->model, model) == 0) {
			return turn;
		}
	}
	return NULL;
}

/* ---- how it ended ---- */

/* "EBUSY: slow down" → EBUSY and the words. */
static int read_error(const char *directory, char **ret_words) {
	cleanup_free char *error = read_facts(directory, "error");
	const char *colon = error != NULL ? strchr(error, ':') : NULL;
	*ret_words = NULL;
	for (int code = 1; colon != NULL && code < 200; code++) {
		const char *name = errno_name(code);
		if (strlen(name) == (size_t)(colon - error) &&
				strncmp(name, error, strlen(name)) == 0) {
			*ret_words = trimmed(colon + 1, strlen(colon + 1));
			return code;
		}
	}
	return EIO;
}

bool kept_end_read(const struct kept_turn *turn, struct kept_end *ret) {
	cleanup_free char *status = read_facts(turn->directory, "status");
	cleanup_free char *usage = read_facts(turn->directory, "usage");
	cleanup_free char *state = status != NULL ? fact(status, "state") : NULL;
	*ret = (struct kept_end){
			.usage = {
					.prompt_tokens = number_fact(usage, "prompt_tokens"),
					.completion_tokens = number_fact(
							usage, "completion_tokens"),
					.reasoning_tokens = number_fact(usage, "reasoning_tokens"),
					.cached_tokens = number_fact(usage, "cached_tokens"),
					.cost = 0,
			}};
	if (state != NULL && strcmp(state, "failed") == 0) {
		ret->code = read_error(turn->directory, &ret->words);
	}
	ret->words = ret->words != NULL ? ret->words : strdup("");
	ret->finish = status != NULL ? fact(status, "finish") : NULL;
	ret->finish = ret->finish != NULL ? ret->finish : strdup("");
	return state != NULL && ret->words != NULL && ret->finish != NULL;
}

void kept_end_finish(struct kept_end *end) {
	free(end->words);
	free(end->finish);
	*end = (struct kept_end){0};
}
