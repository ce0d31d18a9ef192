/* providers.lock, written behind: see pins.h. */
#include "core/engine/load/pins.h"

#include "core/base/list.h"

#include <errno.h>
#include <string.h>

struct change {
	struct list link;
	bool drop;
	struct lock_entry entry; /* for a drop the name alone */
};

struct pins {
	uv_loop_t *loop;
	struct providers_lock lock; /* with all changes, written or not */
	struct list changes; /* oldest first; the first is being written while `busy` */
	struct pins_events events;
	void *data;
	bool closed;
	bool busy;
	uv_work_t work;
	struct fail fail; /* the pool's while busy */
};

static void begin(struct pins *pins);

/* ---- entries ---- */

/* All but the name. */
static bool entry_fill(struct lock_entry *into, const struct lock_entry *from) {
	struct consent allow = {0};
	if (!lock_entry_set(&into->source, from->source) ||
			!lock_entry_set(&into->commit, from->commit) ||
			!lock_entry_set(&into->tree, from->tree) ||
			!lock_entry_set(&into->previous_commit, from->previous_commit) ||
			!lock_entry_set(&into->previous_tree, from->previous_tree) ||
			!consent_copy(&allow, &from->allow)) {
		return false;
	}
	consent_finish(&into->allow);
	into->allow = allow;
	into->has_allow = from->has_allow;
	return true;
}

static bool apply(struct providers_lock *lock, const struct change *change) {
	if (change->drop) {
		providers_lock_remove(lock, change->entry.name);
		return true;
	}
	struct lock_entry *entry = providers_lock_add(lock, change->entry.name);
	return entry != NULL && entry_fill(entry, &change->entry);
}

static void change_free(struct change *change) {
	list_remove(&change->link);
	lock_entry_finish(&change->entry);
	free(change);
}

/* ---- writing ---- */

static struct change *first(struct pins *pins) {
	return list_entry(pins->changes.next, struct change, link);
}

static bool edit(struct providers_lock *lock, void *data, struct fail *fail) {
	return apply(lock, data) || fail_set(fail, ENOMEM, "no memory for providers.lock");
}

static void on_pool(uv_work_t *work) {
	struct pins *pins = work->data;
	providers_lock_edit(pins->lock.path, edit, first(pins), &pins->fail);
}

static void finish(struct pins *pins) {
	providers_lock_finish(&pins->lock);
	free(pins);
}

static void on_written(uv_work_t *work, int status) {
	struct pins *pins = work->data;
	(void)status;
	cleanup_fail struct fail fail = pins->fail;
	pins->fail = (struct fail){0};
	pins->busy = false;
	if (fail.code != 0 && !pins->closed) {
		pins->events.trouble(pins->data, first(pins)->entry.name, fail_words(&fail));
	}
	change_free(first(pins));
	begin(pins);
}

static void begin(struct pins *pins) {
	if (pins->busy) {
		return;
	}
	if (list_empty(&pins->changes)) {
		if (pins->closed) {
			finish(pins);
		} else {
			pins->events.written(pins->data);
		}
		return;
	}
	pins->busy = true;
	pins->work.data = pins;
	/* Fails without a function to run only. */
	uv_queue_work(pins->loop, &pins->work, on_pool, on_written);
}

static bool same_entry(const struct lock_entry *a, const struct lock_entry *b) {
	return strcmp(a->source, b->source) == 0 && strcmp(a->commit, b->commit) == 0 &&
	       strcmp(a->tree, b->tree) == 0 &&
	       strcmp(a->previous_commit, b->previous_commit) == 0 &&
	       strcmp(a->previous_tree, b->previous_tree) == 0 && a->has_allow == b->has_allow &&
	       consent_same(&a->allow, &b->allow);
}

static bool put(struct pins *pins, const struct lock_entry *entry, bool drop) {
	struct change *change = calloc(1, sizeof(*change));
	if (change == NULL) {
		return false;
	}
	change->drop = drop;
	change->entry.name = strdup(entry->name);
	bool whole = change->entry.name != NULL && (drop || entry_fill(&change->entry, entry)) &&
		     apply(&pins->lock, change);
	if (!whole) {
		change_free(change);
		return false;
	}
	list_append(&pins->changes, &change->link);
	begin(pins);
	return true;
}

bool pins_put(struct pins *pins, const struct lock_entry *entry) {
	const struct lock_entry *known = pins_find(pins, entry->name);
	return (known != NULL && same_entry(known, entry)) || put(pins, entry, false);
}

bool pins_drop(struct pins *pins, const char *name) {
	return pins_find(pins, name) == NULL ||
	       put(pins, &(struct lock_entry){.name = (char *)name}, true);
}

/* ---- opening and reading ---- */

struct pins *pins_open(uv_loop_t *loop, const char *path, const struct pins_events *events,
		void *data, struct fail *fail) {
	struct pins *pins = calloc(1, sizeof(*pins));
	if (pins == NULL) {
		fail_set(fail, ENOMEM, "no memory for providers.lock");
		return NULL;
	}
	pins->loop = loop;
	pins->events = *events;
	pins->data = data;
	list_init(&pins->changes);
	if (!providers_lock_read(&pins->lock, path, fail)) {
		free(pins);
		return NULL;
	}
	return pins;
}

void pins_close(struct pins *pins) {
	if (pins == NULL) {
		return;
	}
	pins->closed = true;
	begin(pins);
}

const struct lock_entry *pins_find(struct pins *pins, const char *name) {
	return providers_lock_find(&pins->lock, name);
}

const struct providers_lock *pins_all(const struct pins *pins) {
	return &pins->lock;
}

bool pins_busy(const struct pins *pins) {
	return pins->busy;
}

bool pins_read(struct pins *pins, struct fail *fail) {
	struct providers_lock next = {0};
	if (!providers_lock_read(&next, pins->lock.path, fail)) {
		return false;
	}
	providers_lock_finish(&pins->lock);
	pins->lock = next;
	return true;
}
