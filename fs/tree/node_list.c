/* Listing a directory: first the names of the table, then those that data make, each with a
 * position that stays the same while others come and go. */
#include "core/store/annex.h"
#include "fs/file/attach.h"
#include "fs/tree/links.h"
#include "fs/tree/node.h"
#include "fs/tree/results.h"
#include "fs/tree/tree.h"

#include <inttypes.h>
#include <string.h>

/* Positions 1 and 2 are "." and ".."; the table's names follow; then ids. Scratch files aren't
 * listed: they belong to whoever knows their name. */
#define TABLE_FIRST 3
#define LINK_POSITION 4095 /* output.png and the like */
#define DATA_FIRST 4096

struct listing {
	struct tree *tree;
	const struct node *directory;
	int64_t after;
	node_visit *visit;
	void *data;
};

static bool offer(struct listing *listing, const char *name, const struct node *node,
		int64_t position) {
	if (hidden_has(listing->tree->hidden, node_of(node))) {
		return true;
	}
	return listing->visit(listing->data, name, node, position);
}

static bool list_table(struct listing *listing) {
	const struct node *directory = listing->directory;
	const struct entry *entry;
	for (size_t i = 0; (entry = entry_child(directory->entry->kind, i)) != NULL; i++) {
		struct node child;
		int64_t position = TABLE_FIRST + (int64_t)i;
		if (position <= listing->after || !node_has(listing->tree, directory, entry) ||
				node_child(listing->tree, directory, entry->name, &child) != 0) {
			continue;
		}
		if (!offer(listing, entry->name, &child, position)) {
			return false;
		}
	}
	return true;
}

static int64_t data_after(const struct listing *listing) {
	return listing->after >= DATA_FIRST ? listing->after - DATA_FIRST : 0;
}

static bool list_places(struct listing *listing) {
	struct tree *tree = listing->tree;
	enum kind kind = listing->directory->entry->kind;
	const struct place *above = kind == KIND_PROVIDERS ? catalogue_root(tree->engine->catalogue)
							   : listing->directory->place;
	struct place *place = place_next(above, data_after(listing));
	for (; place != NULL; place = place_next(above, place->id)) {
		struct node child;
		if (node_child(tree, listing->directory, place->name, &child) == 0 &&
				child.place == place &&
				!offer(listing, place->name, &child, DATA_FIRST + place->id)) {
			return false;
		}
	}
	return true;
}

static bool list_settings(struct listing *listing) {
	for (int64_t i = data_after(listing); i < (int64_t)n_setting_specs; i++) {
		const char *name = setting_specs[i].name;
		struct node child;
		if (node_child(listing->tree, listing->directory, name, &child) == 0 &&
				child.entry->kind == KIND_SETTING &&
				!offer(listing, name, &child, DATA_FIRST + i + 1)) {
			return false;
		}
	}
	return true;
}

static bool list_turns(struct listing *listing) {
	int64_t ids[64], numbers[64];
	int64_t after = data_after(listing);
	size_t n;
	while ((n = store_turns_after(listing->tree->engine->store, listing->directory->place->id,
				after, ids, numbers, 64)) > 0) {
		for (size_t i = 0; i < n; i++) {
			char name[32];
			struct node child = *listing->directory;
			child.entry = entry_of(KIND_TURN);
			child.id = ids[i];
			snprintf(name, sizeof(name), "%06" PRId64, numbers[i]);
			if (!offer(listing, name, &child, DATA_FIRST + numbers[i])) {
				return false;
			}
		}
		after = numbers[n - 1];
	}
	return true;
}

static bool list_annexes(struct listing *listing, enum place_kind kind) {
	const struct place *above = listing->directory->place;
	const struct place *place = annex_next(above, kind, data_after(listing));
	for (; place != NULL; place = annex_next(above, kind, place->id)) {
		struct node child;
		if (node_child(listing->tree, listing->directory, place->name, &child) == 0 &&
				!offer(listing, place->name, &child, DATA_FIRST + place->id)) {
			return false;
		}
	}
	return true;
}

/* capabilities/, and what is below models/ of a route. */
static bool list_routes(struct listing *listing) {
	struct tree *tree = listing->tree;
	const struct node *directory = listing->directory;
	const struct place *place = route_node_next(tree, directory, data_after(listing));
	for (; place != NULL; place = route_node_next(tree, directory, place->id)) {
		struct node child;
		if (node_child(tree, directory, place->name, &child) == 0 &&
				!offer(listing, place->name, &child, DATA_FIRST + place->id)) {
			return false;
		}
	}
	return true;
}

static bool list_links(struct listing *listing) {
	const struct user_links *links = listing->tree->links;
	int64_t parent = listing->directory->place->id;
	const struct user_link *link = user_link_next(links, parent, data_after(listing));
	for (; link != NULL; link = user_link_next(links, parent, link->id)) {
		struct node child;
		if (node_child(listing->tree, listing->directory, link->name, &child) == 0 &&
				!offer(listing, link->name, &child, DATA_FIRST + link->id)) {
			return false;
		}
	}
	return true;
}

/* attach/, and a turn's attachments/. */
static bool list_attached(struct listing *listing) {
	struct node child;
	char name[256];
	int64_t after = data_after(listing);
	while (attach_next(listing->tree, listing->directory, after, &child, name)) {
		after = child.id;
		if (!offer(listing, name, &child, DATA_FIRST + child.id)) {
			return false;
		}
	}
	return true;
}

/* artifacts/, and output.png and the like of a turn or a model. */
static bool list_results(struct listing *listing) {
	struct node child;
	char name[NAME_MAX + 1];
	bool artifacts = listing->directory->entry->kind == KIND_TURN_ARTIFACTS;
	int64_t after = artifacts ? data_after(listing) : listing->after >= LINK_POSITION;
	while (results_next_child(listing->tree, listing->directory, after, &child, name)) {
		after++;
		if (!offer(listing, name, &child, artifacts ? DATA_FIRST + after : LINK_POSITION)) {
			return false;
		}
	}
	return true;
}

static bool list_data(struct listing *listing) {
	switch (listing->directory->entry->kind) {
	case KIND_ROOT:
	case KIND_GROUP:
	case KIND_GROUP_OUTPUT:
		return list_links(listing);
	case KIND_GROUPS:
		return list_annexes(listing, PLACE_GROUP);
	case KIND_PROVIDERS:
	case KIND_MODELS:
	case KIND_FREE:
	case KIND_FREE_PLACE:
		return list_places(listing);
	case KIND_PLACE:
		return list_results(listing) && list_places(listing);
	case KIND_TURN:
	case KIND_TURN_ARTIFACTS:
		return list_results(listing);
	case KIND_CONFIG:
		return list_settings(listing);
	case KIND_TURNS:
		return list_turns(listing);
	case KIND_SESSIONS:
		return list_annexes(listing, PLACE_SESSION);
	case KIND_ATTACH:
	case KIND_TURN_ATTACHMENTS:
		return list_attached(listing);
	case KIND_CAPABILITIES:
	case KIND_ROUTE_MODELS:
		return list_routes(listing);
	default:
		return true;
	}
}

void node_list(struct tree *tree, const struct node *directory, int64_t after, node_visit *visit,
		void *data) {
	struct listing listing = {tree, directory, after, visit, data};
	if (after >= DATA_FIRST || list_table(&listing)) {
		list_data(&listing);
	}
}
