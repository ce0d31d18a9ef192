/* How an exchange begins: with a provider's process, or with kept turns in its stead. */
#include "core/engine/engine.h"
#include "core/engine/run/exchange_private.h"

#include <math.h>
#include <string.h>

/* A list of models ends here. */
#define DISCOVERY_MOST ((uint64_t)1 << 30)
/* What is done by now is paid: a job whose time was over meanwhile is asked after once more. */
#define LAST_SECONDS 2.0
/* A reply may be so many times as large as the output that limits.media allows: it comes as base64
 * and in events. */
#define REPLY_PER_OUTPUT 4

static struct exchange *exchange_create(struct version *version,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data) {
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL) {
		return NULL;
	}
	uv_loop_t *loop = version->provider->engine->loop;
	exchange->provider = version->provider;
	exchange->version = version_hold(version);
	exchange->timeouts = *timeouts;
	exchange->events = *events;
	exchange->data = data;
	exchange->feed.fd = -1;
	exchange->retry_after = -1;
	exchange->body_most = DISCOVERY_MOST;
	uv_timer_init(loop, &exchange->timer);
	uv_timer_init(loop, &exchange->deadline);
	exchange->handles = 2;
	exchange->timer.data = exchange->deadline.data = exchange;
	if (timeouts->total > 0) {
		uv_timer_start(&exchange->deadline, exchange_on_deadline,
				(uint64_t)ceil(timeouts->total * 1000), 0);
	}
	return exchange;
}

void exchange_has_run(struct exchange *exchange, double seconds) {
	double left = exchange->timeouts.total - seconds;
	if (exchange->timeouts.total > 0 && seconds > 0) {
		left = left > LAST_SECONDS ? left : LAST_SECONDS;
		uv_timer_start(&exchange->deadline, exchange_on_deadline,
				(uint64_t)ceil(left * 1000), 0);
	}
}

static struct exchange *started(struct exchange *exchange) {
	if (exchange->job == NULL && exchange->kept == NULL) {
		exchange_cancel(exchange);
		return NULL;
	}
	return exchange;
}

bool exchange_set_directory(struct exchange *exchange, const char *directory) {
	exchange->directory = strdup(directory);
	return exchange->directory != NULL;
}

struct exchange *exchange_discover(struct version *version,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data) {
	struct exchange *exchange = exchange_create(version, timeouts, events, data);
	if (exchange == NULL) {
		return NULL;
	}
	if (version->kept.path != NULL) {
		exchange->kept = kept_discover(exchange->timer.loop, &version->kept,
				&exchange_job_events, exchange);
	} else {
		exchange->job = job_discover(version->process, &exchange_job_events, exchange);
	}
	return started(exchange);
}

struct exchange *exchange_look_up(struct version *version, const char *id,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data) {
	struct exchange *exchange = exchange_create(version, timeouts, events, data);
	if (exchange == NULL) {
		return NULL;
	}
	exchange->job = job_look_up(version->process, id, &exchange_job_events, exchange);
	return started(exchange);
}

/* A job that is picked up can be picked up again. */
static bool resumes(const struct job_turn *turn) {
	for (size_t i = 0; i < turn->n_settings; i++) {
		if (strcmp(turn->settings[i].name, "resume") == 0) {
			return true;
		}
	}
	return false;
}

struct exchange *exchange_transform(struct version *version, const struct job_turn *turn,
		struct exchange_file *files, size_t n_files,
		const struct transfer_timeouts *timeouts, const struct exchange_events *events,
		void *data) {
	struct exchange *exchange = exchange_create(version, timeouts, events, data);
	if (exchange == NULL) {
		exchange_files_free(files, n_files);
		return NULL;
	}
	exchange->files = files;
	exchange->n_files = n_files;
	exchange->resumable = resumes(turn);
	exchange->body_most = version->provider->engine->config.media_most * REPLY_PER_OUTPUT;
	if (version->kept.path != NULL) {
		exchange->kept = kept_transform(exchange->timer.loop, &version->kept, turn, files,
				n_files, &exchange_job_events, exchange);
	} else {
		exchange->job = job_transform(
				version->process, turn, &exchange_job_events, exchange);
	}
	return started(exchange);
}
