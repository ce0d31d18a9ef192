/* The user's own links in the root and in groups (`ln -s providers/… mnt/fast`), kept across
 * mounts, and the names of ours that were unlinked a moment ago, which stay hidden so that `rm`,
 * `tar x` and `install` see what they expect. */
#ifndef FS_TREE_LINKS_H
#define FS_TREE_LINKS_H

#include "core/store/store.h"

struct user_link {
	int64_t id;
	int64_t parent; /* id of the place that it stands in */
	char *name, *target;
	int64_t made; /* microseconds since the epoch */
	bool alias; /* made by us: see aliases.c */
};

struct user_links;

struct user_links *user_links_create(struct store *store, struct fail *fail);
void user_links_destroy(struct user_links *links);
const struct user_link *user_link_get(const struct user_links *links, int64_t id);
const struct user_link *user_link_find(
		const struct user_links *links, int64_t parent, const char *name);
/* The one there with the least id above `after`; NULL at the end. */
const struct user_link *user_link_next(
		const struct user_links *links, int64_t parent, int64_t after);
size_t user_link_count(const struct user_links *links, int64_t parent);
/* Makes or replaces a link. */
bool user_link_set(struct user_links *links, int64_t parent, const char *name, const char *target,
		struct fail *fail);
/* The same of an alias: see aliases.c. */
bool user_link_set_alias(struct user_links *links, int64_t parent, const char *name,
		const char *target, struct fail *fail);
bool user_link_remove(
		struct user_links *links, int64_t parent, const char *name, struct fail *fail);
/* A group has ended, and the store has forgotten its links. */
void user_links_forget(struct user_links *links, int64_t parent);

/* How long an unlinked name of ours stays hidden unless it is made again. */
#define HIDDEN_US INT64_C(2000000)

struct hidden_names;

struct hidden_names *hidden_names_create(void);
void hidden_names_destroy(struct hidden_names *hidden);
void hidden_add(struct hidden_names *hidden, uint64_t node);
void hidden_remove(struct hidden_names *hidden, uint64_t node);
/* True while a name of this place's is hidden. */
bool hidden_any(struct hidden_names *hidden, int64_t place);
bool hidden_has(struct hidden_names *hidden, uint64_t node);

#endif
