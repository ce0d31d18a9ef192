/* The engine: what all transfers share, and the pieces of work between which the loop serves
 * others. See engine.h. */
#include "core/transfer/engine.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_part_closed(struct transfer_engine *engine) {
	if (--engine->open == 0) {
		free(engine->user_agent);
		free(engine->ca_file);
		free(engine);
	}
}

static void on_handle_closed(uv_handle_t *handle) {
	on_part_closed(handle->data);
}

static void on_curl_closed(void *data) {
	struct transfer_engine *engine = data;
	curl_share_cleanup(engine->share);
	on_part_closed(engine);
}

static void finish_reported(struct transfer_engine *engine) {
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(engine->curl.multi, &left)) != NULL) {
		char *transfer = NULL;
		if (message->msg == CURLMSG_DONE) {
			CURLcode code = message->data.result;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
			transfer_done((struct transfer *)(void *)transfer, code);
		}
	}
}

static void settle(void *data) {
	struct transfer_engine *engine = data;
	finish_reported(engine);
	transfer_admit_waiting(engine);
	if (engine->between != NULL) {
		engine->between(engine->data);
	}
}

void engine_work(struct transfer_engine *engine) {
	struct list mark = {0};
	/* A mark: what is put on the list from here on is for the next turn of the loop. */
	list_append(&engine->work, &mark);
	while (engine->work.next != &mark) {
		struct transfer *transfer = list_entry(engine->work.next, struct transfer, in_work);
		list_remove(&transfer->in_work);
		transfer_step(transfer);
	}
	list_remove(&mark);
	if (list_empty(&engine->work)) {
		uv_idle_stop(&engine->idle);
	}
	curl_loop_kick(&engine->curl);
}

static bool copy_options(
		struct transfer_engine *engine, const struct transfer_engine_options *options) {
	engine->between = options->between;
	engine->data = options->data;
	if (options->user_agent != NULL) {
		engine->user_agent = strdup(options->user_agent);
	}
	if (options->ca_file != NULL) {
		engine->ca_file = strdup(options->ca_file);
	}
	const char *bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
	engine->ca_bundle = bundle != NULL && access(bundle, R_OK) == 0;
	return (options->user_agent == NULL || engine->user_agent != NULL) &&
	       (options->ca_file == NULL || engine->ca_file != NULL);
}

static bool open_curl(struct transfer_engine *engine, uv_loop_t *loop, struct fail *fail) {
	engine->share = curl_share_init();
	if (engine->share == NULL || curl_share_setopt(engine->share, CURLSHOPT_SHARE,
						     CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
		return fail_set(fail, ENOMEM, "libcurl can't start: no memory");
	}
	engine->curl.worked = settle;
	engine->curl.closed = on_curl_closed;
	engine->curl.data = engine;
	return curl_loop_init(&engine->curl, loop, fail);
}

struct transfer_engine *transfer_engine_create(
		uv_loop_t *loop, const struct transfer_engine_options *options, struct fail *fail) {
	struct transfer_engine *engine = calloc(1, sizeof(*engine));
	bool copied = engine != NULL && copy_options(engine, options);
	if (!copied) {
		fail_set(fail, ENOMEM, "no memory for transfers");
	}
	if (!copied || !open_curl(engine, loop, fail)) {
		if (engine != NULL) {
			curl_share_cleanup(engine->share);
			free(engine->user_agent);
			free(engine->ca_file);
		}
		free(engine);
		return NULL;
	}
	list_init(&engine->transfers);
	list_init(&engine->waiting);
	list_init(&engine->work);
	uv_idle_init(loop, &engine->idle);
	uv_timer_init(loop, &engine->clock);
	engine->idle.data = engine;
	engine->clock.data = engine;
	engine->open = 3;
	return engine;
}

void transfer_engine_destroy(struct transfer_engine *engine) {
	if (engine == NULL) {
		return;
	}
	while (!list_empty(&engine->transfers)) {
		transfer_free(list_entry(engine->transfers.next, struct transfer, in_all));
	}
	uv_close((uv_handle_t *)&engine->idle, on_handle_closed);
	uv_close((uv_handle_t *)&engine->clock, on_handle_closed);
	curl_loop_finish(&engine->curl);
}

size_t transfer_engine_running(const struct transfer_engine *engine) {
	return engine->running;
}
