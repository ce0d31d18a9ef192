/* Inode numbers, names and what stands behind them: see node.h. */
#include "fs/node.h"

#include "fs/links.h"
#include "fs/scratch.h"
#include "fs/tree.h"

#include <errno.h>
#include <string.h>

/* For how long the kernel keeps what doesn't change by itself, in seconds. */
#define KEEP 60.0

uint64_t node_number(enum kind kind, int64_t id) {
	return kind == KIND_ROOT ? FUSE_ROOT_ID : (uint64_t)kind | (uint64_t)id << 8;
}

uint64_t node_of(const struct node *node) {
	unsigned kind = node->entry->kind;
	if (kind == KIND_SETTING) {
		kind += (unsigned)node->setting;
	}
	return node_number((enum kind)kind, node->id);
}

static struct node make(const struct entry *entry, int64_t id, struct place *place) {
	struct place *provider = place != NULL ? place_provider(place) : NULL;
	return (struct node){
			.entry = entry,
			.id = id,
			.place = place,
			.provider = provider != NULL ? provider->user : NULL,
	};
}

static bool needs_model(enum kind kind) {
	return (kind >= KIND_INPUT && kind <= KIND_MODEL_INFO_LAST) ||
	       (kind >= KIND_LAST_LINK && kind <= KIND_RPC);
}

static int resolve_place(struct tree *tree, struct node *ret) {
	ret->place = catalogue_place(tree->engine->catalogue, ret->id);
	if (ret->place == NULL) {
		return ESTALE;
	}
	ret->provider = engine_provider(tree->engine, ret->place);
	bool gone = ret->place->kind != PLACE_ROOT && ret->provider == NULL;
	return gone || (needs_model(ret->entry->kind) && !place_takes_prompts(ret->place)) ? ESTALE
											   : 0;
}

static int resolve_turn(struct tree *tree, struct node *ret) {
	cleanup_turn struct turn *turn = turn_get(tree->engine->turns, ret->id);
	if (turn == NULL) {
		return ESTALE;
	}
	ret->place = catalogue_place(tree->engine->catalogue, turn->row.place);
	return 0;
}

int node_resolve(struct tree *tree, uint64_t number, struct node *ret) {
	unsigned kind = number == FUSE_ROOT_ID ? KIND_ROOT : (unsigned)(number & 0xff);
	*ret = (struct node){.entry = entry_of((enum kind)kind), .id = (int64_t)(number >> 8)};
	if (ret->entry == NULL) {
		return ESTALE;
	}
	if (kind >= KIND_SETTING) {
		ret->setting = (int)kind - KIND_SETTING;
		if ((size_t)ret->setting >= n_setting_specs) {
			return ESTALE;
		}
	}
	switch (ret->entry->space) {
	case SPACE_PLACE:
		return resolve_place(tree, ret);
	case SPACE_TURN:
		return resolve_turn(tree, ret);
	case SPACE_LINK:
		return user_link_get(tree->links, ret->id) != NULL ? 0 : ESTALE;
	case SPACE_SCRATCH:
		return scratch_get(tree->scratch, ret->id) != NULL ? 0 : ESTALE;
	case SPACE_NONE:
		break;
	}
	ret->place = catalogue_root(tree->engine->catalogue);
	return 0;
}

bool node_has(struct tree *tree, const struct node *directory, const struct entry *entry) {
	enum kind kind = directory->entry->kind;
	if (kind == KIND_PLACE) {
		return place_takes_prompts(directory->place);
	}
	if (kind == KIND_FREE_PLACE) {
		return false;
	}
	if (entry->kind == KIND_TURN_REASONING || entry->kind == KIND_TURN_EXCHANGE) {
		bool reasoning = entry->kind == KIND_TURN_REASONING;
		cleanup_turn struct turn *turn = turn_get(tree->engine->turns, directory->id);
		return turn != NULL &&
		       turn_file_size(turn, reasoning ? TURN_REASONING : TURN_EXCHANGE) > 0;
	}
	return true;
}

/* The id of a named entry below a directory. */
static int64_t id_below(const struct node *directory, const struct entry *entry) {
	if (entry->space == SPACE_NONE) {
		return 1;
	}
	return directory->entry->space == SPACE_NONE ? PLACE_ROOT_ID : directory->id;
}

static struct node static_node(const struct node *directory, const struct entry *entry) {
	struct node node = *directory;
	node.entry = entry;
	node.id = id_below(directory, entry);
	return node;
}

/* ---- names that data make ---- */

/* What stands for a place in free/: a link to a free model, else a directory. */
static const struct entry *free_entry(const struct place *place) {
	return entry_of(place->model && place->free ? KIND_FREE_LINK : KIND_FREE_PLACE);
}

