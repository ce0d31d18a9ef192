/* A provider's list as it comes in: what is new or changed is written in batches, what wasn't seen
 * goes in slices at the end. */
#include "core/store/delay.h"
#include "core/store/tree.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* As many rows as a batch has. */
#define SLICE 200

struct refresh {
	struct list link;
	struct catalogue *catalogue;
	struct place *provider;
	uint32_t number; /* what `seen` of a place says that this one has listed */
	size_t added, came, went, refused;
	struct fail fail; /* the first model that couldn't be stored, or removed */
	size_t batches_failed; /* the store's count at the beginning */
	bool superseded; /* a later refresh of the same provider decides what goes */
	struct place **unseen;
	size_t n_unseen, next_unseen;
	struct delay *slice;
	void (*done)(void *data, size_t came, size_t went, size_t total);
	void *data;
};

static void commit_slice(void *data);

struct refresh *refresh_begin(struct catalogue *catalogue, struct place *provider) {
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	if (refresh == NULL) {
		return NULL;
	}
	refresh->slice = delay_create(catalogue->store->loop, commit_slice, refresh, true);
	if (refresh->slice == NULL) {
		free(refresh);
		return NULL;
	}
	struct refresh *other;
	list_for_each(other, &catalogue->refreshes, link) {
		if (other->provider == provider) {
			other->superseded = true;
		}
	}
	refresh->catalogue = catalogue;
	refresh->provider = provider;
	refresh->number = ++catalogue->last_refresh;
	refresh->batches_failed = catalogue->store->batches_failed;
	list_append(&catalogue->refreshes, &refresh->link);
	return refresh;
}

static void destroy(struct refresh *refresh) {
	list_remove(&refresh->link);
	delay_destroy(refresh->slice);
	fail_finish(&refresh->fail);
	free(refresh->unseen);
	free(refresh);
}

void refresh_abort(struct refresh *refresh) {
	if (refresh != NULL) {
		destroy(refresh);
	}
}

void refreshes_finish(struct catalogue *catalogue) {
	struct refresh *refresh;
	list_for_each(refresh, &catalogue->refreshes, link) {
		destroy(refresh);
	}
}

size_t refresh_refused(const struct refresh *refresh) {
	return refresh->refused;
}

/* ---- adding ---- */

static bool acceptable(const struct job_model *model) {
	if (model->id_size == 0 || model->id_size > 1023 || model->n_prices > JOB_PRICES_MOST ||
			memchr(model->id, '\0', model->id_size) != NULL) {
		return false;
	}
	size_t depth = 1;
	for (size_t i = 0; i < model->id_size; i++) {
		depth += model->id[i] == '/';
	}
	for (size_t i = 0; i < model->n_prices; i++) {
		const struct job_price *price = &model->prices[i];
		size_t length = strnlen(price->name, sizeof(price->name));
		if (!isfinite(price->usd) || length == sizeof(price->name) ||
				memchr(price->name, '\n', length) != NULL) {
			return false;
		}
	}
	return depth <= PLACE_DEPTH_MOST;
}

/* The place of one more component below `parent`: the one it ever had, or a new one. */
static struct place *reach_one(struct catalogue *catalogue, struct place *parent,
		const char *component, size_t size, struct fail *fail) {
	cleanup_buf struct buf name = {0};
	if (!place_encode(component, size, &name)) {
		fail_set(fail, ENOMEM, "no memory for a name");
		return NULL;
	}
	struct place *place = tree_find(catalogue, parent, PLACE_COMPONENT, name.data);
	if (place != NULL) {
		return place;
	}
	int64_t id = rows_find(catalogue->store, parent->id, name.data, fail);
	if (id < 0) {
		return NULL;
	}
	place = tree_add(catalogue, id > 0 ? id : ++catalogue->last_id, parent, PLACE_COMPONENT,
			name.data);
	if (place == NULL) {
		fail_set(fail, ENOMEM, "no memory, or more than %d places", PLACES_MOST);
	} else if (id > 0 && !load_annexes(catalogue, place, fail)) {
		return NULL;
	}
	return place;
}

