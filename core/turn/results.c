/* A turn's results: see results.h. */
#include "core/turn/results.h"

#include "core/base/file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Of the file: a line for each, a type and a name. */
#define FILE_MOST ((size_t)RESULTS_MOST * (NAME_MAX + 256))

void turn_results_finish(struct turn_results *results) {
	for (size_t i = 0; i < results->n; i++) {
		free(results->all[i].type);
		free(results->all[i].name);
	}
	free(results->all);
	*results = (struct turn_results){0};
}

bool turn_results_add(struct turn_results *results, const char *type, const char *name) {
	struct turn_result *all = reallocarray(results->all, results->n + 1, sizeof(*results->all));
	if (all == NULL) {
		return false;
	}
	results->all = all;
	struct turn_result *added = &all[results->n];
	*added = (struct turn_result){.type = strdup(type), .name = strdup(name)};
	if (added->type == NULL || added->name == NULL) {
		free(added->type);
		free(added->name);
		return false;
	}
	results->n++;
	return true;
}

bool turn_results_has(const struct turn_results *results, const char *name) {
	for (size_t i = 0; i < results->n; i++) {
		if (strcmp(results->all[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

bool turn_results_read(struct turn *turn, struct turn_results *ret) {
	char path[PATH_MAX];
	cleanup_buf struct buf file = {0};
	if (!turn_file_path(turn, TURN_RESULTS, path, sizeof(path)) || access(path, F_OK) != 0 ||
			!file_read(path, FILE_MOST, &file, NULL)) {
		return true;
	}
	cleanup_free char *text = strdup(buf_string(&file));
	char *rest = text;
	char *line;
	while ((line = strsep(&rest, "\n")) != NULL && ret->n < RESULTS_MOST) {
		char *name = strchr(line, ' ');
		if (name == NULL) {
			continue;
		}
		*name++ = '\0';
		if (!turn_results_add(ret, line, name)) {
			return false;
		}
	}
	return text != NULL;
}

bool turn_results_write(struct turn *turn, const struct turn_results *results, struct fail *fail) {
	cleanup_buf struct buf text = {0};
	for (size_t i = 0; i < results->n; i++) {
		buf_add_format(&text, "%s %s\n", results->all[i].type, results->all[i].name);
	}
	turn_file_empty(turn, TURN_RESULTS);
	return (!text.failed && turn_file_append(turn, TURN_RESULTS, text.data, text.size)) ||
	       fail_set(fail, text.failed ? ENOMEM : errno,
			       "the results can't be kept in the state directory: %s",
			       strerror(text.failed ? ENOMEM : errno));
}

bool turn_artifact_path(const struct turn *turn, const char *name, char *ret, size_t size) {
	char directory[PATH_MAX];
	if (!turn_directory(turn, directory, sizeof(directory))) {
		return false;
	}
	int length = snprintf(
			ret, size, "%s/artifacts%s%s", directory, name[0] != '\0' ? "/" : "", name);
	return length > 0 && (size_t)length < size;
}

bool turn_artifacts_make(const struct turn *turn, struct fail *fail) {
	char path[PATH_MAX];
	bool made = turn_artifact_path(turn, "", path, sizeof(path)) &&
		    (mkdir(path, 0700) == 0 || errno == EEXIST);
	return made || fail_set(fail, errno, "artifacts/ can't be made in the state directory: %s",
				       strerror(errno));
}

bool turn_artifacts_share(struct turn *from, struct turn *to) {
	cleanup_results struct turn_results results = {0};
	if (!turn_results_read(from, &results)) {
		return false;
	}
	if (results.n > 1 && !turn_artifacts_make(to, NULL)) {
		return false;
	}
	for (size_t i = 1; i < results.n; i++) {
		char old[PATH_MAX], new[PATH_MAX];
		const char *name = results.all[i].name;
		if (!turn_artifact_path(from, name, old, sizeof(old)) ||
				!turn_artifact_path(to, name, new, sizeof(new)) ||
				(link(old, new) != 0 && errno != EEXIST)) {
			return false;
		}
	}
	return results.n == 0 || turn_results_write(to, &results, NULL);
}
