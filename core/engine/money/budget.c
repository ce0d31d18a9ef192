/* Budgets: see budget.h. Limits lie in the store as settings of their place, "budget_day" and so
 * on, and here in memory; what was spent is asked of the ledger each time. */
#include "core/engine/money/budget.h"

#include "core/base/usd.h"
#include "core/engine/engine.h"
#include "core/store/ledger.h"

#include <errno.h>
#include <string.h>

#define SETTING_PREFIX "budget_"
/* Root, a provider, a session, a route; models have no budget of their own. */
#define PLACES_COUNTED_MOST 8

/* What is known of a place that has limits of its own, or turns under way. */
struct account {
	int64_t limit[BUDGET_PERIODS]; /* BUDGET_INHERIT: none was written */
	int64_t reserved;
};

struct budgets {
	struct engine *engine;
	struct idmap accounts; /* place id → struct account */
};

static struct account *account_of(struct budgets *budgets, int64_t place) {
	struct account *account = idmap_get(&budgets->accounts, place);
	if (account != NULL) {
		return account;
	}
	account = calloc(1, sizeof(*account));
	if (account == NULL || !idmap_set(&budgets->accounts, place, account)) {
		free(account);
		return NULL;
	}
	for (int i = 0; i < BUDGET_PERIODS; i++) {
		account->limit[i] = BUDGET_INHERIT;
	}
	return account;
}

/* ---- limits ---- */

static void visit(void *data, int64_t place, const char *name, const char *value) {
	struct budgets *budgets = data;
	if (strncmp(name, SETTING_PREFIX, strlen(SETTING_PREFIX)) != 0) {
		return;
	}
	for (int i = 0; i < BUDGET_PERIODS; i++) {
		if (strcmp(name + strlen(SETTING_PREFIX), budget_names[i]) == 0) {
			struct account *account = account_of(budgets, place);
			int64_t limit = 0;
			if (account != NULL) {
				/* What can't be read lets nothing be spent, rather than all. */
				usd_parse(value, &limit);
				account->limit[i] = strcmp(value, "none") == 0 ? BUDGET_NONE
									       : limit;
			}
		}
	}
}

struct budgets *budgets_create(struct engine *engine, struct fail *fail) {
	struct budgets *budgets = calloc(1, sizeof(*budgets));
	if (budgets == NULL) {
		fail_set(fail, ENOMEM, "no memory for budgets");
		return NULL;
	}
	budgets->engine = engine;
	if (!store_settings_each(engine->store, visit, budgets, fail)) {
		budgets_destroy(budgets);
		return NULL;
	}
	return budgets;
}

void budgets_destroy(struct budgets *budgets) {
	if (budgets == NULL) {
		return;
	}
	for (size_t i = 0; i < budgets->accounts.n_slots; i++) {
		free(budgets->accounts.slots[i].value);
	}
	idmap_finish(&budgets->accounts);
	free(budgets);
}

/* An account that says nothing goes. */
static void drop_if_empty(struct budgets *budgets, int64_t place) {
	struct account *account = idmap_get(&budgets->accounts, place);
	bool empty = account != NULL && account->reserved == 0;
	for (int i = 0; empty && i < BUDGET_PERIODS; i++) {
		empty = account->limit[i] == BUDGET_INHERIT;
	}
	if (empty) {
		idmap_remove(&budgets->accounts, place);
		free(account);
	}
}

void budget_forget(struct budgets *budgets, int64_t place) {
	struct account *account = idmap_get(&budgets->accounts, place);
	for (int i = 0; account != NULL && i < BUDGET_PERIODS; i++) {
		account->limit[i] = BUDGET_INHERIT;
	}
	drop_if_empty(budgets, place);
}

bool budget_is_own(const struct budgets *budgets, int64_t place, enum budget_period period) {
	const struct account *account = idmap_get(&budgets->accounts, place);
	return account != NULL && account->limit[period] != BUDGET_INHERIT;
}

int64_t budget_limit(struct budgets *budgets, struct place *place, enum budget_period period) {
	const struct account *account = idmap_get(&budgets->accounts, place->id);
	if (account != NULL && account->limit[period] != BUDGET_INHERIT) {
		return account->limit[period];
	}
	if (place->kind == PLACE_ROOT) {
		return budgets->engine->config.budget.limit[period];
	}
	const struct provider *provider = place->kind == PLACE_PROVIDER ? place->user : NULL;
	return provider != NULL && provider->config != NULL ? provider->config->budget.limit[period]
							    : BUDGET_NONE;
}

