/* groups/NAME/: links of the user's to models, one input that asks all of them, output/ with what
 * each answered, status of all. A prompt written there is a turn of its own at each member, by the
 * same writer: whose answer is whose follows from that. */
#ifndef FS_FILE_GROUP_H
#define FS_FILE_GROUP_H

#include "fs/file/handle.h"

/* More links in one group aren't asked, and `status` says so. */
#define GROUP_MEMBERS_MOST 32
#define GROUPS_MOST 1000

/* Opening input: the members that can't be asked now keep the refusal as the caller's turn there.
 * 0 when one can be asked, else the first one's errno. */
int group_open(struct handle *handle, const struct node *node, pid_t tid);
/* Turns begin at each member that was not refused: the first is the handle's turn, which the bytes
 * go to. 0 or an errno. */
int group_begin(struct handle *handle, const struct node *node);
/* The others share the prompt of the first, which was submitted, kept unsent or dropped just so. */
void group_release(struct handle *handle, struct turn *first);

/* mkdir, rmdir and mv of a group; false with words. */
bool group_make(struct tree *tree, const char *name, struct fail *fail);
bool group_end(struct tree *tree, struct place *group, struct fail *fail);

#endif
