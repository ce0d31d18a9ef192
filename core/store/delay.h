/* A timer of the loop on the heap, so that its owner may go at once while libuv still needs the
 * handle's memory until the loop has run again. */
#ifndef CORE_STORE_DELAY_H
#define CORE_STORE_DELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct delay;

/* "When the loop comes round": not 0, which libuv runs again in the same round when the timer is
 * armed from its own callback, so that sliced work would never let anything else through. */
#define DELAY_NEXT_ROUND 1

/* `keeps_loop`: the loop doesn't end while it is armed. NULL without memory. */
struct delay *delay_create(uv_loop_t *loop, void (*due)(void *data), void *data, bool keeps_loop);
/* The memory is freed when the loop runs next. NULL is fine. */
void delay_destroy(struct delay *delay);
/* Arms it for once; an armed one keeps its earlier time. */
void delay_arm(struct delay *delay, uint64_t milliseconds);
void delay_stop(struct delay *delay);

#endif
