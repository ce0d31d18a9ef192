/* Models that a user adds: see look_up.h. */
#include "core/engine/load/look_up.h"

#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/load/discovery.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* mkdir -p makes a directory a part of the id: only the last of them is a model, and only it is
 * asked about. */
#define SETTLE_MS 200
/* Asked about at once, of one provider. */
#define AT_ONCE 4
/* Made models of a provider that aren't known yet, or aren't there. */
#define UNSURE_MOST 1000
/* A download may take a day; what stands still ends by timeout_idle. */
#define TOTAL_SECONDS 86400.0

struct look_up {
	struct list link;
	struct look_ups *look_ups;
	int64_t place;
	char *id;
	struct chain who;
	struct exchange *exchange; /* while it is asked */
	bool waits;
	bool told; /* a model came: whatever else does is none of it */
	char doing[192]; /* how far it is */
	struct fail fail; /* code != 0: why it isn't known */
};

struct look_ups {
	struct provider *provider;
	struct list all; /* struct look_up.link: of each model that is unsure */
	size_t n, n_asking;
	uv_timer_t timer;
};

static void drop(struct look_up *look_up) {
	look_up->look_ups->n_asking -= look_up->exchange != NULL;
	look_up->look_ups->n--;
	exchange_cancel(look_up->exchange);
	list_remove(&look_up->link);
	fail_finish(&look_up->fail);
	free(look_up->id);
	free(look_up);
}

static void on_closed(uv_handle_t *handle) {
	free(handle->data);
}

void look_ups_destroy(struct look_ups *look_ups) {
	if (look_ups == NULL) {
		return;
	}
	while (!list_empty(&look_ups->all)) {
		drop(list_entry(look_ups->all.next, struct look_up, link));
	}
	uv_close((uv_handle_t *)&look_ups->timer, on_closed);
}

static struct look_up *find(struct look_ups *look_ups, int64_t place) {
	struct look_up *look_up;
	list_for_each(look_up, &look_ups->all, link) {
		if (look_up->place == place) {
			return look_up;
		}
	}
	return NULL;
}

static struct place *place_of(const struct look_up *look_up) {
	return catalogue_place(look_up->look_ups->provider->engine->catalogue, look_up->place);
}

/* ---- asking ---- */

static void on_model(void *data, const struct job_model *model) {
	struct look_up *look_up = data;
	struct provider *provider = look_up->look_ups->provider;
	cleanup_fail struct fail fail = {0};
	if (look_up->told) {
		return;
	}
	look_up->told = true;
	if (model->id_size != strlen(look_up->id) ||
			memcmp(model->id, look_up->id, model->id_size) != 0) {
		provider_log(provider, "a model is left out: it isn't the one that was looked up");
	} else if (catalogue_add(provider->engine->catalogue, provider->place, model, &fail) ==
			NULL) {
		provider_log(provider, fail_words(&fail));
	}
}

/* Shown when it is asked for: to tell of each step would empty caches again and again. */
static void on_progress(void *data, const struct job_progress *progress) {
	struct look_up *look_up = data;
	if (isnan(progress->share)) {
		snprintf(look_up->doing, sizeof(look_up->doing), "%s", progress->words);
	} else {
		snprintf(look_up->doing, sizeof(look_up->doing), "%d%% %s",
				(int)(progress->share * 100), progress->words);
	}
}

static void ask_next(struct look_ups *look_ups);

/* It isn't there, or couldn't be asked: somebody is waiting to hear it. */
static void note_failure(struct look_up *look_up, const struct exchange_result *result) {
	struct provider *provider = look_up->look_ups->provider;
	struct place *place = place_of(look_up);
	bool missing = result->code == ENOENT;
	fail_set(&look_up->fail, result->code, "%s %s: %s%s", provider->name,
			missing ? "has no such model" : "couldn't be asked about this model",
			result->words,
			missing ? "; rmdir takes it away"
				: "; it is asked again at echo refresh "
				  "> ctl");
	provider_log(provider, fail_words(&look_up->fail));
	if (place != NULL && missing) {
		engine_note(provider->engine, place, &look_up->who, &look_up->fail);
	}
}

