/* Retention: see retention.h. A pass goes through the turns from the oldest on, for age and bytes,
 * then through the places that have too many. It begins with the end of a conversation, whose
 * earlier turns then go after it. */
#include "core/engine/session/retention.h"

#include "core/base/log.h"
#include "core/engine/engine.h"
#include "core/store/delay.h"
#include "core/store/kept.h"

/* What is looked at, and how many turns go, between two rounds of the loop. */
#define SLICE_TURNS 64
#define SLICE_PLACES 16
#define SLICE_GONE 200
/* After a turn's end, and when nothing happens. */
#define SOON_MS 1000
#define LATER_MS 600000
/* What ended so recently isn't taken for the sake of bytes when it is a place's newest: it may not
 * have been read yet. */
#define FRESH_US INT64_C(3600000000)

enum phase { PHASE_OLDEST, PHASE_PLACES };

struct retention {
	struct engine *engine;
	struct delay *delay;
	enum phase phase;
	bool resting; /* no pass is under way */
	int64_t finished, id; /* where PHASE_OLDEST is */
	int64_t place, number, beyond; /* where PHASE_PLACES is */
	size_t gone; /* in this slice */
	int64_t told; /* the place that was last said to have changed in this slice; 0 none */
};

static const struct config_retention *wanted(const struct retention *retention) {
	return &retention->engine->config.retention;
}

/* ---- which ---- */

static bool anything_wanted(const struct retention *retention) {
	const struct config_retention *config = wanted(retention);
	return config->age > 0 || config->count > 0 || config->bytes > 0;
}

static bool too_old(const struct retention *retention, const struct kept_turn *turn) {
	double age = wanted(retention)->age;
	return age > 0 && (double)(now_us() - turn->finished) > age * 1e6;
}

static bool too_many_bytes(const struct retention *retention) {
	uint64_t most = wanted(retention)->bytes;
	return most > 0 && (uint64_t)kept_bytes(retention->engine->store) > most;
}

static bool beyond_count(const struct retention *retention, const struct kept_turn *turn) {
	int64_t count = wanted(retention)->count;
	return count > 0 &&
	       turn->number <= kept_beyond(retention->engine->store, turn->place, count);
}

static bool is_fresh(const struct retention *retention, const struct kept_turn *turn) {
	return turn_newest(retention->engine->turns, turn->place) == turn->id &&
	       now_us() - turn->finished < FRESH_US;
}

/* ---- going ---- */

static void tell(struct retention *retention, int64_t place) {
	const struct engine_options *options = &retention->engine->options;
	if (retention->told != place && options->turns_removed != NULL) {
		options->turns_removed(options->data, place);
	}
	retention->told = place;
}

/* False when it has to stay. */
static bool forget(struct retention *retention, const struct kept_turn *turn) {
	struct engine *engine = retention->engine;
	cleanup_fail struct fail fail = {0};
	if (turn_in_use(engine->turns, turn->id) || kept_is_continued(engine->store, turn->id)) {
		return false;
	}
	if (!store_turn_forget(engine->store, turn->id, &fail)) {
		log_warning("turn %lld is too old to be kept and can't be removed: %s",
				(long long)turn->id, fail_words(&fail));
		return false;
	}
	turn_forget(engine->turns, turn->id, turn->place);
	tell(retention, turn->place);
	retention->gone++;
	return true;
}

/* The turn, and those before it in its conversation: all of them for the sake of bytes, else as far
 * as they are to go as well. */
static void forget_conversation(
		struct retention *retention, const struct kept_turn *last, bool whole) {
	struct kept_turn turn = *last;
	while (forget(retention, &turn) && turn.previous != 0 &&
			kept_get(retention->engine->store, turn.previous, &turn) &&
			(whole || too_old(retention, &turn) || beyond_count(retention, &turn))) {
	}
}

/* ---- a pass ---- */

/* When the oldest will have been kept for long enough; what had to stay this time waits longer. */
static uint64_t next_look(const struct retention *retention) {
	struct kept_turn oldest;
	double age = wanted(retention)->age;
	if (age <= 0 || kept_oldest(retention->engine->store, 0, 0, &oldest, 1) == 0) {
		return LATER_MS;
	}
	double due = age * 1e3 - (double)(now_us() - oldest.finished) / 1e3;
	return due > 0 && due < LATER_MS ? (uint64_t)due + 1 : LATER_MS;
}

static void rest(struct retention *retention) {
	retention->resting = true;
	retention->phase = PHASE_OLDEST;
	retention->finished = retention->id = 0;
	retention->place = retention->number = retention->beyond = 0;
	if (anything_wanted(retention)) {
		delay_arm(retention->delay, next_look(retention));
	}
}

/* True when there are more. */
static bool look_at_oldest(struct retention *retention) {
	struct kept_turn turns[SLICE_TURNS];
	size_t n = kept_oldest(retention->engine->store, retention->finished, retention->id, turns,
			SLICE_TURNS);
	for (size_t i = 0; i < n && retention->gone < SLICE_GONE; i++) {
		bool old = too_old(retention, &turns[i]), bytes = too_many_bytes(retention);
		if (!old && !bytes) {
			return false;
		}
		if (old || !is_fresh(retention, &turns[i])) {
			forget_conversation(retention, &turns[i], bytes);
		}
		retention->finished = turns[i].finished;
		retention->id = turns[i].id;
	}
	return n != 0;
}

/* Turns of the place at hand that are beyond the count; false when there are no more. */
static bool look_at_place(struct retention *retention) {
	struct kept_turn turns[SLICE_TURNS];
	size_t n = kept_of_place(retention->engine->store, retention->place, retention->number,
			retention->beyond, turns, SLICE_TURNS);
	for (size_t i = 0; i < n && retention->gone < SLICE_GONE; i++) {
		forget_conversation(retention, &turns[i], false);
		retention->number = turns[i].number;
	}
	return n != 0;
}

/* True when there are more. */
static bool look_at_places(struct retention *retention) {
	struct store *store = retention->engine->store;
	int64_t count = wanted(retention)->count;
	for (int i = 0; i < SLICE_PLACES && count > 0; i++) {
		if (retention->number < retention->beyond && look_at_place(retention)) {
			return true;
		}
		retention->place = kept_next_place(store, retention->place);
		retention->number = 0;
		retention->beyond = kept_beyond(store, retention->place, count);
		if (retention->place == 0) {
			return false;
		}
	}
	return count > 0;
}

static void on_due(void *data) {
	struct retention *retention = data;
	retention->resting = false;
	retention->gone = 0;
	retention->told = 0;
	if (retention->phase == PHASE_OLDEST && !look_at_oldest(retention)) {
		retention->phase = PHASE_PLACES;
	}
	if (retention->phase == PHASE_PLACES && !look_at_places(retention)) {
		rest(retention);
		return;
	}
	delay_arm(retention->delay, DELAY_NEXT_ROUND);
}

void retention_look(struct retention *retention) {
	if (retention->resting && anything_wanted(retention)) {
		delay_stop(retention->delay);
		delay_arm(retention->delay, SOON_MS);
	}
}

struct retention *retention_create(struct engine *engine) {
	struct retention *retention = calloc(1, sizeof(*retention));
	if (retention == NULL) {
		return NULL;
	}
	retention->engine = engine;
	retention->delay = delay_create(engine->loop, on_due, retention, false);
	if (retention->delay == NULL) {
		free(retention);
		return NULL;
	}
	retention->resting = true;
	retention_look(retention);
	return retention;
}

void retention_destroy(struct retention *retention) {
	if (retention != NULL) {
		delay_destroy(retention->delay);
		free(retention);
	}
}
