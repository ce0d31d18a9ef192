/* How models and providers did lately, as it is kept across mounts. What the numbers mean and how
 * they are made is the engine's: see core/engine/route/health.h. */
#ifndef CORE_STORE_HEALTH_H
#define CORE_STORE_HEALTH_H

#include "core/store/store.h"

#define HEALTH_WORDS_SIZE 200

struct health_row {
	int64_t id; /* what it is of: a place's id, or what else the engine names, never 0 */
	int64_t success, failure; /* the last of each, microseconds since the epoch; 0 never */
	double error_rate; /* 0 to 1, as of the later of the two */
	double latency; /* seconds to the first byte; negative while unknown */
	int64_t back_off; /* microseconds since the epoch: nothing is to be sent until then */
	int streak; /* failures since the last success */
	int code; /* errno of the last failure; 0 none */
	char words[HEALTH_WORDS_SIZE]; /* of the last failure, UTF-8 */
};

/* Writes a row into the open batch: what the daemon's death may cost. */
bool store_health_set(struct store *store, const struct health_row *row, struct fail *fail);
typedef void store_health_visit(void *data, const struct health_row *row);
bool store_health_each(
		struct store *store, store_health_visit *visit, void *data, struct fail *fail);

#endif
