/* The tree's own state: see tree.h. */
#include "fs/tree/tree.h"

#include "core/store/delay.h"
#include "fs/file/handle.h"
#include "fs/file/scratch.h"
#include "fs/tree/links.h"
#include "fs/tree/notify.h"

#include <errno.h>
#include <string.h>

bool tree_open(struct tree *tree, struct engine *engine, const char *mountpoint,
		struct fail *fail) {
	*tree = (struct tree){
			.engine = engine,
			.scratch = scratch_files_create(),
			.hidden = hidden_names_create(),
			.mountpoint = strdup(mountpoint),
			.uid = getuid(),
			.gid = getgid(),
	};
	list_init(&tree->handles);
	tree->links = user_links_create(engine->store, fail);
	if (!watch_begin(tree) || tree->links == NULL || tree->scratch == NULL ||
			tree->hidden == NULL || tree->mountpoint == NULL) {
		tree_close(tree);
		return fail != NULL && fail->code != 0 ? false
						       : fail_set(fail, ENOMEM, "no memory");
	}
	tree_take_aliases(tree);
	return true;
}

bool tree_reload(struct tree *tree, struct fail *fail) {
	bool reloaded = engine_reload(tree->engine, fail);
	tree_take_aliases(tree);
	notify_all(tree);
	return reloaded;
}

void tree_close(struct tree *tree) {
	delay_destroy(tree->look);
	user_links_destroy(tree->links);
	scratch_files_destroy(tree->scratch);
	hidden_names_destroy(tree->hidden);
	free(tree->mountpoint);
	*tree = (struct tree){0};
}
