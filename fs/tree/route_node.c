/* capabilities/: a route for each capability that somebody has, and below its models/ a link to
 * every model that can do it, made as it is asked for: see node.h. */
#include "core/config/capability.h"
#include "core/store/annex.h"
#include "fs/content/show.h"
#include "fs/tree/node.h"
#include "fs/tree/tree.h"

#include <errno.h>
#include <string.h>

/* A node below models/ is of a place and a capability. */
#define CAPABILITY_BITS 5

int64_t route_node_id(const struct place *place, int capability) {
	return place->id << CAPABILITY_BITS | capability;
}

static struct node make(const struct node *of, const struct place *place) {
	bool link = place->model && model_can(place, of->capability);
	return (struct node){
			.entry = entry_of(link ? KIND_ROUTE_LINK : KIND_ROUTE_MODELS),
			.id = route_node_id(place, of->capability),
			.place = (struct place *)place,
			.capability = of->capability,
	};
}

static bool provider_in(const struct place *place, int capability) {
	return place->user != NULL && provider_can(place->user, capability);
}

/* Whether a model at or below can do it. */
static bool any_can(const struct place *place, int capability) {
	if (place->model && model_can(place, capability)) {
		return true;
	}
	for (size_t i = 0; i < place->n_children; i++) {
		if (!place->children[i]->gone && any_can(place->children[i], capability)) {
			return true;
		}
	}
	return false;
}

static bool is_listed(const struct place *place, int capability) {
	return place->kind == PLACE_PROVIDER ? provider_in(place, capability)
					     : any_can(place, capability);
}

int route_node_resolve(struct tree *tree, struct node *ret) {
	ret->capability = (int)(ret->id & ((1 << CAPABILITY_BITS) - 1));
	ret->place = catalogue_place(tree->engine->catalogue, ret->id >> CAPABILITY_BITS);
	if (ret->capability >= n_capabilities || ret->place == NULL) {
		return ESTALE;
	}
	const struct place *provider = place_provider(ret->place);
	bool root = ret->place->kind == PLACE_ROOT;
	bool link = ret->place->model && model_can(ret->place, ret->capability);
	return (!root && (provider == NULL || !provider_in(provider, ret->capability))) ||
					       link != (ret->entry->kind == KIND_ROUTE_LINK)
			       ? ESTALE
			       : 0;
}

bool route_node_child(struct tree *tree, const struct node *directory, const char *name,
		struct node *ret) {
	struct place *place;
	if (directory->entry->kind == KIND_CAPABILITIES) {
		place = annex_find(catalogue_root(tree->engine->catalogue), PLACE_ROUTE, name);
		if (place == NULL || !route_listed(tree->engine, place)) {
			return false;
		}
		*ret = (struct node){
				.entry = entry_of(KIND_PLACE), .id = place->id, .place = place};
		return true;
	}
	place = place_child(directory->place, name);
	if (place == NULL || !is_listed(place, directory->capability)) {
		return false;
	}
	*ret = make(directory, place);
	return true;
}

const struct place *route_node_next(
		struct tree *tree, const struct node *directory, int64_t after) {
	const struct place *place;
	if (directory->entry->kind == KIND_CAPABILITIES) {
		return annex_next(catalogue_root(tree->engine->catalogue), PLACE_ROUTE, after);
	}
	do {
		place = place_next(directory->place, after);
		after = place != NULL ? place->id : 0;
	} while (place != NULL && !is_listed(place, directory->capability));
	return place;
}

/* From capabilities/NAME/models/PROVIDER/… to providers/PROVIDER/models/…: as many steps up as the
 * link lies deep. */
SHOW(show_route_link) {
	(void)tree, (void)tid;
	cleanup_buf struct buf path = {0};
	const struct place *provider = place_provider(node->place);
	if (provider == NULL || !place_path(node->place, &path)) {
		return false;
	}
	buf_add_string(out, "../../../../");
	for (const char *c = path.data; *c != '\0'; c++) {
		if (*c == '/') {
			buf_add_string(out, "../");
		}
	}
	return buf_add_format(out, "providers/%s/models/%s", provider->name, path.data);
}
