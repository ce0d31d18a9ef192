/* The user's links and hidden names: see links.h. */
#include "fs/tree/links.h"

#include "core/base/idmap.h"
#include "core/turn/turn.h"

#include <errno.h>
#include <string.h>
#include <uv.h>

struct user_links {
	struct store *store;
	struct user_link *all; /* ascending by id */
	size_t n;
};

static bool append(struct user_links *links, int64_t id, int64_t parent, const char *name,
		const char *target, int64_t made, bool alias) {
	struct user_link *all = realloc(links->all, (links->n + 1) * sizeof(*all));
	if (all == NULL) {
		return false;
	}
	links->all = all;
	struct user_link *link = &all[links->n];
	*link = (struct user_link){id, parent, strdup(name), strdup(target), made, alias};
	if (link->name == NULL || link->target == NULL) {
		free(link->name);
		free(link->target);
		return false;
	}
	links->n++;
	return true;
}

static void visit(void *data, int64_t id, int64_t parent, const char *name, const char *target,
		int64_t made, bool alias) {
	append(data, id, parent, name, target, made * 1000000, alias);
}

struct user_links *user_links_create(struct store *store, struct fail *fail) {
	struct user_links *links = calloc(1, sizeof(*links));
	if (links == NULL) {
		fail_set(fail, ENOMEM, "no memory for links");
		return NULL;
	}
	links->store = store;
	if (!store_links_each(store, visit, links, fail)) {
		user_links_destroy(links);
		return NULL;
	}
	return links;
}

void user_links_destroy(struct user_links *links) {
	if (links == NULL) {
		return;
	}
	for (size_t i = 0; i < links->n; i++) {
		free(links->all[i].name);
		free(links->all[i].target);
	}
	free(links->all);
	free(links);
}

const struct user_link *user_link_get(const struct user_links *links, int64_t id) {
	for (size_t i = 0; i < links->n; i++) {
		if (links->all[i].id == id) {
			return &links->all[i];
		}
	}
	return NULL;
}

const struct user_link *user_link_find(
		const struct user_links *links, int64_t parent, const char *name) {
	for (size_t i = 0; i < links->n; i++) {
		if (links->all[i].parent == parent && strcmp(links->all[i].name, name) == 0) {
			return &links->all[i];
		}
	}
	return NULL;
}

const struct user_link *user_link_next(
		const struct user_links *links, int64_t parent, int64_t after) {
	for (size_t i = 0; i < links->n; i++) {
		if (links->all[i].parent == parent && links->all[i].id > after) {
			return &links->all[i];
		}
	}
	return NULL;
}

size_t user_link_count(const struct user_links *links, int64_t parent) {
	size_t n = 0;
	for (size_t i = 0; i < links->n; i++) {
		n += links->all[i].parent == parent;
	}
	return n;
}

static void forget(struct user_links *links, size_t i) {
	free(links->all[i].name);
	free(links->all[i].target);
	memmove(&links->all[i], &links->all[i + 1], (links->n - i - 1) * sizeof(*links->all));
	links->n--;
}

static void forget_name(struct user_links *links, int64_t parent, const char *name) {
	const struct user_link *link = user_link_find(links, parent, name);
	if (link != NULL) {
		forget(links, (size_t)(link - links->all));
	}
}

static bool set(struct user_links *links, int64_t parent, const char *name, const char *target,
		bool alias, struct fail *fail) {
	int64_t id = 0;
	if (!store_link_set(links->store, parent, name, target, &id, fail) ||
			(alias && !store_link_is_alias(links->store, id, fail))) {
		return false;
	}
	forget_name(links, parent, name);
	return append(links, id, parent, name, target, now_us(), alias) ||
	       fail_set(fail, ENOMEM, "no memory for a link");
}

bool user_link_set(struct user_links *links, int64_t parent, const char *name, const char *target,
		struct fail *fail) {
	return set(links, parent, name, target, false, fail);
}

bool user_link_set_alias(struct user_links *links, int64_t parent, const char *name,
		const char *target, struct fail *fail) {
	return set(links, parent, name, target, true, fail);
}

bool user_link_remove(
		struct user_links *links, int64_t parent, const char *name, struct fail *fail) {
	if (!store_link_set(links->store, parent, name, NULL, NULL, fail)) {
		return false;
	}
	forget_name(links, parent, name);
	return true;
}

void user_links_forget(struct user_links *links, int64_t parent) {
	for (size_t i = links->n; i-- > 0;) {
		if (links->all[i].parent == parent) {
			forget(links, i);
		}
	}
}

/* ---- hidden names ---- */

struct hidden_names {
	struct idmap until; /* node → int64_t, as ticks() counts */
	size_t sweep_at; /* so many, and those whose time is over are looked for */
};

/* Microseconds that no set clock changes: what is hidden for two seconds would be for days. */
static int64_t ticks(void) {
	return (int64_t)(uv_hrtime() / 1000);
}

struct hidden_names *hidden_names_create(void) {
	return calloc(1, sizeof(struct hidden_names));
}

void hidden_names_destroy(struct hidden_names *hidden) {
	if (hidden == NULL) {
		return;
	}
	for (size_t i = 0; i < hidden->until.n_slots; i++) {
		free(hidden->until.slots[i].value);
	}
	idmap_finish(&hidden->until);
	free(hidden);
}

void hidden_remove(struct hidden_names *hidden, uint64_t node) {
	free(idmap_get(&hidden->until, (int64_t)node));
	idmap_remove(&hidden->until, (int64_t)node);
}

/* Names that nobody asks for again would stay for ever. */
static void sweep(struct hidden_names *hidden) {
	int64_t now = ticks();
	for (size_t i = 0; i < hidden->until.n_slots;) {
		const struct idmap_slot *slot = &hidden->until.slots[i];
		if (slot->id != 0 && *(const int64_t *)slot->value <= now) {
			/* What takes its slot is looked at next. */
			hidden_remove(hidden, (uint64_t)slot->id);
		} else {
			i++;
		}
	}
	hidden->sweep_at = hidden->until.used * 2 + 64;
}

void hidden_add(struct hidden_names *hidden, uint64_t node) {
	hidden_remove(hidden, node);
	if (hidden->until.used >= hidden->sweep_at) {
		sweep(hidden);
	}
	int64_t *until = malloc(sizeof(*until));
	if (until != NULL) {
		*until = ticks() + HIDDEN_US;
		if (!idmap_set(&hidden->until, (int64_t)node, until)) {
			free(until);
		}
	}
}

bool hidden_any(struct hidden_names *hidden, int64_t place) {
	for (size_t i = 0; hidden->until.used > 0 && i < hidden->until.n_slots; i++) {
		int64_t id = hidden->until.slots[i].id;
		if (id != 0 && id >> 8 == place && hidden_has(hidden, (uint64_t)id)) {
			return true;
		}
	}
	return false;
}

bool hidden_has(struct hidden_names *hidden, uint64_t node) {
	const int64_t *until = idmap_get(&hidden->until, (int64_t)node);
	if (until == NULL) {
		return false;
	}
	if (*until <= ticks()) {
		hidden_remove(hidden, node);
		return false;
	}
	return true;
}
