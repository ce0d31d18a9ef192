/* providers.lock as the engine knows it: read at the mount, changed in memory at once and in the
 * file behind, on the pool, because that waits for other programs that change it and for the disk.
 */
#ifndef CORE_ENGINE_LOAD_PINS_H
#define CORE_ENGINE_LOAD_PINS_H

#include "core/config/providers_lock.h"

#include <uv.h>

struct pins;

struct pins_events {
	/* A change couldn't be written: it lasts until the mount ends. */
	void (*trouble)(void *data, const char *name, const char *words);
	/* Nothing is to be written any more. */
	void (*written)(void *data);
};

/* Reads the file. NULL with words: one line a fault of it. */
struct pins *pins_open(uv_loop_t *loop, const char *path, const struct pins_events *events,
		void *data, struct fail *fail);
/* What wasn't written yet still is: the loop must turn. No further event. NULL is fine. */
void pins_close(struct pins *pins);

/* Pointers are good until the next change. */
const struct lock_entry *pins_find(struct pins *pins, const char *name);
const struct providers_lock *pins_all(const struct pins *pins);
/* Sets the entry of this name, a copy; nothing is written that is there. False without memory. */
bool pins_put(struct pins *pins, const struct lock_entry *entry);
bool pins_drop(struct pins *pins, const char *name);

/* True while changes of our own aren't in the file. */
bool pins_busy(const struct pins *pins);
/* Reads the file again; only while not busy. False with words: then what was known stays. */
bool pins_read(struct pins *pins, struct fail *fail);

#endif
