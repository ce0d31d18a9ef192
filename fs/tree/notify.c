/* Telling the kernel what changed: see notify.h. */
#include "fs/tree/notify.h"

#include "core/config/capability.h"

/* FUSE_NOTIFY_INC_EPOCH: all names the kernel keeps are asked for again, lazily; kernel 6.16 and
 * newer, EINVAL before. */
#define NOTIFY_INC_EPOCH 8

void notify_all(struct tree *tree) {
	struct {
		uint32_t length;
		int32_t code;
		uint64_t unique;
	} message = {sizeof(message), NOTIFY_INC_EPOCH, 0};
	ssize_t written = tree->session != NULL ? write(fuse_session_fd(tree->session), &message,
								  sizeof(message))
						: -1;
	tree->epochs = written == (ssize_t)sizeof(message);
}

void notify_begin(struct tree *tree) {
	notify_all(tree);
}

static void invalidate(struct tree *tree, uint64_t number, off_t offset) {
	if (tree->session != NULL) {
		fuse_lowlevel_notify_inval_inode(tree->session, number, offset, 0);
	}
}

/* Whether models/ of this capability may have a directory for the place. */
static bool is_in_route(const struct place *place, int capability) {
	while (place->kind == PLACE_COMPONENT) {
		place = place->parent;
	}
	return place->kind == PLACE_ROOT ||
	       (place->kind == PLACE_PROVIDER && place->n_able[capability] != 0);
}

void notify_listing(struct tree *tree, const struct place *place) {
	static const enum kind below_provider[] = {KIND_MODELS, KIND_FREE, KIND_PROVIDER};
	static const enum kind below_component[] = {KIND_PLACE, KIND_FREE_PLACE, KIND_SESSIONS};
	bool provider = place->kind == PLACE_PROVIDER;
	const enum kind *kinds = provider ? below_provider : below_component;
	size_t n = 3;
	if (place->kind == PLACE_ROOT) {
		invalidate(tree, FUSE_ROOT_ID, 0);
		invalidate(tree, node_number(KIND_PROVIDERS, 1), 0);
		invalidate(tree, node_number(KIND_GROUPS, 1), 0);
		invalidate(tree, node_number(KIND_CAPABILITIES, 1), 0);
	} else {
		for (size_t i = 0; i < n; i++) {
			invalidate(tree, node_number(kinds[i], place->id), 0);
		}
	}
	for (int i = 0; i < n_capabilities; i++) {
		if (is_in_route(place, i)) {
			invalidate(tree, node_number(KIND_ROUTE_MODELS, route_node_id(place, i)),
					0);
		}
	}
	notify_all(tree);
}

void notify_group(struct tree *tree, struct place *group) {
	group->changed = now_us();
	invalidate(tree, node_number(KIND_GROUP_OUTPUT, group->id), 0);
}

void notify_turns(struct tree *tree, int64_t place) {
	invalidate(tree, node_number(KIND_TURNS, place), 0);
	/* Its output may be of another type: output.png and the like. */
	invalidate(tree, node_number(KIND_PLACE, place), 0);
}

void notify_setting(struct tree *tree, const struct node *node) {
	/* Below zero: its attributes only. */
	invalidate(tree, node_of(node), -1);
	if (!place_takes_prompts(node->place)) {
		notify_all(tree);
	}
}