static bool dynamic_place(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	enum kind kind = directory->entry->kind;
	struct place *above = kind == KIND_PROVIDERS ? catalogue_root(tree->engine->catalogue)
						     : directory->place;
	struct place *place = place_child(above, name);
	bool in_free = kind == KIND_FREE || kind == KIND_FREE_PLACE;
	if (place == NULL || (in_free && place->n_free == 0)) {
		return false;
	}
	const struct entry *entry = kind == KIND_PROVIDERS ? entry_of(KIND_PROVIDER)
				    : in_free		   ? free_entry(place)
							   : entry_of(KIND_PLACE);
	*ret = make(entry, place->id, place);
	return ret->provider != NULL;
}

static bool dynamic_setting(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	int index = setting_find(name);
	if (index < 0 || !engine_has_setting(tree->engine, directory->place, index)) {
		return false;
	}
	*ret = *directory;
	ret->entry = entry_of(KIND_SETTING);
	ret->setting = index;
	return true;
}

static bool dynamic_turn(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	*ret = *directory;
	if (strcmp(name, "000000") == 0) {
		ret->entry = entry_of(KIND_ZERO);
		return true;
	}
	ret->entry = entry_of(KIND_TURN);
	ret->id = turn_find(tree->engine->turns, directory->place->id, name);
	return ret->id != 0;
}

static bool dynamic_link(struct tree *tree, const char *name, struct node *ret) {
	const struct user_link *link = user_link_find(tree->links, name);
	if (link == NULL) {
		return false;
	}
	*ret = make(entry_of(KIND_USER_LINK), link->id, NULL);
	return true;
}

static bool dynamic_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	switch (directory->entry->kind) {
	case KIND_ROOT:
		return dynamic_link(tree, name, ret);
	case KIND_PROVIDERS:
	case KIND_MODELS:
	case KIND_PLACE:
	case KIND_FREE:
	case KIND_FREE_PLACE:
		return dynamic_place(tree, directory, name, ret);
	case KIND_CONFIG:
		return dynamic_setting(tree, directory, name, ret);
	case KIND_TURNS:
		return dynamic_turn(tree, directory, name, ret);
	default:
		return false;
	}
}

bool node_takes_scratch(const struct node *node) {
	return node->entry->kind == KIND_CONFIG ||
	       (node->entry->kind == KIND_PLACE && place_takes_prompts(node->place));
}

bool node_own_child(
		struct tree *tree, const struct node *parent, const char *name, struct node *ret) {
	const struct entry *entry = entry_find(parent->entry->kind, name);
	if (entry != NULL && node_has(tree, parent, entry)) {
		*ret = static_node(parent, entry);
		return true;
	}
	return dynamic_child(tree, parent, name, ret);
}

int node_child(struct tree *tree, const struct node *parent, const char *name, struct node *ret) {
	if (node_own_child(tree, parent, name, ret) && !hidden_has(tree->hidden, node_of(ret))) {
		return 0;
	}
	struct scratch *scratch = node_takes_scratch(parent)
						  ? scratch_find(tree->scratch, node_of(parent),
								    name)
						  : NULL;
	if (scratch == NULL) {
		return ENOENT;
	}
	*ret = make(entry_of(KIND_SCRATCH), scratch->id, parent->place);
	return 0;
}

/* ---- attributes ---- */

static void set_times(struct stat *ret, int64_t us) {
	struct timespec when = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	ret->st_atim = ret->st_mtim = ret->st_ctim = when;
}

/* A model directory's mtime is its release date; another's is when its listing changed. */
static int64_t place_time(const struct tree *tree, const struct node *node) {
	const struct place *place = node->place;
	if (place == NULL) {
		return tree->engine->started;
	}
	if (place->model && place->created > 0) {
		return place->created * 1000000;
	}
	return place->changed > 0 ? place->changed : tree->engine->started;
}

static void turn_attributes(
		struct turn *turn, const struct node *node, struct stat *ret, double *ret_keep) {
	const struct turn_row *row = &turn->row;
	bool over = row->state >= TURN_DONE;
	int64_t when = over ? row->finished : row->submitted;
	*ret_keep = over ? KEEP : 0;
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
	*ret_keep = hidden ? 0 : KEEP;
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
	*ret_keep = entry->stable || told ? KEEP : 0;
	if (S_ISDIR(entry->mode)) {
		directory_attributes(tree, node, ret, ret_keep);
	}
	int failed = 0;
	if (entry->kind == KIND_SCRATCH) {
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

double node_name_keep(struct tree *tree, const struct node *node) {
	if (node->entry->kind == KIND_TURN) {
		/* The number of a turn that is dropped goes to the next one. */
		cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id);
		return turn != NULL && turn->stored ? KEEP : 0;
	}
	return node->entry->kind == KIND_SCRATCH ? 0 : KEEP;
}
