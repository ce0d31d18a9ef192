/* Models that a user makes: see made.h. */
#include "fs/tree/made.h"

#include "core/engine/load/look_up.h"
#include "fs/content/show.h"

bool made_holds(const struct node *directory) {
	return directory->entry->kind == KIND_MODELS ||
	       (directory->entry->kind == KIND_PLACE && directory->place->kind == PLACE_COMPONENT);
}

bool made_add(struct tree *tree, const struct node *directory, const char *name, pid_t tid,
		struct fail *fail) {
	struct chain who;
	chain_capture(tid, &who);
	return look_up_add(tree->engine, directory->place, name, &who, fail) != NULL;
}

bool made_remove(struct tree *tree, const struct node *node, struct fail *fail) {
	return look_up_remove(tree->engine, node->place, fail);
}

/* What is known of a model that the user made: in its status. */
bool show_known(struct tree *tree, struct place *place, struct buf *out) {
	static const char *const words[] = {
			[LOOK_UP_NONE] = "yes",
			[LOOK_UP_WAITING] = "asking",
			[LOOK_UP_ASKING] = "asking",
			[LOOK_UP_FAILED] = "unknown",
			[LOOK_UP_MISSING] = "no",
	};
	const char *why;
	if (!place->kept) {
		return true;
	}
	enum look_up_state state = look_up_state(tree->engine, place, &why);
	return buf_add_format(out, "known %s%s%s\n", words[state], why[0] != '\0' ? " " : "", why);
}