static void on_end(void *data, const struct exchange_result *result) {
	struct look_up *look_up = data;
	struct look_ups *look_ups = look_up->look_ups;
	struct catalogue *catalogue = look_ups->provider->engine->catalogue;
	struct place *place = place_of(look_up);
	look_up->exchange = NULL;
	look_ups->n_asking--;
	if (result->code != 0) {
		note_failure(look_up, result);
	} else {
		if (place != NULL && place->unsure) {
			catalogue_keep(catalogue, place, NULL);
		}
		drop(look_up);
	}
	if (place != NULL) {
		catalogue_touch(catalogue, place);
	}
	ask_next(look_ups);
}

static void ask(struct look_up *look_up) {
	static const struct exchange_events events = {
			.model = on_model, .progress = on_progress, .end = on_end};
	struct look_ups *look_ups = look_up->look_ups;
	struct version *version = look_ups->provider->version;
	struct transfer_timeouts timeouts = discovery_timeouts(look_ups->provider);
	timeouts.total = TOTAL_SECONDS;
	look_up->waits = look_up->told = false;
	look_up->doing[0] = '\0';
	fail_finish(&look_up->fail);
	look_up->exchange = exchange_look_up(version, look_up->id, &timeouts, &events, look_up);
	if (look_up->exchange == NULL) {
		fail_set(&look_up->fail, ENOMEM, "no memory to ask about this model");
		return;
	}
	look_ups->n_asking++;
}

static void ask_next(struct look_ups *look_ups) {
	struct version *version = look_ups->provider->version;
	/* Without a key it waits for one: see provider_key_came. */
	if (version == NULL || discovery_lacks_key(version)) {
		return;
	}
	struct look_up *look_up;
	list_for_each(look_up, &look_ups->all, link) {
		if (look_ups->n_asking >= AT_ONCE) {
			return;
		}
		if (look_up->waits) {
			ask(look_up);
		}
	}
}

static void on_settled(uv_timer_t *timer) {
	ask_next(timer->data);
}

static bool wait(struct look_ups *look_ups, struct place *place, const char *id,
		const struct chain *who) {
	struct look_up *look_up = calloc(1, sizeof(*look_up));
	char *copy = strdup(id);
	if (look_up == NULL || copy == NULL) {
		free(look_up);
		free(copy);
		return false;
	}
	look_up->look_ups = look_ups;
	look_up->place = place->id;
	look_up->id = copy;
	look_up->waits = true;
	if (who != NULL) {
		look_up->who = *who;
	}
	list_append(&look_ups->all, &look_up->link);
	look_ups->n++;
	uv_timer_start(&look_ups->timer, on_settled, SETTLE_MS, 0);
	return true;
}

struct look_ups *look_ups_create(struct provider *provider) {
	struct look_ups *look_ups = calloc(1, sizeof(*look_ups));
	if (look_ups != NULL) {
		look_ups->provider = provider;
		list_init(&look_ups->all);
		uv_timer_init(provider->engine->loop, &look_ups->timer);
		look_ups->timer.data = look_ups;
	}
	return look_ups;
}

void look_ups_again(struct look_ups *look_ups) {
	struct catalogue *catalogue = look_ups->provider->engine->catalogue;
	struct place *place = catalogue_next_unsure(catalogue, 0);
	for (; place != NULL; place = catalogue_next_unsure(catalogue, place->id)) {
		const struct model_record *record = catalogue_record(catalogue, place);
		struct look_up *look_up = find(look_ups, place->id);
		if (place_provider(place) != look_ups->provider->place || record == NULL) {
			continue;
		}
		if (look_up == NULL) {
			wait(look_ups, place, record->id, NULL);
		} else if (look_up->exchange == NULL) {
			look_up->waits = true;
			uv_timer_start(&look_ups->timer, on_settled, SETTLE_MS, 0);
		}
	}
}

/* ---- making and removing ---- */

/* The id that a place and one more name below it are. */
static bool add_id(const struct place *above, const char *name, struct buf *out) {
	const struct place *chain[PLACE_DEPTH_MOST];
	size_t n = 0;
	for (; above->kind == PLACE_COMPONENT && n < PLACE_DEPTH_MOST; above = above->parent) {
		chain[n++] = above;
	}
	while (n > 0) {
		if (!place_decode(chain[--n]->name, out) || !buf_add_byte(out, '/')) {
			return false;
		}
	}
	return place_decode(name, out);
}

