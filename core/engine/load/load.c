/* A version that comes in, step by step, to its place or to its failure: see load.h. */
#include "core/engine/load/load.h"

#include "core/engine/engine.h"
#include "core/engine/load/discovery.h"
#include "core/engine/load/load_private.h"
#include "core/engine/run/queue.h"

#include <string.h>

/* ---- what is pinned ---- */

static void pinned_finish(struct pinned *pinned) {
	source_finish(&pinned->source);
	free(pinned->commit);
	free(pinned->tree);
	free(pinned->files);
	free(pinned->object);
	free(pinned->bundled);
	free(pinned->service_url);
	consent_finish(&pinned->asked);
	if (pinned->hold > 0) {
		close(pinned->hold);
	}
	*pinned = (struct pinned){0};
}

static void pinned_move(struct pinned *into, struct pinned *from) {
	pinned_finish(into);
	*into = *from;
	*from = (struct pinned){0};
}

bool pinned_at(const struct pinned *pinned) {
	return pinned->commit != NULL && pinned->commit[0] != '\0';
}

bool pinned_same(const struct pinned *a, const struct pinned *b) {
	return pinned_at(a) && pinned_at(b) && strcmp(a->commit, b->commit) == 0 &&
	       strcmp(a->files, b->files) == 0 && strcmp(a->object, b->object) == 0;
}

/* ---- beginning and ending ---- */

struct load *load_create(struct provider *provider, const struct source *source) {
	struct load *load = calloc(1, sizeof(*load));
	if (load == NULL) {
		return NULL;
	}
	load->provider = provider;
	load->previous_commit = strdup("");
	load->previous_tree = strdup("");
	load->progress = strdup("");
	load->notice = strdup("");
	load->failure = strdup("");
	load->details = strdup("");
	uv_timer_init(provider->engine->loop, &load->timer);
	load->timer.data = load;
	bool whole = load->previous_commit != NULL && load->previous_tree != NULL &&
		     load->progress != NULL && load->notice != NULL && load->failure != NULL &&
		     load->details != NULL;
	if (!whole || !source_parse(&load->used.source, source->text, NULL)) {
		load_destroy(load);
		return NULL;
	}
	provider->load = load;
	return load;
}

/* Ends what is coming in. */
void load_stop(struct load *load) {
	fetch_cancel(take(load->fetch));
	exchange_cancel(take(load->probe));
	if (load->check != NULL) {
		job_cancel(take(load->check));
	}
	version_release(take(load->trial));
	uv_timer_stop(&load->timer);
	pinned_finish(&load->next);
	consent_finish(&load->allowed);
	load->is_allowed = false;
	load->step = LOAD_RESTING;
	turn_words_set(&load->progress, "");
	turn_words_set(&load->notice, "");
	turn_words_set(&load->failure, "");
	turn_words_set(&load->details, "");
}

static void on_timer_closed(uv_handle_t *handle) {
	free(handle->data);
}

void load_destroy(struct load *load) {
	if (load == NULL) {
		return;
	}
	load_stop(load);
	pinned_finish(&load->used);
	consent_finish(&load->granted);
	free(load->previous_commit);
	free(load->previous_tree);
	free(load->progress);
	free(load->notice);
	free(load->failure);
	free(load->details);
	uv_close((uv_handle_t *)&load->timer, on_timer_closed);
}

void load_log(struct load *load, const char *what, const char *words) {
	cleanup_free char *line = NULL;
	if (asprintf(&line, "%s%s", what, words) < 0) {
		line = NULL;
	}
	provider_log(load->provider, line != NULL ? line : what);
}

/* A provider that has no version yet is in the state of what is coming in. */
void load_enter(struct load *load, enum load_step step) {
	static const enum provider_state states[] = {
			[LOAD_RESTING] = PROVIDER_FAILED,
			[LOAD_FETCHING] = PROVIDER_FETCHING,
			[LOAD_BUILDING] = PROVIDER_BUILDING,
			[LOAD_ASKING] = PROVIDER_NEEDS_CONSENT,
			[LOAD_TRYING] = PROVIDER_DISCOVERING,
	};
	load->step = step;
	if (load->provider->version == NULL) {
		load->provider->state = states[step];
	}
}

void load_fail(struct load *load, const char *words, const char *messages) {
	struct provider *provider = load->provider;
	cleanup_free char *first = strndup(words, strcspn(words, "\n"));
	cleanup_buf struct buf all = {0};
	buf_add_format(&all, "%s%s%s", words, messages[0] != '\0' ? "\n" : "", messages);
	load_stop(load);
	turn_words_set(&load->failure, first != NULL ? first : "no memory");
	turn_words_set(&load->details, buf_string(&all));
	load_enter(load, LOAD_RESTING);
	if (provider->version == NULL) {
		provider_set_why(provider, load->failure);
	} else {
		load_log(load, "the update failed: ", load->failure);
	}
}

/* ---- in its place ---- */

/* The one before can be gone back to. */
static void keep_previous(struct load *load) {
	const char *used = load->used.commit;
	if (used != NULL && used[0] != '\0' && strcmp(used, load->next.commit) != 0) {
		turn_words_set(&load->previous_commit, used);
		turn_words_set(&load->previous_tree, load->used.tree);
	}
}

static void log_running(struct load *load) {
	char words[FETCH_COMMIT_SIZE + 64];
	double ms = (double)(uv_hrtime() - load->began) / 1e6;
	if (!pinned_at(&load->used)) {
		load_log(load, "is the bundled provider ", load->used.bundled);
	} else if (load->cached) {
		snprintf(words, sizeof(words), "%s, from the cache in %.1f ms", load->used.commit,
				ms);
		load_log(load, "runs commit ", words);
	} else {
		load_log(load, "runs commit ", load->used.commit);
	}
}

