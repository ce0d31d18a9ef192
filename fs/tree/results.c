/* Artifacts and links that bear their type's extension: see results.h. An artifact's id is its
 * turn's, times RESULTS_MOST, and its number among the turn's results, where 0 is the output. */
#include "fs/tree/results.h"

#include "core/base/text.h"
#include "core/engine/attach/media.h"
#include "core/turn/results.h"
#include "fs/content/show.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* ---- links ---- */

/* "output.png"; false where the output is plain text, or not known yet. */
static bool typed_name(struct turn *turn, char ret[NAME_MAX + 1]) {
	cleanup_results struct turn_results results = {0};
	if (!turn_over(turn) || !turn_results_read(turn, &results) || results.n == 0 ||
			strcmp(results.all[0].type, "text/plain") == 0) {
		return false;
	}
	snprintf(ret, NAME_MAX + 1, "output.%s", media_extension(results.all[0].type));
	return true;
}

/* The turn that a link in this directory would lead to, held; NULL for none. */
static struct turn *turn_of(struct tree *tree, const struct node *directory, int32_t tid) {
	struct engine *engine = tree->engine;
	int64_t id = directory->id;
	if (directory->entry->space != SPACE_TURN) {
		bool takes = directory->place != NULL && place_takes_prompts(directory->place);
		id = takes ? engine_newest(engine, directory->place, tid, false) : 0;
	}
	return id != 0 ? turn_get(engine->turns, id) : NULL;
}

static bool find_link(struct tree *tree, const struct node *directory, int32_t tid,
		char ret[NAME_MAX + 1]) {
	cleanup_turn struct turn *turn = turn_of(tree, directory, tid);
	return turn != NULL && typed_name(turn, ret);
}

static void link_node(const struct node *directory, struct node *ret) {
	bool turn = directory->entry->space == SPACE_TURN;
	*ret = *directory;
	ret->entry = entry_of(turn ? KIND_TURN_TYPED_LINK : KIND_TYPED_LINK);
}

SHOW(show_turn_typed_link) {
	(void)tree, (void)node, (void)tid;
	return buf_add_string(out, "output");
}

SHOW(show_typed_link) {
	char name[NAME_MAX + 1], number[TURN_NAME_SIZE];
	cleanup_turn struct turn *turn = turn_of(tree, node, tid);
	if (turn == NULL || !typed_name(turn, name)) {
		return false;
	}
	turn_name(turn, number);
	return buf_add_format(out, "turns/%s/%s", number, name);
}

bool show_type(struct turn *turn, struct buf *out) {
	cleanup_results struct turn_results results = {0};
	bool known = turn->row.state >= TURN_DONE && turn_results_read(turn, &results);
	bool plain = results.n == 0 && turn->row.output_size != 0;
	return show_line(out, "type",
			!known		 ? ""
			: plain		 ? "text/plain"
			: results.n != 0 ? results.all[0].type
					 : "");
}

/* ---- artifacts ---- */

static int64_t artifact_id(int64_t turn, size_t number) {
	return turn * RESULTS_MOST + (int64_t)number;
}

/* The turn, held, and which of its results it is; NULL when there is none. */
static struct turn *artifact_of(
		struct tree *tree, const struct node *node, struct turn_results *ret) {
	size_t number = (size_t)(node->id % RESULTS_MOST);
	cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id / RESULTS_MOST);
	bool there = turn != NULL && number != 0 && turn_results_read(turn, ret) && number < ret->n;
	return there ? take(turn) : NULL;
}

int results_resolve(struct tree *tree, struct node *ret) {
	cleanup_results struct turn_results results = {0};
	cleanup_turn struct turn *turn = artifact_of(tree, ret, &results);
	if (turn == NULL) {
		return ESTALE;
	}
	ret->place = catalogue_place(tree->engine->catalogue, turn->row.place);
	return 0;
}

/* By name, or what comes after a number when that is NULL. */
static bool find_artifact(struct tree *tree, const struct node *directory, const char *name,
		int64_t after, struct node *ret, char *ret_name) {
	cleanup_results struct turn_results results = {0};
	cleanup_turn struct turn *turn = turn_get(tree->engine->turns, directory->id);
	if (turn == NULL || !turn_over(turn) || !turn_results_read(turn, &results)) {
		return false;
	}
	for (size_t i = after > 0 ? (size_t)after + 1 : 1; i < results.n; i++) {
		if (name == NULL || strcmp(name, results.all[i].name) == 0) {
			*ret = *directory;
			ret->entry = entry_of(KIND_ARTIFACT);
			ret->id = artifact_id(directory->id, i);
			snprintf(ret_name, NAME_MAX + 1, "%s", results.all[i].name);
			return true;
		}
	}
	return false;
}

bool results_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	char own[NAME_MAX + 1];
	if (directory->entry->kind == KIND_TURN_ARTIFACTS) {
		return find_artifact(tree, directory, name, 0, ret, own);
	}
	if (!starts_with(name, "output.") || !find_link(tree, directory, tree->asker, own) ||
			strcmp(name, own) != 0) {
		return false;
	}
	link_node(directory, ret);
	return true;
}

bool results_next_child(struct tree *tree, const struct node *directory, int64_t after,
		struct node *ret, char *ret_name) {
	if (directory->entry->kind == KIND_TURN_ARTIFACTS) {
		return find_artifact(tree, directory, NULL, after, ret, ret_name);
	}
	/* The kernel keeps a listing for everybody: a model's shows the newest of anyone, and each
	 * name is looked up for who asks. */
	if (after > 0 || !find_link(tree, directory, 0, ret_name)) {
		return false;
	}
	link_node(directory, ret);
	return true;
}

bool artifact_path(struct tree *tree, const struct node *node, char *path, size_t size) {
	cleanup_results struct turn_results results = {0};
	cleanup_turn struct turn *turn = artifact_of(tree, node, &results);
	const char *name = turn != NULL ? results.all[node->id % RESULTS_MOST].name : "";
	return turn != NULL && turn_artifact_path(turn, name, path, size);
}

int artifact_attributes(struct tree *tree, const struct node *node, struct stat *ret) {
	char path[PATH_MAX];
	struct stat status;
	if (!artifact_path(tree, node, path, sizeof(path)) || stat(path, &status) != 0) {
		return ESTALE;
	}
	ret->st_size = status.st_size;
	ret->st_atim = ret->st_mtim = ret->st_ctim = status.st_mtim;
	return 0;
}

int artifact_open(struct tree *tree, const struct node *node) {
	char path[PATH_MAX];
	if (!artifact_path(tree, node, path, sizeof(path))) {
		errno = ESTALE;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}
