/* Size, times and mode of a node, and for how long the kernel may keep them: see node.h. */
#include "fs/content/conversation.h"
#include "fs/file/attach.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/node.h"
#include "fs/tree/results.h"
#include "fs/tree/tree.h"

#include <errno.h>
#include <string.h>

/* A session's mtime changes with each of its turns; in seconds. */
#define SESSION_KEEP 1.0

static void set_times(struct stat *ret, int64_t us) {
	struct timespec when = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	ret->st_atim = ret->st_mtim = ret->st_ctim = when;
}

/* When a session was last spoken in. */
static int64_t session_time(const struct tree *tree, const struct place *place) {
	struct turn_table *turns = tree->engine->turns;
	int64_t id = turn_last(turns, place->id);
	cleanup_turn struct turn *last = id != 0 ? turn_get(turns, id) : NULL;
	return last == NULL		? place->changed
	       : last->row.finished > 0 ? last->row.finished
					: last->row.submitted;
}

/* A model directory's mtime is its release date, a session's its last turn's; another's is when its
 * listing changed. */
static int64_t place_time(const struct tree *tree, const struct node *node) {
	const struct place *place = node->place;
	if (place == NULL) {
		return tree->engine->started;
	}
	enum kind kind = node->entry->kind;
	if (place->kind == PLACE_SESSION && (kind == KIND_PLACE || conversation_file(kind))) {
		return session_time(tree, place);
	}
	if (place->model && place->created > 0 && kind != KIND_SESSIONS) {
		return place->created * 1000000;
	}
	return place->changed > 0 ? place->changed : tree->engine->started;
}

static void turn_attributes(
		struct turn *turn, const struct node *node, struct stat *ret, double *ret_keep) {
	const struct turn_row *row = &turn->row;
	bool over = row->state >= TURN_DONE;
	int64_t when = over ? row->finished : row->submitted;
	/* A cost that isn't known may be told later. */
	bool settled = row->cost >= 0 || node->entry->kind != KIND_TURN_USAGE;
	*ret_keep = over && settled ? NODE_KEEP : 0;
	switch (node->entry->kind) {
	case KIND_TURN_PROMPT:
		ret->st_size = (off_t)row->prompt_size;
		when = row->submitted;
		break;
	case KIND_TURN_OUTPUT:
		ret->st_size = (off_t)row->output_size;
		break;
	case KIND_TURN_REASONING:
		ret->st_size = (off_t)turn_file_size(turn, TURN_REASONING);
		break;
	case KIND_TURN_REQUEST:
		ret->st_size = (off_t)turn_file_size(turn, TURN_REQUEST);
		break;
	case KIND_TURN_RESPONSE:
		ret->st_size = (off_t)turn_file_size(turn, TURN_RESPONSE);
		break;
	case KIND_TURN_EXCHANGE:
		ret->st_size = (off_t)turn_file_size(turn, TURN_EXCHANGE);
		break;
	default:
		break;
	}
	if (!over && node->entry->kind == KIND_TURN_OUTPUT && turn->last_byte > 0) {
		when = turn->last_byte;
	} else if (!over && node->entry->kind == KIND_TURN) {
		when = now_us();
	}
	set_times(ret, when > 0 ? when : now_us());
}

/* A listing is kept while the mtime stays the same. Turns come with every prompt; what is hidden
 * comes back by itself, so that until then no two answers are the same. */
static void directory_attributes(
		struct tree *tree, const struct node *node, struct stat *ret, double *ret_keep) {
	bool turns = node->entry->kind == KIND_TURNS;
	int64_t listed = turns ? turn_listed(tree->engine->turns, node->id) : 0;
	bool hidden = node->entry->space == SPACE_PLACE && hidden_any(tree->hidden, node->id);
	if (hidden || listed != 0) {
		set_times(ret, hidden ? now_us() : listed);
	}
	bool session = node->entry->kind == KIND_PLACE && node->place->kind == PLACE_SESSION;
	*ret_keep = hidden ? 0 : session ? SESSION_KEEP : NODE_KEEP;
}

static int scratch_attributes(struct tree *tree, const struct node *node, struct stat *ret) {
	const struct scratch *scratch = scratch_get(tree->scratch, node->id);
	if (scratch == NULL) {
		return ESTALE;
	}
	ret->st_mode = (scratch->target != NULL ? S_IFLNK : S_IFREG) | scratch->mode;
	ret->st_size = (off_t)(scratch->target != NULL ? strlen(scratch->target)
						       : scratch->data.size);
	ret->st_nlink = scratch->name != NULL ? 1 : 0;
	set_times(ret, scratch->modified);
	return 0;
}

static int shown_size(struct tree *tree, const struct node *node, int32_t tid, struct stat *ret) {
	cleanup_buf struct buf text = {0};
	if (conversation_file(node->entry->kind)) {
		ret->st_size = (off_t)conversation_size(tree, node);
		return 0;
	}
	if (!node->entry->show(tree, node, tid, &text)) {
		return EIO;
	}
	ret->st_size = (off_t)text.size;
	return 0;
}

int node_attributes(struct tree *tree, const struct node *node, int32_t tid, struct stat *ret,
		double *ret_keep) {
	const struct entry *entry = node->entry;
	*ret = (struct stat){
			.st_ino = node_of(node),
			.st_mode = entry->mode,
			.st_nlink = 1,
			.st_uid = tree->uid,
			.st_gid = tree->gid,
			.st_blksize = 4096,
	};
	set_times(ret, place_time(tree, node));
	bool told = entry->kind == KIND_SETTING && tree->epochs;
	*ret_keep = entry->stable || told ? NODE_KEEP : 0;
	if (S_ISDIR(entry->mode)) {
		directory_attributes(tree, node, ret, ret_keep);
	}
	int failed = 0;
	if (entry->space == SPACE_ATTACHMENT || entry->kind == KIND_ATTACH) {
		failed = attach_attributes(tree, node, ret);
		*ret_keep = entry->stable ? NODE_KEEP : 0;
	} else if (entry->kind == KIND_ARTIFACT) {
		failed = artifact_attributes(tree, node, ret);
	} else if (entry->kind == KIND_SCRATCH) {
		failed = scratch_attributes(tree, node, ret);
	} else if (entry->kind == KIND_USER_LINK) {
		const struct user_link *link = user_link_get(tree->links, node->id);
		ret->st_size = link != NULL ? (off_t)strlen(link->target) : 0;
		set_times(ret, link != NULL ? link->made : 0);
	} else if (entry->space == SPACE_TURN) {
		cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id);
		if (turn == NULL) {
			return ESTALE;
		}
		turn_attributes(turn, node, ret, ret_keep);
		if (entry->show != NULL) {
			failed = shown_size(tree, node, tid, ret);
		}
	} else if (entry->show != NULL) {
		failed = shown_size(tree, node, tid, ret);
	}
	ret->st_blocks = (ret->st_size + 511) / 512;
	return failed;
}