void load_adopt(struct load *load, struct version *version) {
	struct provider *provider = load->provider;
	bool first = provider->version == NULL;
	keep_previous(load);
	struct pinned next = load->next;
	cleanup_free char *notice = strdup(load->notice);
	load->next = (struct pinned){0};
	if (load->is_allowed) {
		consent_finish(&load->granted);
		load->granted = load->allowed;
		load->allowed = (struct consent){0};
	}
	load_stop(load);
	turn_words_set(&load->notice, notice != NULL ? notice : "");
	pinned_move(&load->used, &next);
	load_save(load);
	if (version == NULL) {
		return;
	}
	log_running(load);
	version_hide_keys(version);
	provider_use(provider, version);
	if (first && load->cached) {
		discovery_begin(provider);
	} else {
		discovery_refresh(provider);
	}
}

/* ---- trying it beside the one in use ---- */

static void on_found(void *data, const struct job_model *model) {
	struct load *load = data;
	(void)model;
	load->found++;
}

static void on_probed(void *data, const struct exchange_result *result) {
	struct load *load = data;
	load->probe = NULL;
	if (result->code == 0 && (load->found != 0 || load->provider->place->n_models == 0)) {
		load_adopt(load, take(load->trial));
		return;
	}
	cleanup_buf struct buf words = {0};
	buf_add_format(&words, "commit %.12s isn't used: %s", load->next.commit,
			result->code != 0 ? result->words : "it finds no models");
	load_fail(load, buf_string(&words), "");
}

static void on_answered(uv_timer_t *timer) {
	struct load *load = timer->data;
	load_adopt(load, take(load->trial));
}

/* It would ask its service: it was loaded and works. A job can't be ended inside its own event. */
static void on_request(void *data, struct job_request *request) {
	struct load *load = data;
	(void)request;
	uv_timer_start(&load->timer, on_answered, 0, 0);
}

static void on_checked(void *data, const struct job_result *job) {
	struct load *load = data;
	/* Where the manifest lists the models it needn't find any, only live to say so. */
	bool fine = load->trial->manifest.models_static && job->code != EIO;
	struct exchange_result result = {.code = fine ? 0 : job->code, .words = job->words};
	load->check = NULL;
	load->found = load->provider->place->n_models;
	uv_timer_stop(&load->timer);
	on_probed(load, &result);
}

static void try_beside(struct load *load) {
	static const struct exchange_events probing = {.model = on_found, .end = on_probed};
	static const struct job_events checking = {.request = on_request, .end = on_checked};
	load_enter(load, LOAD_TRYING);
	turn_words_set(&load->progress, "asking it for its models");
	load->found = 0;
	if (discovery_lacks_key(load->trial) || load->trial->manifest.models_static) {
		load->check = job_discover(load->trial->process, &checking, load);
	} else {
		load->probe = discovery_try(load->trial, &probing, load);
	}
	if (load->check == NULL && load->probe == NULL) {
		load_fail(load, "no memory to try it", "");
	}
}

/* ---- from what was fetched to what may run ---- */

void load_proceed(struct load *load) {
	cleanup_fail struct fail fail = {0};
	struct provider *provider = load->provider;
	const struct pinned *next = &load->next;
	struct version_spec spec = {
			.driver = next->bundled[0] != '\0' ? next->bundled : NULL,
			.files = next->files,
			.object = next->object,
	};
	if (load->lent) {
		load_adopt(load, NULL);
		return;
	}
	load->trial = version_create(provider, &spec, &fail);
	if (load->trial == NULL) {
		load_fail(load, fail_words(&fail), "");
	} else if (provider->version == NULL) {
		load_adopt(load, take(load->trial));
	} else {
		try_beside(load);
	}
}

/* What isn't granted is asked for, a line each. */
static void ask(struct load *load, const char *missing) {
	struct provider *provider = load->provider;
	cleanup_buf struct buf words = {0};
	cleanup_free char *lines = strdup(missing);
	char *rest = lines, *line;
	buf_add_format(&words, "%s %s what isn't granted:\n", provider->name,
			provider->version == NULL ? "asks for" : "asks in its new version for");
	while (lines != NULL && (line = strsep(&rest, "\n")) != NULL) {
		if (line[0] != '\0') {
			buf_add_format(&words, "  %s\n", line);
			load_log(load, "asks for ", line);
		}
	}
	load_warn_of_key(load, &words);
	if (load->notice[0] != '\0') {
		buf_add_format(&words, "%s\n", load->notice);
	}
	buf_add_format(&words, "to grant all of this: echo allow %s > ctl, in the root",
			provider->name);
	turn_words_set(&load->details, buf_string(&words));
	turn_words_set(&load->progress, "");
	load_enter(load, LOAD_ASKING);
	if (provider->version == NULL) {
		cleanup_buf struct buf why = {0};
		buf_add_format(&why,
				"it asks for what isn't granted: error lists it; echo allow %s "
				"> ctl, in the root, grants it",
				provider->name);
		turn_words_set(&provider->why, buf_string(&why));
		load_save(load);
	}
}

void load_weigh(struct load *load) {
	cleanup_buf struct buf missing = {0};
	if (load->next.bundled[0] != '\0' || load_covers(load, &load->next.asked, &missing)) {
		load_proceed(load);
	} else {
		ask(load, buf_string(&missing));
	}
}

void load_withdraw(struct load *load) {
	struct provider *provider = load->provider;
	load_stop(load);
	pinned_move(&load->next, &load->used);
	if (!source_parse(&load->used.source, load->next.source.text, NULL)) {
		load->used = (struct pinned){0};
	}
	queue_interrupt(provider);
	exchange_leave_all(provider);
	provider_use(provider, NULL);
	load_weigh(load);
}
