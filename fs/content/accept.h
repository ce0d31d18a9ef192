/* What happens with what is written to the small files: settings, ctl, key. See fs/tree/table.h's
 * `accept` for the contract; all of it is text, and nothing here waits. */
#ifndef FS_CONTENT_ACCEPT_H
#define FS_CONTENT_ACCEPT_H

#include "fs/tree/node.h"
#include "fs/tree/tree.h"

#define ACCEPT(name)                                                                               \
	ssize_t name(struct tree *tree, const struct node *node, const struct chain *who,          \
			const char *text, size_t size, enum moment moment, struct fail *fail)

ACCEPT(accept_setting);
ACCEPT(accept_root_ctl);
ACCEPT(accept_provider_ctl);
ACCEPT(accept_model_ctl);
ACCEPT(accept_key);
ACCEPT(accept_budget); /* budget.c */
ACCEPT(accept_route); /* route.c */

/* Whether a name that somebody makes in this directory is that of a setting which isn't there: as a
 * scratch file it would count for nothing, in silence. The failure says so. */
bool setting_is_missing(const struct node *directory, const char *name, struct fail *fail);
/* Restores inheritance of a setting: its file was removed. */
void setting_reset(struct tree *tree, const struct node *node);
/* The same of a limit in budget/. */
void budget_reset(struct tree *tree, const struct node *node);

#endif
