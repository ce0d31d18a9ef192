/* How models and providers do, in words. */
#include "fs/content/show.h"

#include <math.h>

static bool show_rate(struct buf *out, const struct health_row *row) {
	return row == NULL ? show_line(out, "error_rate", "unknown")
			   : buf_add_format(out, "error_rate %.2f\n", health_error_rate(row));
}

bool show_health_lines(struct tree *tree, const struct place *place, struct buf *out) {
	const struct health *health = tree->engine->health;
	const struct health_row *row = health_row(health, place), *why = row;
	double latency = row != NULL && row->latency >= 0 ? row->latency * 1000 : -1;
	int64_t until = health_back_off(health, place, &why);
	show_time(out, "last_success", row != NULL ? row->success : 0);
	show_time(out, "last_failure", row != NULL ? row->failure : 0);
	show_rate(out, row);
	show_count(out, "latency_ms", (int64_t)llround(latency));
	show_time(out, "back_off_until", until);
	/* Why it is let be; else what it failed with last. */
	return why == NULL || why->code == 0 ? show_line(out, "last_failed_with", "")
					     : buf_add_format(out, "last_failed_with %s %s\n",
							       errno_name(why->code), why->words);
}

SHOW(show_model_health) {
	(void)tid;
	show_line(out, "health",
			health_state_name(health_state(tree->engine->health, node->place)));
	return show_health_lines(tree, node->place, out);
}

const char *provider_health(struct provider *provider) {
	enum health_state asked = health_state(provider->engine->health, provider->place);
	if (provider->version == NULL || provider->state == PROVIDER_FAILED ||
			!provider_has_key(provider)) {
		return health_state_name(HEALTH_DOWN);
	}
	if (asked == HEALTH_GOOD || asked == HEALTH_UNKNOWN) {
		return health_state_name(provider->why[0] != '\0' ? HEALTH_DEGRADED : HEALTH_GOOD);
	}
	return health_state_name(asked);
}
