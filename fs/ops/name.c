/* What making, renaming and removing names have in common: see name.h. */
#include "fs/ops/name.h"

#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/notify.h"

#include <errno.h>
#include <string.h>

/* Most bytes of a name. */
#define NAME_MOST 255

int name_directory(struct tree *tree, fuse_ino_t parent, const char *name, struct node *ret) {
	return strlen(name) > NAME_MOST ? ENAMETOOLONG : node_resolve(tree, parent, ret);
}

bool name_own(struct tree *tree, const struct node *directory, const char *name, struct node *ret) {
	return scratch_find(tree->scratch, node_of(directory), name) == NULL &&
	       node_own_child(tree, directory, name, ret);
}

int name_refused(struct tree *tree, struct place *place, pid_t tid, const struct fail *why) {
	struct chain who;
	chain_capture(tid, &who);
	engine_note(tree->engine, place, &who, why);
	return why->code != 0 ? why->code : EIO;
}

bool name_takes_links(const struct node *directory) {
	return directory->entry->kind == KIND_ROOT || directory->entry->kind == KIND_GROUP;
}

int name_make_link(struct tree *tree, const struct node *directory, const char *name,
		const char *target) {
	cleanup_fail struct fail fail = {0};
	bool made = user_link_set(tree->links, directory->place->id, name, target, &fail);
	if (directory->entry->kind == KIND_GROUP) {
		notify_group(tree, directory->place);
	}
	return made ? 0 : fail.code;
}

int name_remove_link(struct tree *tree, const struct node *directory, const char *name) {
	cleanup_fail struct fail fail = {0};
	bool removed = user_link_remove(tree->links, directory->place->id, name, &fail);
	if (directory->entry->kind == KIND_GROUP) {
		notify_group(tree, directory->place);
	}
	return removed ? 0 : fail.code;
}