bool budget_set(struct budgets *budgets, int64_t place, enum budget_period period, int64_t limit,
		struct fail *fail) {
	char name[32];
	cleanup_buf struct buf value = {0};
	struct account *account = account_of(budgets, place);
	snprintf(name, sizeof(name), SETTING_PREFIX "%s", budget_names[period]);
	bool text = limit == BUDGET_INHERIT ||
		    (limit == BUDGET_NONE ? buf_add_string(&value, "none")
					  : usd_add(&value, limit));
	if (account == NULL || !text) {
		return fail_set(fail, ENOMEM, "no memory for a budget");
	}
	if (!store_setting_set(budgets->engine->store, place, name,
			    limit == BUDGET_INHERIT ? NULL : buf_string(&value), fail)) {
		return false;
	}
	account->limit[period] = limit;
	return true;
}

/* ---- what they let ---- */

/* The places that a turn counts at, each once; how many. */
static size_t counted_places(struct place *place, struct place *model,
		struct place *ret[static PLACES_COUNTED_MOST]) {
	struct place *const starts[] = {place, model};
	size_t n = 0;
	for (int i = 0; i < 2; i++) {
		for (struct place *at = starts[i]; at != NULL; at = at->parent) {
			bool there = false;
			for (size_t j = 0; j < n && !there; j++) {
				there = ret[j] == at;
			}
			if (!there && at->kind != PLACE_COMPONENT && n < PLACES_COUNTED_MOST) {
				ret[n++] = at;
			}
		}
	}
	return n;
}

/* What a limit leaves. */
struct room {
	struct place *place; /* NULL: there is no limit */
	enum budget_period period;
	int64_t limit, spent, reserved;
	int64_t left;
};

static bool spent_at(
		struct budgets *budgets, const struct place *place, int64_t period, int64_t *ret) {
	struct store *store = budgets->engine->store;
	struct usage_sum sum;
	bool known = place->kind == PLACE_ROOT ? ledger_sum(store, NULL, period, &sum)
		     : place->kind == PLACE_PROVIDER
				     ? ledger_sum(store, place->name, period, &sum)
				     : ledger_sum_place(store, place->id, period, &sum);
	*ret = known ? usd_sum(sum.cost, sum.bound) : INT64_MAX;
	return known;
}

/* The least room of all limits on the way. */
static struct room least_room(struct budgets *budgets, struct place *place, struct place *model) {
	struct place *places[PLACES_COUNTED_MOST];
	size_t n = counted_places(place, model, places);
	struct room least = {.left = INT64_MAX};
	int64_t today = ledger_day(now_us());
	const int64_t periods[] = {today, ledger_month(today), LEDGER_ALL};
	for (size_t i = 0; i < n; i++) {
		const struct account *account = idmap_get(&budgets->accounts, places[i]->id);
		for (int j = 0; j < BUDGET_PERIODS; j++) {
			struct room room = {.place = places[i],
					.period = (enum budget_period)j,
					.limit = budget_limit(budgets, places[i], j),
					.reserved = account != NULL ? account->reserved : 0};
			if (room.limit == BUDGET_NONE) {
				continue;
			}
			spent_at(budgets, places[i], periods[j], &room.spent);
			int64_t used = usd_sum(room.spent, room.reserved);
			room.left = used < room.limit ? room.limit - used : 0;
			if (least.place == NULL || room.left < least.left) {
				least = room;
			}
		}
	}
	return least;
}

int64_t budget_left(struct budgets *budgets, struct place *place, struct place *model) {
	return least_room(budgets, place, model).left;
}

/* "providers/acme/budget/day", as it is found in the tree. */
static void add_budget_path(struct buf *out, const struct room *room) {
	if (room->place->kind == PLACE_PROVIDER) {
		buf_add_format(out, "providers/%s/", room->place->name);
	} else if (room->place->kind == PLACE_SESSION) {
		buf_add_format(out, "sessions/%s/", room->place->name);
	}
	buf_add_format(out, "budget/%s", budget_names[room->period]);
}

