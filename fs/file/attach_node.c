/* What stands in attach/ and in a turn's attachments/, and where links there lead: see attach.h. */
#include "fs/file/attach.h"

#include "fs/content/conversation.h"
#include "fs/content/show.h"
#include "fs/tree/results.h"
#include "fs/tree/tree.h"
#include "fs/tree/walk.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* ---- those that wait ---- */

static void make_node(struct tree *tree, const struct attachment *attachment, struct node *ret) {
	*ret = (struct node){
			.entry = entry_of(attachment->target != NULL ? KIND_ATTACHED_LINK
								     : KIND_ATTACHMENT),
			.id = attachment->id,
			.place = catalogue_place(tree->engine->catalogue, attachment->place),
	};
}

/* ---- a turn's ---- */

/* Looks for one by its name, its id, or what follows an id. */
struct search {
	const char *name;
	int64_t after;
	struct attachment_row found;
	char found_name[NAME_MAX + 1];
};

static void keep(struct search *search, const struct attachment_row *row) {
	search->found = *row;
	snprintf(search->found_name, sizeof(search->found_name), "%s", row->name);
}

static void on_row(void *data, const struct attachment_row *row) {
	struct search *search = data;
	bool wanted = search->name != NULL ? strcmp(search->name, row->name) == 0
					   : row->id > search->after;
	if (wanted && row->name[0] != '\0' && search->found.id == 0) {
		keep(search, row);
	}
}

static void on_own_row(void *data, const struct attachment_row *row) {
	keep(data, row);
}

static bool search_turn(struct tree *tree, int64_t turn, struct search *search) {
	return store_attachments_of(tree->engine->store, turn, on_row, search, NULL) &&
	       search->found.id != 0;
}

bool attach_any(struct tree *tree, int64_t turn) {
	struct search search = {0};
	return search_turn(tree, turn, &search);
}

/* ---- */

int attach_resolve(struct tree *tree, struct node *ret) {
	struct search search = {0};
	if (ret->entry->kind == KIND_TURN_ATTACHMENT) {
		return store_attachment_get(tree->engine->store, ret->id, on_own_row, &search)
				       ? 0
				       : ESTALE;
	}
	const struct attachment *attachment = attachment_get(tree->engine->attachments, ret->id);
	if (attachment == NULL ||
			(attachment->target != NULL) != (ret->entry->kind == KIND_ATTACHED_LINK)) {
		return ESTALE;
	}
	make_node(tree, attachment, ret);
	return 0;
}

static void turn_node(const struct node *directory, const struct search *search, struct node *ret) {
	*ret = *directory;
	ret->entry = entry_of(KIND_TURN_ATTACHMENT);
	ret->id = search->found.id;
}

bool attach_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	if (directory->entry->kind == KIND_TURN_ATTACHMENTS) {
		struct search search = {.name = name};
		bool found = search_turn(tree, directory->id, &search);
		turn_node(directory, &search, ret);
		return found;
	}
	const struct attachment *attachment = attachment_find(
			tree->engine->attachments, directory->id, name);
	if (attachment == NULL) {
		return false;
	}
	make_node(tree, attachment, ret);
	return true;
}

bool attach_next(struct tree *tree, const struct node *directory, int64_t after, struct node *ret,
		char *ret_name) {
	if (directory->entry->kind == KIND_TURN_ATTACHMENTS) {
		struct search search = {.after = after};
		bool found = search_turn(tree, directory->id, &search);
		turn_node(directory, &search, ret);
		strcpy(ret_name, search.found_name);
		return found;
	}
	const struct attachment *attachment = attachment_next(
			tree->engine->attachments, directory->id, after);
	if (attachment == NULL) {
		return false;
	}
	make_node(tree, attachment, ret);
	snprintf(ret_name, NAME_MAX + 1, "%s", attachment->name);
	return true;
}

static void set_times(struct stat *ret, int64_t us) {
	struct timespec when = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	ret->st_atim = ret->st_mtim = ret->st_ctim = when;
}

int attach_attributes(struct tree *tree, const struct node *node, struct stat *ret) {
	char path[PATH_MAX];
	struct stat status;
	struct search search = {0};
	struct store *store = tree->engine->store;
	if (node->entry->kind == KIND_ATTACH) {
		set_times(ret, attachments_changed(tree->engine->attachments));
		return 0;
	}
	if (node->entry->kind == KIND_TURN_ATTACHMENT) {
		if (!store_attachment_get(store, node->id, on_own_row, &search) ||
				!store_attached_path(store, search.found.turn, search.found_name,
						path, sizeof(path)) ||
				stat(path, &status) != 0) {
			return ESTALE;
		}
		ret->st_size = status.st_size;
		ret->st_atim = ret->st_mtim = ret->st_ctim = status.st_mtim;
		return 0;
	}
	const struct attachment *attachment = attachment_get(tree->engine->attachments, node->id);
	if (attachment == NULL) {
		return ESTALE;
	}
	ret->st_size = (off_t)(attachment->target != NULL ? strlen(attachment->target)
							  : attachment->size);
	set_times(ret, attachment->modified);
	return 0;
}

