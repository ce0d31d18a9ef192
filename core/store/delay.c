/* Timers on the heap: see delay.h. */
#include "core/store/delay.h"

#include <stdlib.h>

struct delay {
	uv_timer_t handle;
	void (*due)(void *data);
	void *data;
};

static void handle_due(uv_timer_t *handle) {
	struct delay *delay = handle->data;
	delay->due(delay->data);
}

static void handle_closed(uv_handle_t *handle) {
	free(handle->data);
}

struct delay *delay_create(uv_loop_t *loop, void (*due)(void *data), void *data, bool keeps_loop) {
	struct delay *delay = calloc(1, sizeof(*delay));
	if (delay == NULL) {
		return NULL;
	}
	delay->due = due;
	delay->data = data;
	uv_timer_init(loop, &delay->handle);
	delay->handle.data = delay;
	if (!keeps_loop) {
		uv_unref((uv_handle_t *)&delay->handle);
	}
	return delay;
}

void delay_destroy(struct delay *delay) {
	if (delay != NULL) {
		uv_close((uv_handle_t *)&delay->handle, handle_closed);
	}
}

void delay_arm(struct delay *delay, uint64_t milliseconds) {
	if (!uv_is_active((uv_handle_t *)&delay->handle)) {
		uv_timer_start(&delay->handle, handle_due, milliseconds, 0);
	}
}

void delay_stop(struct delay *delay) {
	uv_timer_stop(&delay->handle);
}
