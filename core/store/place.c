/* Looking at a place of the catalogue: what lies below it, whose it is, what it takes: see
 * catalogue.h. */
#include "core/store/tree.h"

struct place *place_child(const struct place *place, const char *name) {
	const struct place *root = place;
	while (root->parent != NULL) {
		root = root->parent;
	}
	struct place *child = tree_find(
			(struct catalogue *)root, place, tree_kind_below(place), name);
	return child != NULL && !child->gone ? child : NULL;
}

struct place *place_provider(struct place *place) {
	while (place != NULL && (place->kind == PLACE_COMPONENT || place->kind == PLACE_SESSION)) {
		place = place->parent;
	}
	return place != NULL && place->kind == PLACE_PROVIDER ? place : NULL;
}

struct place *place_model(struct place *place) {
	if (place != NULL && place->kind == PLACE_SESSION) {
		place = place->parent;
	}
	return place != NULL && place->model ? place : NULL;
}

struct place *place_route(struct place *place) {
	if (place != NULL && place->kind == PLACE_SESSION) {
		place = place->parent;
	}
	return place != NULL && place->kind == PLACE_ROUTE ? place : NULL;
}

bool place_takes_prompts(const struct place *place) {
	if (place->kind == PLACE_SESSION) {
		place = place->parent;
	}
	return place->model || place->kind == PLACE_ROUTE;
}

bool place_path(const struct place *place, struct buf *out) {
	if (place->parent != NULL && place->parent->kind == PLACE_COMPONENT &&
			(!place_path(place->parent, out) || !buf_add_byte(out, '/'))) {
		return false;
	}
	return buf_add_string(out, place->name);
}
