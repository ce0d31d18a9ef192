/* How models and providers do: see health.h. */
#include "core/engine/route/health.h"

#include "core/base/idmap.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/store/delay.h"
#include "core/turn/turn.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* What the newest attempt counts among those before. */
#define RATE_WEIGHT 0.2
#define LATENCY_WEIGHT 0.3
/* An error rate that was is half as much after so many seconds. */
#define RATE_HALF_LIFE 600.0
#define RATE_DEGRADED 0.25
#define WRITE_MS 1000
/* No back-off is longer, in seconds; so one that is was noted under another clock. */
#define BACK_OFF_MOST 3600.0

struct entry {
	struct health_row row;
	bool dirty;
};

struct health {
	struct store *store;
	struct idmap entries; /* id → struct entry */
	struct delay *write;
	bool failing; /* said once in the log */
};

/* Whom a failure tells of, and how long nothing is sent there: so many seconds after the first,
 * twice as many after each further one, at most so many. What isn't listed was the prompt's or our
 * own fault. */
enum scope { OF_MODEL, OF_PRICE_CLASS, OF_PROVIDER };
static const struct judgement {
	int code;
	enum scope scope;
	double first, most;
} judgements[] = {
		{ECONNREFUSED, OF_PROVIDER, 5, 60},
		{EHOSTUNREACH, OF_PROVIDER, 5, 60},
		{EKEYREJECTED, OF_PROVIDER, 60, BACK_OFF_MOST},
		{EDQUOT, OF_PRICE_CLASS, 300, BACK_OFF_MOST},
		{EBUSY, OF_MODEL, 10, 300},
		{ENOENT, OF_MODEL, 300, BACK_OFF_MOST},
		{EACCES, OF_MODEL, 300, BACK_OFF_MOST},
		{ECONNRESET, OF_MODEL, 5, 300},
		{ETIMEDOUT, OF_MODEL, 5, 300},
		{EREMOTEIO, OF_MODEL, 5, 300},
		{EPROTO, OF_MODEL, 5, 300},
		{EIO, OF_MODEL, 5, 300},
};

static const struct judgement *judge(int code) {
	for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
		if (judgements[i].code == code) {
			return &judgements[i];
		}
	}
	return NULL;
}

static const struct place *provider_above(const struct place *place) {
	while (place->kind != PLACE_PROVIDER && place->parent != NULL) {
		place = place->parent;
	}
	return place;
}

/* A place's id is above zero; a provider's free models and its others are two numbers below. */
static int64_t class_id(const struct place *model) {
	return -(provider_above(model)->id * 2 + model->free);
}

/* ---- entries ---- */

static struct entry *entry_of(const struct health *health, int64_t id) {
	return idmap_get(&health->entries, id);
}

static struct entry *entry_make(struct health *health, int64_t id) {
	struct entry *entry = entry_of(health, id);
	if (entry != NULL) {
		return entry;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL || !idmap_set(&health->entries, id, entry)) {
		free(entry);
		return NULL;
	}
	entry->row.id = id;
	entry->row.latency = -1;
	return entry;
}

static void load(void *data, const struct health_row *row) {
	struct entry *entry = row->id != 0 ? entry_make(data, row->id) : NULL;
	if (entry != NULL) {
		entry->row = *row;
	}
}

/* ---- writing ---- */

static void write_dirty(void *data) {
	struct health *health = data;
	cleanup_fail struct fail fail = {0};
	bool written = true;
	for (size_t i = 0; i < health->entries.n_slots; i++) {
		struct entry *entry = health->entries.slots[i].value;
		if (entry != NULL && entry->dirty) {
			entry->dirty = false;
			written = store_health_set(health->store, &entry->row, &fail) && written;
		}
	}
	if (!written && !health->failing) {
		log_warning("how the providers do can't be stored: %s", fail_words(&fail));
	}
	health->failing = !written;
}

static void changed(struct health *health, struct entry *entry) {
	entry->dirty = true;
	delay_arm(health->write, WRITE_MS);
}

struct health *health_create(uv_loop_t *loop, struct store *store, struct fail *fail) {
	struct health *health = calloc(1, sizeof(*health));
	if (health == NULL) {
		fail_set(fail, ENOMEM, "no memory");
		return NULL;
	}
	health->store = store;
	health->write = delay_create(loop, write_dirty, health, false);
	if (health->write == NULL) {
		fail_set(fail, ENOMEM, "no memory");
	}
	if (health->write == NULL || !store_health_each(store, load, health, fail)) {
		health_destroy(health);
		return NULL;
	}
	return health;
}

void health_destroy(struct health *health) {
	if (health == NULL) {
		return;
	}
	write_dirty(health);
	delay_destroy(health->write);
	for (size_t i = 0; i < health->entries.n_slots; i++) {
		free(health->entries.slots[i].value);
	}
	idmap_finish(&health->entries);
	free(health);
}

/* ---- noting ---- */

double health_error_rate(const struct health_row *row) {
	int64_t last = row->success > row->failure ? row->success : row->failure;
	double age = (double)(now_us() - last) / 1e6;
	return age > 0 ? row->error_rate * exp2(-age / RATE_HALF_LIFE) : row->error_rate;
}

