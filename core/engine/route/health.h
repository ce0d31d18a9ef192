/* How models and providers do: when each last answered, how often it fails, how long it takes to
 * its first byte, and until when nothing should be sent to it. Noted at each attempt of a turn,
 * kept across mounts; written together once a second, so that no turn waits for it.
 *
 * A failure that the prompt brought about says nothing of the service and isn't counted. A back-off
 * is of the model, or where the failure tells more, of all of the provider (a refused connection, a
 * refused key) or of its models that are free, or that aren't (a limit that is used up). It grows
 * with each failure in a row, ends with an answer, and binds nobody who names the model: it is what
 * routing goes by. */
#ifndef CORE_ENGINE_ROUTE_HEALTH_H
#define CORE_ENGINE_ROUTE_HEALTH_H

#include "core/store/catalogue.h"
#include "core/store/health.h"

struct health;

enum health_state {
	HEALTH_UNKNOWN, /* never asked */
	HEALTH_GOOD,
	HEALTH_DEGRADED, /* a quarter or more of what it was asked lately failed */
	HEALTH_DOWN, /* in back-off */
};

/* NULL with words. */
struct health *health_create(uv_loop_t *loop, struct store *store, struct fail *fail);
/* Writes what isn't written; before store_close. NULL is fine. */
void health_destroy(struct health *health);

/* A model answered; `latency`: seconds to the first byte, negative when there was none. */
void health_answered(struct health *health, const struct place *model, double latency);
/* A model failed. `retry_after`: seconds that the service asked for, negative when it didn't. */
void health_failed(struct health *health, const struct place *model, int code, double retry_after,
		const char *words);
/* The provider's service can be reached: a refused connection counts no more. */
void health_reached(struct health *health, const struct place *provider);
/* The provider has another key: nothing that held for all of its models counts any more. */
void health_renewed(struct health *health, const struct place *provider);

/* Until when nothing should be sent to a model or a provider, microseconds since the epoch; 0 when
 * something may. `ret_why`: the row that says why, NULL where nobody wants to know. */
int64_t health_back_off(const struct health *health, const struct place *place,
		const struct health_row **ret_why);
/* What is known of a model or a provider; NULL when it was never asked. The error rate is as of
 * then: see health_error_rate. */
const struct health_row *health_row(const struct health *health, const struct place *place);
/* 0 to 1: what is long ago counts for less. */
double health_error_rate(const struct health_row *row);
enum health_state health_state(const struct health *health, const struct place *place);
/* "unknown", "healthy" … */
const char *health_state_name(enum health_state state);

#endif