static struct place *reach(
		struct refresh *refresh, const struct job_model *model, struct fail *fail) {
	struct place *place = refresh->provider;
	const char *end = model->id + model->id_size;
	for (const char *at = model->id; place != NULL;) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *stop = slash != NULL ? slash : end;
		place = reach_one(refresh->catalogue, place, at, (size_t)(stop - at), fail);
		if (slash == NULL) {
			break;
		}
		at = slash + 1;
	}
	return place;
}

/* Writes the rows of the components that lead to `place`, itself included, top down. */
static bool write_components(struct catalogue *catalogue, struct place *place, struct fail *fail) {
	struct place *chain[PLACE_DEPTH_MOST];
	size_t n = 0;
	for (; place->kind == PLACE_COMPONENT && n < PLACE_DEPTH_MOST; place = place->parent) {
		/* What is listed is stored, unless a batch with it came to nothing. */
		if (place->gone || catalogue->store->batches_failed != 0) {
			chain[n++] = place;
		}
	}
	while (n > 0) {
		if (!rows_component(catalogue->store, chain[--n], fail)) {
			return false;
		}
	}
	return true;
}

static bool write_model(struct refresh *refresh, struct place *place, const struct job_model *model,
		int64_t hash, struct fail *fail) {
	struct catalogue *catalogue = refresh->catalogue;
	struct store *store = catalogue->store;
	if (!store_batch(store, fail) || !write_components(catalogue, place, fail) ||
			!rows_model(store, place, model, hash, fail)) {
		return false;
	}
	refresh->came += !place->model;
	records_forget(catalogue, place->id);
	place->created = model->created;
	place->chat = model_is_chat(model);
	place->price_prompt = model_token_price(model, "prompt");
	place->price_completion = model_token_price(model, "completion");
	place->priced = model_is_priced(model);
	tree_set_model(place, true, model_is_free(model), model_able(model));
	bool shown = tree_show(catalogue, place);
	tree_changed(catalogue, place);
	tree_changed(catalogue, refresh->provider);
	store_batch_row(store);
	return shown || fail_set(fail, ENOMEM, "no memory for a listing");
}

void refresh_add(struct refresh *refresh, const struct job_model *model) {
	/* Only the first failure is kept: the rest are its consequences. */
	struct fail *fail = refresh->fail.code == 0 ? &refresh->fail : NULL;
	if (!acceptable(model)) {
		refresh->refused++;
		return;
	}
	struct place *place = reach(refresh, model, fail);
	if (place == NULL) {
		return;
	}
	if (place->seen == refresh->number) {
		refresh->refused++;
		return;
	}
	int64_t stored, hash = model_hash(model);
	bool same = place->model && rows_hash(refresh->catalogue->store, place->id, &stored) &&
		    stored == hash;
	if (!same && !write_model(refresh, place, model, hash, fail)) {
		return;
	}
	place->seen = refresh->number;
	if (place->unsure) {
		catalogue_keep(refresh->catalogue, place, fail);
	}
	refresh->added++;
}

struct place *catalogue_add(struct catalogue *catalogue, struct place *provider,
		const struct job_model *model, struct fail *fail) {
	/* One of its own, of which no other knows. */
	struct refresh refresh = {.catalogue = catalogue, .provider = provider};
	if (!acceptable(model)) {
		fail_set(fail, EINVAL,
				"no model can have this id: it is longer than 1023 bytes, or has "
				"more than %d parts",
				PLACE_DEPTH_MOST);
		return NULL;
	}
	struct place *place = reach(&refresh, model, fail);
	if (place == NULL || !write_model(&refresh, place, model, model_hash(model), fail) ||
			!catalogue_keep(catalogue, place, fail)) {
		return NULL;
	}
	return place;
}

