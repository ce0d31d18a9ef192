/* Asking several models at once: see group.h. */
#include "fs/file/group.h"

#include "core/base/text.h"
#include "core/store/annex.h"
#include "fs/content/show.h"
#include "fs/tree/links.h"
#include "fs/tree/notify.h"
#include "fs/tree/walk.h"

#include <errno.h>
#include <string.h>

struct member {
	const struct user_link *link;
	struct place *place; /* NULL: the link leads to no model */
	int failed; /* why it doesn't */
};

/* The members of a group; returns how many, at most GROUP_MEMBERS_MOST. */
static size_t members_of(
		struct tree *tree, const struct place *group, int32_t tid, struct member *ret) {
	struct walk walk;
	size_t n = 0;
	if (!walk_begin(tree, &walk) || walk_into(tree, &walk, "groups") != 0 ||
			walk_into(tree, &walk, group->name) != 0) {
		return 0;
	}
	const struct user_link *link = user_link_next(tree->links, group->id, 0);
	for (; link != NULL && n < GROUP_MEMBERS_MOST;
			link = user_link_next(tree->links, group->id, link->id)) {
		struct node node;
		int failed = walk_to(tree, &walk, link->target, tid, &node);
		bool model = failed == 0 && node.entry->kind == KIND_PLACE &&
			     place_takes_prompts(node.place);
		ret[n++] = (struct member){
				link, model ? node.place : NULL, failed != 0 ? failed : ENOENT};
	}
	return n;
}

/* ---- asking ---- */

int group_open(struct handle *handle, const struct node *node, pid_t tid) {
	struct member members[GROUP_MEMBERS_MOST];
	struct tree *tree = handle->tree;
	struct engine *engine = tree->engine;
	size_t n = members_of(tree, node->place, tid, members), usable = 0;
	int first = 0;
	for (size_t i = 0; i < n; i++) {
		cleanup_fail struct fail fail = {0};
		if (members[i].place == NULL) {
			first = first != 0 ? first : members[i].failed;
		} else if (engine_may_submit(engine, members[i].place, &fail)) {
			usable++;
		} else {
			engine_refuse(engine, members[i].place, &handle->writer, &fail);
			first = first != 0 ? first : fail.code;
		}
	}
	if (n == 0) {
		const struct fail none = {.code = ENOENT,
				.words = (char *)"the group is empty: ln -s the directories of "
						 "models into it"};
		engine_note(engine, node->place, &handle->writer, &none);
		return ENOENT;
	}
	return usable > 0 ? 0 : first;
}

int group_begin(struct handle *handle, const struct node *node) {
	struct member members[GROUP_MEMBERS_MOST];
	struct engine *engine = handle->tree->engine;
	size_t n = members_of(handle->tree, node->place, handle->last_thread, members);
	cleanup_fail struct fail fail = {0};
	handle->turns = calloc(n != 0 ? n : 1, sizeof(*handle->turns));
	if (handle->turns == NULL) {
		return ENOMEM;
	}
	handle->n_turns = 0;
	for (size_t i = 0; i < n; i++) {
		cleanup_fail struct fail why = {0};
		if (members[i].place == NULL ||
				!engine_may_submit(engine, members[i].place, &why)) {
			continue;
		}
		struct turn *turn = engine_begin(engine, members[i].place, &handle->writer,
				handle->continues, fail.code == 0 ? &fail : NULL);
		if (turn != NULL) {
			handle->turns[handle->n_turns++] = turn;
		}
	}
	if (handle->n_turns == 0) {
		free(take(handle->turns));
		return fail.code != 0 ? fail.code : ENOENT;
	}
	handle->turn = handle->turns[0];
	return 0;
}

static void conclude(struct engine *engine, struct turn *turn, const struct turn *first,
		bool submitted) {
	cleanup_fail struct fail fail = {0};
	if (first->dropped || turn->row.state != TURN_OPEN) {
		engine_drop(engine, turn);
	} else if (!turn_prompt_share((struct turn *)first, turn, &fail)) {
		struct place *place = catalogue_place(engine->catalogue, turn->row.place);
		engine_drop(engine, turn);
		if (place != NULL) {
			engine_refuse(engine, place, &turn->chain, &fail);
		}
	} else if (submitted) {
		engine_submit(engine, turn);
	} else {
		turn->unsent = true;
		turn_changed(turn);
	}
}

void group_release(struct handle *handle, struct turn *first) {
	bool submitted = first->row.state != TURN_OPEN && !first->dropped;
	for (size_t i = 1; i < handle->n_turns; i++) {
		conclude(handle->tree->engine, handle->turns[i], first, submitted);
		turn_release(handle->turns[i]);
	}
	handle->n_turns = 0;
	free(take(handle->turns));
}

/* ---- making and ending ---- */

bool group_make(struct tree *tree, const char *name, struct fail *fail) {
	struct place *root = catalogue_root(tree->engine->catalogue);
	if (annex_count(root, PLACE_GROUP) >= GROUPS_MOST) {
		return fail_set(fail, ENOSPC,
				"mkdir groups/%s: there are %d groups already; "
				"rmdir one first",
				name, GROUPS_MOST);
	}
	return annex_make(tree->engine->catalogue, root, PLACE_GROUP, name, fail) != NULL;
}

bool group_end(struct tree *tree, struct place *group, struct fail *fail) {
	int64_t id = group->id;
	if (!annex_remove(tree->engine->catalogue, group, fail)) {
		return false;
	}
	user_links_forget(tree->links, id);
	return true;
}

/* ---- showing ---- */

/* A line a member: NAME STATE TURN WORDS. */
SHOW(show_group_status) {
	struct member members[GROUP_MEMBERS_MOST];
	struct engine *engine = tree->engine;
	size_t n = members_of(tree, node->place, tid, members);
	for (size_t i = 0; i < n; i++) {
		const char *name = members[i].link->name;
		if (members[i].place == NULL) {
			buf_add_format(out, "%s missing - %s leads to no model: %s\n", name,
					members[i].link->target, strerror(members[i].failed));
			continue;
		}
		int64_t id = engine_newest(engine, members[i].place, tid, false);
		cleanup_turn struct turn *turn = id != 0 ? turn_get(engine->turns, id) : NULL;
		char number[TURN_NAME_SIZE] = "000000";
		if (turn != NULL) {
			turn_name(turn, number);
		}
		cleanup_free char *words = turn != NULL ? strdup(turn->row.words) : NULL;
		for (char *c = words; c != NULL && *c != '\0'; c++) {
			*c = (unsigned char)*c < 0x20 ? ' ' : *c;
		}
		buf_add_format(out, "%s %s %s %s\n", name, turn_state_name(turn), number,
				words != NULL && words[0] != '\0' ? words : "-");
	}
	if (user_link_count(tree->links, node->place->id) > n) {
		buf_add_format(out, "# only the first %d links are asked\n", GROUP_MEMBERS_MOST);
	}
	return !out->failed;
}

/* From output/ to the member's own output, which leads each caller to their own answer. */
SHOW(show_group_answer) {
	(void)tid;
	const struct user_link *link = user_link_get(tree->links, node->id);
	return link != NULL && buf_add_format(out, "%s%s/output",
					       link->target[0] == '/' ? "" : "../", link->target);
}
