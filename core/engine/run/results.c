/* Results as they come: see results.h. */
#include "core/engine/run/results.h"

#include "core/base/file.h"
#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static void close_file(struct results *results) {
	if (results->fd >= 0) {
		close(take_fd(&results->fd));
	}
}

static void forget_said(struct results *results) {
	free(take(results->type));
	free(take(results->name));
}

void results_finish(struct results *results) {
	if (results->turn != NULL) {
		close_file(results);
	}
	forget_said(results);
	turn_results_finish(&results->done);
	results->turn = NULL;
}

void results_begin(struct results *results, struct turn *turn, struct media *media, uint64_t most,
		bool text) {
	results_finish(results);
	*results = (struct results){
			.turn = turn, .media = media, .most = most, .text = text, .fd = -1};
}

static bool no_memory(struct fail *fail) {
	return fail_set(fail, ENOMEM, "no memory for a turn's results");
}

/* ---- what one is ---- */

/* The name that one is written under until it is known what it is. */
static bool raw_path(const struct results *results, char *path, size_t size) {
	char number[32];
	snprintf(number, sizeof(number), ".%zu", results->under_way);
	return turn_artifact_path(results->turn, number, path, size);
}

/* A name that can stand in a directory, isn't hidden and isn't taken. */
static bool is_fit(const struct results *results, const char *name) {
	size_t size = strlen(name);
	return size != 0 && size <= NAME_MAX && name[0] != '.' && strchr(name, '/') == NULL &&
	       !turn_results_has(&results->done, name);
}

static void choose_name(const struct results *results, const char *type, char *ret, size_t size) {
	if (results->name != NULL && is_fit(results, results->name)) {
		snprintf(ret, size, "%s", results->name);
		return;
	}
	/* Another may bear this name because its provider gave it. */
	size_t number = results->under_way;
	do {
		snprintf(ret, size, "%zu.%s", number, media_extension(type));
		number += RESULTS_MOST;
	} while (turn_results_has(&results->done, ret));
}

static bool keep(struct results *results, const char *type, const char *name) {
	if (results->under_way != 0 || results->done.n == 0) {
		return turn_results_add(&results->done, type, name);
	}
	/* The output went on since. */
	char *copy = strdup(type);
	if (copy != NULL) {
		free(results->done.all[0].type);
		results->done.all[0].type = copy;
	}
	return copy != NULL;
}

/* The one under way is whole: what it is, and its name. */
static bool settle(struct results *results, struct fail *fail) {
	char told[MEDIA_TYPE_MOST], type[MEDIA_TYPE_MOST], raw[PATH_MAX], path[PATH_MAX];
	char name[NAME_MAX + 1] = "output";
	bool output = results->under_way == 0;
	bool there = output ? turn_file_path(results->turn, TURN_OUTPUT, raw, sizeof(raw))
			    : raw_path(results, raw, sizeof(raw));
	close_file(results);
	if (!there) {
		return fail_set(fail, ENAMETOOLONG, "the path of a result is too long");
	}
	if (output && (results->turn->row.output_size == 0 || (results->text && !results->said))) {
		strcpy(type, "text/plain");
	} else if (media_type_of(results->media, raw, told, fail)) {
		media_settle(results->type != NULL ? results->type : "", told, type);
	} else {
		return false;
	}
	if (!output) {
		choose_name(results, type, name, sizeof(name));
		if (!turn_artifact_path(results->turn, name, path, sizeof(path)) ||
				rename(raw, path) != 0) {
			return fail_set(fail, errno,
					"a result can't be kept in the state directory: %s",
					strerror(errno));
		}
	}
	forget_said(results);
	return keep(results, type, name) || no_memory(fail);
}

/* ---- as they come ---- */

static bool open_next(struct results *results, struct fail *fail) {
	char path[PATH_MAX];
	results->under_way = ++results->begun;
	if (!turn_artifacts_make(results->turn, fail)) {
		return false;
	}
	results->fd = raw_path(results, path, sizeof(path))
				      ? open(path,
							O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
									O_NOFOLLOW,
							0600)
				      : -1;
	return results->fd >= 0 ||
	       fail_set(fail, errno, "a result can't be kept in the state directory: %s",
			       strerror(errno));
}