/* "budget/day is 2 USD: 1.5 is spent and 0.5 reserved by turns under way"; and what helps. */
static bool refuse(const struct room *room, int64_t amount, struct fail *fail) {
	cleanup_buf struct buf words = {0};
	if (room->spent == INT64_MAX) {
		return fail_set(fail, EIO, "there is a budget, and the ledger can't be read");
	}
	add_budget_path(&words, room);
	buf_add_string(&words, " is ");
	usd_add(&words, room->limit);
	buf_add_string(&words, " USD: ");
	usd_add(&words, room->spent);
	buf_add_string(&words, " is spent and ");
	usd_add(&words, room->reserved);
	buf_add_string(&words, " reserved for turns under way");
	if (amount > 0) {
		buf_add_string(&words, ", and this one may cost up to ");
		usd_add(&words, amount);
		buf_add_string(&words, ": config/max_tokens lowers that, and");
	} else {
		buf_add_string(&words, ":");
	}
	buf_add_string(&words, " echo AMOUNT > ");
	add_budget_path(&words, room);
	return fail_set(fail, EDQUOT, "%s raises the limit", buf_string(&words));
}

static bool refuse_unknown(const struct room *room, const struct place *model, struct fail *fail) {
	cleanup_buf struct buf words = {0};
	const struct place *provider = model;
	while (provider->parent != NULL && provider->kind != PLACE_PROVIDER) {
		provider = provider->parent;
	}
	add_budget_path(&words, room);
	return fail_set(fail, EDQUOT,
			"%s is set, and what this model costs isn't known: say it in config.yml, "
			"`providers: {%s: {price: {prompt: …, completion: …, request: …}}}`",
			buf_string(&words), provider->name);
}

bool budget_allows(struct budgets *budgets, struct place *place, struct place *model,
		const struct price *price, struct fail *fail) {
	if (price_is_zero(price)) {
		return true;
	}
	struct room room = least_room(budgets, place, model);
	if (room.place == NULL || (price->known && room.left > 0)) {
		return true;
	}
	return price->known ? refuse(&room, 0, fail) : refuse_unknown(&room, model, fail);
}

void budget_release(struct budgets *budgets, struct reservation *reservation) {
	for (size_t i = 0; i < reservation->n_places; i++) {
		struct account *account = idmap_get(&budgets->accounts, reservation->places[i]);
		account->reserved -= reservation->amount;
		drop_if_empty(budgets, reservation->places[i]);
	}
	free(reservation->places);
	*reservation = (struct reservation){0};
}

/* Adds the amount at each place; without memory, or where no sum holds it, at none. */
static bool count(struct budgets *budgets, struct place *const *places, size_t n, int64_t amount,
		struct reservation *ret) {
	int64_t *ids = calloc(n, sizeof(*ids));
	bool room = ids != NULL;
	for (size_t i = 0; room && i < n; i++) {
		ids[i] = places[i]->id;
		const struct account *account = account_of(budgets, ids[i]);
		room = account != NULL && account->reserved <= INT64_MAX - amount;
	}
	if (!room) {
		free(ids);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		account_of(budgets, ids[i])->reserved += amount;
	}
	*ret = (struct reservation){.amount = amount, .places = ids, .n_places = n};
	return true;
}

bool budget_reserve(struct budgets *budgets, struct place *place, struct place *model,
		int64_t amount, struct reservation *reservation, struct fail *fail) {
	struct place *places[PLACES_COUNTED_MOST];
	budget_release(budgets, reservation);
	if (amount == 0) {
		return true;
	}
	struct room room = least_room(budgets, place, model);
	if (amount < 0 && room.place == NULL) {
		return true;
	}
	if (amount < 0) {
		return refuse_unknown(&room, model, fail);
	}
	if (room.place != NULL && amount > room.left) {
		return refuse(&room, amount, fail);
	}
	size_t n = counted_places(place, model, places);
	return count(budgets, places, n, amount, reservation) ||
	       fail_set(fail, ENOMEM, "no memory for a turn");
}

bool budget_restore(struct budgets *budgets, struct place *place, struct place *model,
		int64_t amount, struct reservation *reservation) {
	struct place *places[PLACES_COUNTED_MOST];
	budget_release(budgets, reservation);
	return amount <= 0 ||
	       count(budgets, places, counted_places(place, model, places), amount, reservation);
}