static void note_success(struct health *health, int64_t id, double latency) {
	struct entry *entry = entry_make(health, id);
	if (entry == NULL) {
		return;
	}
	struct health_row *row = &entry->row;
	row->error_rate = health_error_rate(row) * (1 - RATE_WEIGHT);
	row->success = now_us();
	row->streak = 0;
	row->back_off = 0;
	if (latency >= 0) {
		row->latency = row->latency < 0 ? latency
						: row->latency * (1 - LATENCY_WEIGHT) +
								  latency * LATENCY_WEIGHT;
	}
	changed(health, entry);
}

/* What held for several holds no more. */
static void end_back_off(struct health *health, int64_t id) {
	struct entry *entry = entry_of(health, id);
	if (entry != NULL && (entry->row.back_off != 0 || entry->row.streak != 0)) {
		entry->row.back_off = 0;
		entry->row.streak = 0;
		changed(health, entry);
	}
}

void health_answered(struct health *health, const struct place *model, double latency) {
	note_success(health, model->id, latency);
	note_success(health, provider_above(model)->id, latency);
	end_back_off(health, class_id(model));
}

void health_reached(struct health *health, const struct place *provider) {
	const struct entry *entry = entry_of(health, provider->id);
	if (entry != NULL && (entry->row.code == ECONNREFUSED || entry->row.code == EHOSTUNREACH)) {
		end_back_off(health, provider->id);
	}
}

void health_renewed(struct health *health, const struct place *provider) {
	end_back_off(health, provider->id);
	end_back_off(health, -(provider->id * 2));
	end_back_off(health, -(provider->id * 2 + 1));
}

static void set_words(struct health_row *row, int code, const char *words) {
	size_t length = utf8_cut(words, strlen(words), sizeof(row->words) - 1);
	row->code = code;
	memcpy(row->words, words, length);
	row->words[length] = '\0';
	for (char *c = row->words; *c != '\0'; c++) {
		*c = (unsigned char)*c < 0x20 ? ' ' : *c;
	}
}

static void note_failure(struct health *health, int64_t id, int code, const char *words) {
	struct entry *entry = entry_make(health, id);
	if (entry == NULL) {
		return;
	}
	struct health_row *row = &entry->row;
	row->error_rate = health_error_rate(row) * (1 - RATE_WEIGHT) + RATE_WEIGHT;
	row->failure = now_us();
	set_words(row, code, words);
	changed(health, entry);
}

static void back_off(struct health *health, int64_t id, const struct judgement *judgement,
		double retry_after, const char *words) {
	struct entry *entry = entry_make(health, id);
	if (entry == NULL) {
		return;
	}
	struct health_row *row = &entry->row;
	double seconds = judgement->first * exp2(row->streak < 16 ? row->streak : 16);
	seconds = seconds < judgement->most ? seconds : judgement->most;
	if (retry_after >= 0) {
		seconds = retry_after < BACK_OFF_MOST ? retry_after : BACK_OFF_MOST;
	}
	int64_t until = now_us() + (int64_t)(seconds * 1e6);
	/* Several that were sent at the same time fail as one. */
	if (row->back_off <= now_us()) {
		row->streak++;
	}
	row->back_off = until > row->back_off ? until : row->back_off;
	row->failure = now_us();
	set_words(row, judgement->code, words);
	changed(health, entry);
}

void health_failed(struct health *health, const struct place *model, int code, double retry_after,
		const char *words) {
	const struct judgement *judgement = judge(code);
	const struct place *provider = provider_above(model);
	if (judgement == NULL) {
		return;
	}
	note_failure(health, model->id, code, words);
	note_failure(health, provider->id, code, words);
	int64_t id = judgement->scope == OF_PROVIDER	  ? provider->id
		     : judgement->scope == OF_PRICE_CLASS ? class_id(model)
							  : model->id;
	back_off(health, id, judgement, retry_after, words);
}

/* ---- asking ---- */

static void later(const struct health *health, int64_t id, int64_t now, int64_t *until,
		const struct health_row **ret_why) {
	const struct entry *entry = entry_of(health, id);
	if (entry == NULL || entry->row.back_off <= now || entry->row.back_off <= *until ||
			entry->row.back_off > now + (int64_t)(BACK_OFF_MOST * 1e6)) {
		return;
	}
	*until = entry->row.back_off;
	if (ret_why != NULL) {
		*ret_why = &entry->row;
	}
}

int64_t health_back_off(const struct health *health, const struct place *place,
		const struct health_row **ret_why) {
	int64_t until = 0, now = now_us();
	later(health, provider_above(place)->id, now, &until, ret_why);
	if (place->model) {
		later(health, place->id, now, &until, ret_why);
		later(health, class_id(place), now, &until, ret_why);
	}
	return until;
}

const struct health_row *health_row(const struct health *health, const struct place *place) {
	const struct entry *entry = entry_of(health, place->id);
	return entry != NULL ? &entry->row : NULL;
}

enum health_state health_state(const struct health *health, const struct place *place) {
	const struct health_row *row = health_row(health, place);
	if (health_back_off(health, place, NULL) != 0) {
		return HEALTH_DOWN;
	}
	if (row == NULL || (row->success == 0 && row->failure == 0)) {
		return HEALTH_UNKNOWN;
	}
	return health_error_rate(row) >= RATE_DEGRADED ? HEALTH_DEGRADED : HEALTH_GOOD;
}

const char *health_state_name(enum health_state state) {
	static const char *const names[] = {
			[HEALTH_UNKNOWN] = "unknown",
			[HEALTH_GOOD] = "healthy",
			[HEALTH_DEGRADED] = "degraded",
			[HEALTH_DOWN] = "down",
	};
	return names[state];
}