/* What is assumed until the provider says more. */
static struct place *make(struct provider *provider, const char *id, struct fail *fail) {
	bool text = strings_contain(provider->version->manifest.capabilities, "text-to-text");
	struct job_model model = {.id = id,
			.id_size = strlen(id),
			.name = id,
			.description = "",
			.input_modalities = text ? "text" : "",
			.output_modalities = text ? "text" : "",
			.parameters = "",
			.raw = ""};
	struct catalogue *catalogue = provider->engine->catalogue;
	struct place *place = catalogue_add(catalogue, provider->place, &model, fail);
	return place != NULL && catalogue_doubt(catalogue, place, fail) ? place : NULL;
}

static bool is_open(const struct provider *provider) {
	const struct manifest *manifest = provider != NULL ? provider_manifest(provider) : NULL;
	return manifest != NULL && manifest->open;
}

struct place *look_up_add(struct engine *engine, struct place *above, const char *name,
		const struct chain *who, struct fail *fail) {
	struct provider *provider = engine_provider(engine, above);
	cleanup_buf struct buf id = {0};
	if (!is_open(provider)) {
		fail_set(fail, EPERM, "mkdir %s: %s has the models that it lists, and no others",
				name, provider != NULL ? provider->name : "this");
		return NULL;
	}
	if (!add_id(above, name, &id) || id.size == 0) {
		fail_set(fail, EINVAL,
				"mkdir %s: that can't be part of a model's id: the names of a "
				"model's own files are written with their first letter as %%XX",
				name);
		return NULL;
	}
	if (provider->look_ups->n >= UNSURE_MOST) {
		fail_set(fail, ENOSPC,
				"mkdir %s: %d models were made that %s doesn't know (yet): rmdir "
				"some first",
				name, UNSURE_MOST, provider->name);
		return NULL;
	}
	struct look_up *parent = find(provider->look_ups, above->id);
	struct place *place = make(provider, buf_string(&id), fail);
	if (place == NULL) {
		return NULL;
	}
	/* mkdir -p: what was made before is a part of this id, and no model. */
	if (parent != NULL && parent->exchange == NULL &&
			catalogue_remove(engine->catalogue, above, NULL)) {
		drop(parent);
	}
	if (!wait(provider->look_ups, place, buf_string(&id), who)) {
		fail_set(fail, ENOMEM, "no memory for a model");
		return NULL;
	}
	return place;
}

bool look_up_remove(struct engine *engine, struct place *model, struct fail *fail) {
	struct provider *provider = engine_provider(engine, model);
	if (provider == NULL || !model->kept) {
		return fail_set(fail, EPERM,
				"rmdir %s: it is the provider's: rmdir takes away what mkdir made",
				model->name);
	}
	if (model->n_models > 1) {
		return fail_set(fail, ENOTEMPTY, "rmdir %s: other models are below it",
				model->name);
	}
	struct look_up *look_up = find(provider->look_ups, model->id);
	if (look_up != NULL) {
		drop(look_up);
		ask_next(provider->look_ups);
	}
	return catalogue_remove(engine->catalogue, model, fail);
}

enum look_up_state look_up_state(
		struct engine *engine, struct place *model, const char **ret_words) {
	struct provider *provider = engine_provider(engine, model);
	struct look_up *look_up = provider != NULL && model->unsure
						  ? find(provider->look_ups, model->id)
						  : NULL;
	*ret_words = "";
	if (look_up == NULL) {
		return LOOK_UP_NONE;
	}
	if (look_up->exchange != NULL) {
		*ret_words = look_up->doing;
		return LOOK_UP_ASKING;
	}
	if (look_up->waits || look_up->fail.code == 0) {
		return LOOK_UP_WAITING;
	}
	*ret_words = fail_words(&look_up->fail);
	return look_up->fail.code == ENOENT ? LOOK_UP_MISSING : LOOK_UP_FAILED;
}
