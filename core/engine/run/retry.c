/* Another attempt after one that failed: whether it is made, and how long it waits. Private: see
 * run.h. */
#include "core/base/text.h"
#include "core/engine/run/run.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

/* Waits between attempts: 0.5 s doubling to 8 s, three quarters to all of it; a service that asks
 * for more than this much patience is not waited for. */
#define DELAY_FIRST 0.5
#define DELAY_MOST 8.0
#define RETRY_AFTER_MOST 300.0
#define PATIENCE 5

static double jitter(void) {
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
		return 1.0;
	}
	return 0.75 + 0.25 * random / UINT32_MAX;
}

static void on_wait_over(uv_timer_t *timer) {
	struct run *run = timer->data;
	run->turn->waiting_for[0] = '\0';
	run->turn->retry_at = 0;
	attempt_begin(run);
}

bool retry(struct run *run, const struct exchange_result *result) {
	struct turn *turn = run->turn;
	/* A job that goes on elsewhere is paid for, and asking after it isn't: more patience. */
	double most = run_number(run, "retries", 4) * (run->token != NULL ? PATIENCE : 1);
	/* What was submitted may only be picked up. */
	bool lost = run->submitted && run->token == NULL;
	if (!result->retry || lost || results_any(&run->results) || run->failure.code != 0 ||
			run->attempts > (int)most) {
		return false;
	}
	double delay = DELAY_FIRST * exp2(run->attempts - 1);
	delay = (delay < DELAY_MOST ? delay : DELAY_MOST) * jitter();
	if (result->retry_after > RETRY_AFTER_MOST) {
		return false;
	}
	if (result->retry_after > 0) {
		delay = result->retry_after;
	}
	record_write(&run->record);
	turn->row.state = TURN_WAITING;
	turn->retry_at = now_us() + (int64_t)(delay * 1e6);
	snprintf(turn->waiting_for, sizeof(turn->waiting_for), "attempt %d after: %s",
			run->attempts + 1, result->words);
	/* Flat keyed: one line, cut at a whole character. */
	turn->waiting_for[utf8_cut(turn->waiting_for, strlen(turn->waiting_for),
			sizeof(turn->waiting_for) - 5)] = '\0';
	for (char *c = turn->waiting_for; *c != '\0'; c++) {
		*c = (unsigned char)*c < 0x20 ? ' ' : *c;
	}
	turn_changed(turn);
	uv_timer_start(&run->timer, on_wait_over, (uint64_t)(delay * 1000), 0);
	return true;
}
