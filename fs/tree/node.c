/* Inode numbers, names and what stands behind them: see node.h. */
#include "fs/tree/node.h"

#include "core/store/annex.h"
#include "fs/file/attach.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/results.h"
#include "fs/tree/tree.h"

#include <errno.h>
#include <string.h>

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
	       (kind >= KIND_LAST_LINK && kind <= KIND_SESSIONS) || kind == KIND_MESSAGES ||
	       kind == KIND_TRANSCRIPT || kind == KIND_ATTACH;
}

/* What only a group has. */
static bool is_group(enum kind kind) {
	return kind == KIND_GROUP || kind == KIND_GROUP_INPUT || kind == KIND_GROUP_OUTPUT ||
	       kind == KIND_GROUP_STATUS;
}

static int resolve_place(struct tree *tree, struct node *ret) {
	ret->place = catalogue_place(tree->engine->catalogue, ret->id);
	if (ret->place == NULL) {
		return ESTALE;
	}
	ret->provider = engine_provider(tree->engine, ret->place);
	enum kind kind = ret->entry->kind;
	bool group = ret->place->kind == PLACE_GROUP;
	if (group != is_group(kind)) {
		return ESTALE;
	}
	bool gone = ret->provider == NULL && ret->place->kind != PLACE_ROOT && !group &&
		    place_route(ret->place) == NULL;
	/* A number that never was one: of a kind that this place has not. */
	gone = gone ||
	       (ret->provider == NULL && !group && kind >= KIND_PROVIDER &&
			       kind <= KIND_FREE_LINK && kind != KIND_PLACE) ||
	       (kind == KIND_ROUTE_FILE && ret->place->kind != PLACE_ROUTE);
	bool model = needs_model(ret->entry->kind) || ret->place->kind == PLACE_SESSION;
	return gone || (model && !place_takes_prompts(ret->place)) ? ESTALE : 0;
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
	case SPACE_ROUTE:
		return route_node_resolve(tree, ret);
	case SPACE_TURN:
		return resolve_turn(tree, ret);
	case SPACE_LINK:
		return user_link_get(tree->links, ret->id) != NULL ? 0 : ESTALE;
	case SPACE_ATTACHMENT:
		return attach_resolve(tree, ret);
	case SPACE_ARTIFACT:
		return results_resolve(tree, ret);
	case SPACE_SCRATCH:
		return scratch_get(tree->scratch, ret->id) != NULL ? 0 : ESTALE;
	case SPACE_NONE:
		break;
	}
	ret->place = catalogue_root(tree->engine->catalogue);
	return 0;
}

/* Which of a model's files a directory has: the facts are the model's alone; a session has no
 * sessions, and it alone a budget and the conversation as a whole; only a route chooses. */
static bool place_has(const struct place *place, enum kind kind) {
	switch (kind) {
	case KIND_MODEL_INFO:
		return place->model;
	case KIND_SESSIONS:
		return place->kind != PLACE_SESSION && place_takes_prompts(place);
	case KIND_BUDGET:
	case KIND_MESSAGES:
	case KIND_TRANSCRIPT:
		return place->kind == PLACE_SESSION;
	case KIND_ROUTE_FILE:
	case KIND_ROUTE_MODELS:
		return place->kind == PLACE_ROUTE;
	default:
		return place_takes_prompts(place);
	}
}

bool node_has(struct tree *tree, const struct node *directory, const struct entry *entry) {
	enum kind kind = directory->entry->kind;
	if (kind == KIND_PLACE) {
		return place_has(directory->place, entry->kind);
	}
	if (kind == KIND_FREE_PLACE) {
		return false;
	}
	if (entry->kind == KIND_TURN_ATTACHMENTS) {
		return attach_any(tree, directory->id);
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
	if (entry->space == SPACE_ROUTE) {
		return route_node_id(directory->place->parent, route_capability(directory->place));
	}
	return directory->entry->space == SPACE_NONE ? PLACE_ROOT_ID : directory->id;
}

static struct node static_node(const struct node *directory, const struct entry *entry) {
	struct node node = *directory;
	node.entry = entry;
	node.id = id_below(directory, entry);
	if (entry->space == SPACE_ROUTE) {
		node.capability = route_capability(directory->place);
		node.place = directory->place->parent;
	}
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

static bool dynamic_annex(const struct node *directory, const char *name, struct node *ret) {
	bool session = directory->entry->kind == KIND_SESSIONS;
	struct place *place = annex_find(
			directory->place, session ? PLACE_SESSION : PLACE_GROUP, name);
	if (place == NULL) {
		return false;
	}
	*ret = make(entry_of(session ? KIND_PLACE : KIND_GROUP), place->id, place);
	return true;
}

/* A link of the user's; in a group's output/ what its member answered. */
static bool dynamic_link(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	const struct user_link *link = user_link_find(tree->links, directory->place->id, name);
	if (link == NULL) {
		return false;
	}
	bool output = directory->entry->kind == KIND_GROUP_OUTPUT;
	*ret = make(entry_of(output ? KIND_GROUP_ANSWER : KIND_USER_LINK), link->id, NULL);
	return true;
}

static bool dynamic_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	switch (directory->entry->kind) {
	case KIND_ROOT:
	case KIND_GROUP:
	case KIND_GROUP_OUTPUT:
		return dynamic_link(tree, directory, name, ret);
	case KIND_PROVIDERS:
	case KIND_MODELS:
	case KIND_FREE:
	case KIND_FREE_PLACE:
		return dynamic_place(tree, directory, name, ret);
	case KIND_PLACE:
		return dynamic_place(tree, directory, name, ret) ||
		       results_child(tree, directory, name, ret);
	case KIND_TURN:
	case KIND_TURN_ARTIFACTS:
		return results_child(tree, directory, name, ret);
	case KIND_CONFIG:
		return dynamic_setting(tree, directory, name, ret);
	case KIND_TURNS:
		return dynamic_turn(tree, directory, name, ret);
	case KIND_SESSIONS:
	case KIND_GROUPS:
		return dynamic_annex(directory, name, ret);
	case KIND_ATTACH:
	case KIND_TURN_ATTACHMENTS:
		return attach_child(tree, directory, name, ret);
	case KIND_CAPABILITIES:
	case KIND_ROUTE_MODELS:
		return route_node_child(tree, directory, name, ret);
	default:
		return false;
	}
}

bool node_takes_scratch(const struct node *node) {
	return node->entry->kind == KIND_CONFIG || node->entry->kind == KIND_BUDGET ||
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

double node_name_keep(struct tree *tree, const struct node *node) {
	if (node->entry->kind == KIND_TURN) {
		/* The number of a turn that is dropped goes to the next one. */
		cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id);
		return turn != NULL && turn->stored ? NODE_KEEP : 0;
	}
	bool waits = node->entry->kind == KIND_ATTACHMENT ||
		     node->entry->kind == KIND_ATTACHED_LINK;
	bool own = node->entry->kind == KIND_TYPED_LINK; /* each caller's is another */
	return waits || own || node->entry->kind == KIND_SCRATCH ? 0 : NODE_KEEP;
}
