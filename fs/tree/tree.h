/* The tree's own state: what stands between the kernel's requests and the engine. */
#ifndef FS_TREE_TREE_H
#define FS_TREE_TREE_H

#include "core/base/list.h"
#include "core/engine/engine.h"

#include <fuse_lowlevel.h>
#include <uv.h>

struct delay;
struct scratch_files;
struct user_links;
struct hidden_names;

/* Sizes of files that cost more to make than others, for who asks again. */
#define KNOWN_SIZES 256
struct known_size {
	uint64_t number; /* inode */
	uint64_t version; /* of what it shows */
	uint64_t size;
};

struct tree {
	struct engine *engine;
	struct fuse_session *session; /* NULL while nothing is mounted */
	bool epochs; /* the kernel can be told to ask for every name again */
	struct scratch_files *scratch;
	struct user_links *links;
	struct hidden_names *hidden;
	uid_t uid;
	gid_t gid;
	char *mountpoint; /* absolute; "" while nothing is mounted */
	struct list handles; /* open files: struct handle */
	struct list watching; /* those of them whose change is waited for: see watch.c */
	struct delay *look;
	int32_t asker; /* the thread whose request is being dealt with */
	struct known_size sizes[KNOWN_SIZES];
	bool no_opendir; /* the kernel lists directories without opening them */
};

/* False with words without memory, or when the stored links can't be read. `mountpoint`: where it
 * will be. */
bool tree_open(struct tree *tree, struct engine *engine, const char *mountpoint, struct fail *fail);
void tree_close(struct tree *tree);
/* Reads config.yml again, and tells the kernel; as engine_reload. */
bool tree_reload(struct tree *tree, struct fail *fail);

/* aliases.c: brings the links that config.yml names, and `default`, into the root. A link of the
 * user's own stays as it is. */
void tree_take_aliases(struct tree *tree);

#endif