/* ---- what wasn't seen ---- */

bool remove_model(struct catalogue *catalogue, struct place *model, struct fail *fail) {
	struct store *store = catalogue->store;
	/* A component goes with its last model. */
	if (!store_batch(store, fail) || !rows_no_model(store, model, model->n_models > 1, fail)) {
		return false;
	}
	for (struct place *place = model->parent;
			place->kind == PLACE_COMPONENT && place->n_models == 1;
			place = place->parent) {
		if (!rows_no_model(store, place, false, fail)) {
			return false;
		}
	}
	store_batch_row(store);
	records_forget(catalogue, model->id);
	model->kept = model->unsure = false;
	tree_set_model(model, false, false, 0);
	tree_changed(catalogue, model);
	if (model->n_models == 0) {
		tree_hide(catalogue, model);
	}
	tree_changed(catalogue, place_provider(model));
	return true;
}

static bool collect_unseen(struct refresh *refresh) {
	struct place *provider = refresh->provider;
	refresh->unseen = calloc(provider->n_models + 1, sizeof(*refresh->unseen));
	if (refresh->unseen == NULL) {
		return false;
	}
	for (struct place *place = provider; place != NULL; place = tree_walk(provider, place)) {
		if (place->model && !place->kept && place->seen != refresh->number &&
				refresh->n_unseen < provider->n_models) {
			refresh->unseen[refresh->n_unseen++] = place;
		}
	}
	return true;
}

static void finish(struct refresh *refresh) {
	struct catalogue *catalogue = refresh->catalogue;
	struct place *provider = refresh->provider;
	store_batch_commit(catalogue->store);
	if (refresh->fail.code != 0) {
		catalogue_refresh_failed(catalogue, provider, fail_words(&refresh->fail));
	} else if (refresh->batches_failed != catalogue->store->batches_failed) {
		catalogue_refresh_failed(catalogue, provider,
				"models could not be stored: see whether the state directory is "
				"full");
	} else if (refresh->added == 0 && provider->n_models != 0) {
		catalogue_refresh_failed(catalogue, provider,
				"the provider listed no models: those known before are kept");
	} else if (!refresh->superseded) {
		refresh_succeeded(catalogue, provider);
	}
	tree_notify(catalogue);
	size_t came = refresh->came, went = refresh->went, total = provider->n_models;
	void (*done)(void *, size_t, size_t, size_t) = refresh->done;
	void *data = refresh->data;
	destroy(refresh);
	done(data, came, went, total);
}

static void commit_slice(void *data) {
	struct refresh *refresh = data;
	size_t end = refresh->next_unseen + SLICE;
	for (; refresh->next_unseen < refresh->n_unseen && refresh->next_unseen < end &&
			!refresh->superseded;
			refresh->next_unseen++) {
		struct place *place = refresh->unseen[refresh->next_unseen];
		/* It may have come back, or gone, since it was noted. */
		if (!place->model || place->kept || place->seen == refresh->number) {
			continue;
		}
		if (!remove_model(refresh->catalogue, place, &refresh->fail)) {
			refresh->n_unseen = 0;
		} else {
			refresh->went++;
		}
	}
	tree_compact(refresh->catalogue);
	if (refresh->next_unseen < refresh->n_unseen && !refresh->superseded) {
		delay_arm(refresh->slice, DELAY_NEXT_ROUND);
		return;
	}
	finish(refresh);
}

void refresh_commit(struct refresh *refresh,
		void (*done)(void *data, size_t came, size_t went, size_t total), void *data) {
	refresh->done = done;
	refresh->data = data;
	if (refresh->added != 0 && refresh->fail.code == 0 && !refresh->superseded &&
			!collect_unseen(refresh)) {
		fail_set(&refresh->fail, ENOMEM, "no memory to see which models are gone");
	}
	delay_arm(refresh->slice, DELAY_NEXT_ROUND);
}