/* ---- links ---- */

/* A file of a turn, which never changes once that is over. */
static bool path_of_turns(struct turn *from, enum turn_file file, const struct turn *turn,
		char *path, size_t size, struct fail *fail) {
	if (file != TURN_PROMPT && from->row.id == turn->row.id) {
		return fail_set(fail, EINVAL,
				"it leads to the answer to this very prompt: name the turn that is "
				"meant, as turns/000001/output");
	}
	bool lasts = file == TURN_PROMPT ? from->stored : turn_over(from);
	if (!lasts) {
		return fail_set(fail, EBUSY,
				"that turn isn't over: when it is, echo retry > ctl sends the "
				"prompt");
	}
	int failed = file == TURN_OUTPUT ? turn_error(from) : 0;
	if (failed != 0) {
		return fail_set(fail, failed, "that turn failed: %s", from->row.words);
	}
	return turn_file_path(from, file, path, size) ||
	       fail_set(fail, ENAMETOOLONG, "its path is too long");
}

/* What the tree shows at once, as it is now. */
static bool text_of(struct tree *tree, const struct node *node, int32_t tid, struct buf *text,
		struct fail *fail) {
	const struct entry *entry = node->entry;
	if (S_ISDIR(entry->mode)) {
		return fail_set(fail, EINVAL, "it leads to a directory: link to the files in it");
	}
	if (!S_ISREG(entry->mode) || entry->show == NULL) {
		return fail_set(fail, EINVAL, "that file can't go along by a link: cp it here");
	}
	bool shown = conversation_file(entry->kind) ? conversation_text(tree, node, text, fail)
						    : entry->show(tree, node, tid, text);
	if (text->failed) {
		return fail_set(fail, EFBIG, "what it leads to has more than %zu bytes",
				text->limit);
	}
	return shown || fail->code != 0 ? shown : fail_set(fail, EIO, "it can't be shown");
}

/* Where the bytes are that a link leads to: a path, or "" and the bytes in `text`. */
static bool bytes_of(struct tree *tree, const struct node *node, const struct turn *turn,
		int32_t tid, char *path, size_t size, struct buf *text, struct fail *fail) {
	struct search search = {0};
	struct store *store = tree->engine->store;
	if (node->entry->kind == KIND_TURN_ATTACHMENT &&
			store_attachment_get(store, node->id, on_own_row, &search)) {
		return store_attached_path(
				       store, search.found.turn, search.found_name, path, size) ||
		       fail_set(fail, ENAMETOOLONG, "its path is too long");
	}
	if (node->entry->kind == KIND_ARTIFACT) {
		return artifact_path(tree, node, path, size) ||
		       fail_set(fail, ENOENT, "it isn't there any more");
	}
	/* Its bytes go along with this prompt in any case, and nobody writes them any more then. */
	if (node->entry->kind == KIND_ATTACHMENT && node->place != NULL &&
			node->place->id == turn->row.place) {
		return store_attachment_path(store, node->id, false, path, size) ||
		       fail_set(fail, ENAMETOOLONG, "its path is too long");
	}
	int file = turn_file_of(node->entry->kind);
	cleanup_turn struct turn *from = file >= 0 ? turn_get(tree->engine->turns, node->id) : NULL;
	if (from != NULL) {
		return path_of_turns(from, (enum turn_file)file, turn, path, size, fail);
	}
	path[0] = '\0';
	return text_of(tree, node, tid, text, fail);
}

/* The writer, or who of those that began it still runs. */
static int32_t alive_of(const struct chain *chain) {
	for (size_t i = 0; i < chain->n; i++) {
		struct chain_walk walk;
		struct process_id now;
		chain_walk_begin(&walk, chain->ids[i].pid);
		if (chain_walk_next(&walk, &now) && now.pid == chain->ids[i].pid &&
				now.start == chain->ids[i].start) {
			return now.pid;
		}
	}
	return 0;
}

bool attach_follow(void *data, struct place *place, const struct turn *turn, const char *target,
		char *path, size_t size, struct buf *text, struct fail *fail) {
	struct tree *tree = data;
	struct walk root;
	struct node node;
	cleanup_buf struct buf from = {0};
	int32_t tid = alive_of(&turn->chain);
	if (target[0] != '/') {
		show_place_path(&from, place);
		buf_add_string(&from, "/attach/");
	}
	if (!buf_add_string(&from, target) || !walk_begin(tree, &root)) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	int failed = walk_to(tree, &root, buf_string(&from), tid, &node);
	if (failed == EXDEV) {
		return fail_set(fail, EXDEV, "it leads out of the mount: cp that file here");
	}
	return failed == 0 ? bytes_of(tree, &node, turn, tid, path, size, text, fail)
			   : fail_set(fail, failed, "%s", strerror(failed));
}