/* What comes now is the output. */
static bool is_first(const struct results *results) {
	return results->under_way == 0 && results->turn->row.output_size == 0 && !results->reserved;
}

bool results_next(struct results *results, const char *type, const char *name, struct fail *fail) {
	bool first = is_first(results);
	results->said = results->said || first;
	if (results->begun + 1 >= RESULTS_MOST) {
		return fail_set(fail, EMFILE, "there are more than %d results", RESULTS_MOST);
	}
	if (!first && (!settle(results, fail) || !open_next(results, fail))) {
		return false;
	}
	forget_said(results);
	results->type = type[0] != '\0' ? strdup(type) : NULL;
	results->name = name[0] != '\0' ? strdup(name) : NULL;
	return true;
}

bool results_resume(struct results *results, struct fail *fail) {
	if (results->under_way == 0) {
		results->reserved = true;
		return true;
	}
	if (!settle(results, fail)) {
		return false;
	}
	results->under_way = 0;
	/* What it was said to be still counts. */
	if (results->said && results->turn->row.output_size != 0) {
		results->type = strdup(results->done.all[0].type);
	}
	return true;
}

void results_hint(struct results *results, const char *type) {
	if (results->type == NULL && type[0] != '\0') {
		results->type = strdup(type);
	}
}

static bool too_large(const struct results *results, struct fail *fail) {
	return fail_set(fail, EFBIG,
			"the output is larger than %llu bytes; limits.media in config.yml raises "
			"that",
			(unsigned long long)results->most);
}

bool results_add(struct results *results, const void *bytes, size_t size, struct fail *fail) {
	if (results->bytes > results->most || size > results->most - results->bytes) {
		return too_large(results, fail);
	}
	results->bytes += size;
	if (results->fd < 0) {
		return turn_output_append(results->turn, bytes, size, fail);
	}
	return file_write(results->fd, bytes, size) ||
	       fail_set(fail, errno, "a result can't be kept in the state directory: %s",
			       strerror(errno));
}

bool results_take(struct results *results, const char *path, const char *name, struct fail *fail) {
	char raw[PATH_MAX];
	struct stat about;
	uint64_t size = lstat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
	if (results->bytes > results->most || size > results->most - results->bytes) {
		return too_large(results, fail);
	}
	results->bytes += size;
	if (is_first(results)) {
		results->said = true;
		return turn_output_take(results->turn, path, fail);
	}
	if (!results_next(results, "", name, fail)) {
		return false;
	}
	close_file(results);
	results->fd = raw_path(results, raw, sizeof(raw)) ? turn_file_adopt(path, raw, fail) : -1;
	return results->fd >= 0;
}

/* Nothing came for the output, which was kept free: the first of the others is it. */
static bool promote(struct results *results, struct fail *fail) {
	struct turn_results *done = &results->done;
	char path[PATH_MAX];
	if (!results->reserved || results->turn->row.output_size != 0 || done->n < 2) {
		return true;
	}
	if (!turn_artifact_path(results->turn, done->all[1].name, path, sizeof(path)) ||
			!turn_output_take(results->turn, path, fail)) {
		return false;
	}
	results->promoted = true;
	free(done->all[0].type);
	free(done->all[1].name);
	done->all[0].type = done->all[1].type;
	done->n--;
	memmove(&done->all[1], &done->all[2], (done->n - 1) * sizeof(done->all[0]));
	return true;
}

bool results_end(struct results *results, struct fail *fail) {
	if (results->over || results->turn == NULL) {
		return true;
	}
	results->over = true;
	if (!settle(results, fail) || !promote(results, fail)) {
		return false;
	}
	bool plain = results->done.n == 1 && results_plain(results);
	return plain || turn_results_write(results->turn, &results->done, fail);
}

bool results_any(const struct results *results) {
	return results->turn != NULL &&
	       (results->begun != 0 || results->turn->row.output_size != 0);
}

bool results_plain(const struct results *results) {
	return results->done.n == 0 || strcmp(results->done.all[0].type, "text/plain") == 0;
}
