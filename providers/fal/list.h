/* A discovery under way: the catalogue comes page by page, without schemas. What a page lists is
 * held until its schemas came, so many models at a time as fal documents; a schema that can't be
 * had keeps no model out. */
#ifndef FAL_LIST_H
#define FAL_LIST_H

#include <conduit/kit/gather.h>
#include <conduit/kit/json_items.h>
#include <conduit/provider.h>
#include <time.h>

#define FAL_PAGE 100 /* models that are asked for at once */
#define FAL_DETAILS 50 /* schemas that are asked for at once: fal's own bound */
#define FAL_HELD_BYTES ((size_t)4 << 20)

/* A model of a page. */
struct held {
	char *id;
	char *text; /* its entry */
	size_t size;
	bool asked; /* its schema is asked for, or won't be */
};

struct list {
	unsigned magic;
	struct conduit_job *job;
	struct conduit_json_items *items;
	struct conduit_gathered reply; /* an error */
	/* What the reply says beside its models. */
	char *cursor;
	bool more;
	int pages;
	char *next; /* the cursor of the next page; NULL: there is none */
	struct held held[FAL_PAGE];
	size_t n_held, held_bytes;
	bool detailing; /* schemas are being asked for */
	size_t n_came; /* of those that were asked for */
	size_t batch; /* how many are asked for at once: FAL_DETAILS, or fewer if fal gives fewer */
	int failures;
	struct timespec begun;
};

/* Begins a reply that is a list of models. False without memory. */
bool list_expect(struct list *list, void (*item)(void *data, const char *text, size_t size));
/* Why the reply isn't such a list, in a few words; NULL: it is. */
const char *list_fault(const struct list *list);

/* Holds the entry of a model; without room for it, it is emitted as it is. */
void details_hold(struct list *list, const char *id, const char *text, size_t size);
/* Asks for the schemas of models that are held. False when there is nothing to ask for: what was
 * held is emitted. */
bool details_ask(struct list *list, unsigned delay_ms);
/* The reply has ended. True when another is awaited. */
bool details_end(struct list *list);
void details_drop(struct list *list);

#endif
