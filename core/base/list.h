/* A doubly linked list whose links lie inside its members. A list head links to itself when empty;
 * a link that is zeroed belongs to no list. */
#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *previous;
};

static inline void list_init(struct list *head) {
	head->next = head->previous = head;
}

static inline bool list_empty(const struct list *head) {
	return head->next == head;
}

static inline bool list_linked(const struct list *link) {
	return link->next != NULL;
}

static inline void list_append(struct list *head, struct list *link) {
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

/* Fine for a link that belongs to no list. */
static inline void list_remove(struct list *link) {
	if (link->next != NULL) {
		link->next->previous = link->previous;
		link->previous->next = link->next;
	}
	link->next = link->previous = NULL;
}

#define list_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* The loop's body may remove `entry`, nothing else. */
#define list_for_each(entry, head, member)                                                         \
	for (__typeof__(entry) entry##_next_ = (entry = list_entry((head)->next,                   \
								__typeof__(*entry), member),       \
					       list_entry(entry->member.next, __typeof__(*entry),  \
							       member));                           \
			&entry->member != (head); entry = entry##_next_,                           \
			       entry##_next_ = list_entry(entry##_next_->member.next,              \
					       __typeof__(*entry), member))

#endif
