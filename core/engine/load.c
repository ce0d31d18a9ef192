/* A version that comes in, step by step, to its place or to its failure: see load.h. */
#include "core/engine/load.h"

#include "core/engine/discovery.h"
#include "core/engine/engine.h"
#include "core/engine/load_private.h"
#include "core/engine/queue.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* ---- what is pinned ---- */

static void pinned_finish(struct pinned *pinned) {
	source_finish(&pinned->source);
	free(pinned->commit);
	free(pinned->tree);
	free(pinned->files);
	free(pinned->object);
	free(pinned->bundled);
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

static bool same_commit(const struct pinned *a, const struct pinned *b) {
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
	load->failure = strdup("");
	load->details = strdup("");
	uv_timer_init(provider->engine->loop, &load->timer);
	load->timer.data = load;
	bool whole = load->previous_commit != NULL && load->previous_tree != NULL &&
		     load->progress != NULL && load->failure != NULL && load->details != NULL;
	if (!whole || !source_parse(&load->used.source, source->text, NULL)) {
		load_destroy(load);
		return NULL;
	}
	provider->load = load;
	return load;
}

/* Ends what is coming in. */
static void stop(struct load *load) {
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
	stop(load);
	pinned_finish(&load->used);
	consent_finish(&load->granted);
	free(load->previous_commit);
	free(load->previous_tree);
	free(load->progress);
	free(load->failure);
	free(load->details);
	uv_close((uv_handle_t *)&load->timer, on_timer_closed);
}

static void log_line(struct load *load, const char *what, const char *words) {
	cleanup_free char *line = NULL;
	if (asprintf(&line, "%s%s", what, words) < 0) {
		line = NULL;
	}
	provider_log(load->provider, line != NULL ? line : what);
}

/* A provider that has no version yet is in the state of what is coming in. */
static void enter(struct load *load, enum load_step step) {
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
	stop(load);
	turn_words_set(&load->failure, first != NULL ? first : "no memory");
	turn_words_set(&load->details, buf_string(&all));
	enter(load, LOAD_RESTING);
	if (provider->version == NULL) {
		provider_set_why(provider, load->failure);
	} else {
		log_line(load, "the update failed: ", load->failure);
	}
}

/* ---- in its place ---- */

/* The one before can be gone back to. */
static void keep_previous(struct load *load) {
	if (pinned_at(&load->used) && strcmp(load->used.commit, load->next.commit) != 0) {
		turn_words_set(&load->previous_commit, load->used.commit);
		turn_words_set(&load->previous_tree, load->used.tree);
	}
}

static void adopt(struct load *load, struct version *version) {
	struct provider *provider = load->provider;
	bool first = provider->version == NULL;
	keep_previous(load);
	struct pinned next = load->next;
	load->next = (struct pinned){0};
	if (load->is_allowed) {
		consent_finish(&load->granted);
		load->granted = load->allowed;
		load->allowed = (struct consent){0};
	}
	stop(load);
	pinned_move(&load->used, &next);
	load_save(load);
	if (version == NULL) {
		return;
	}
	log_line(load, "runs commit ", load->used.commit);
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
		adopt(load, take(load->trial));
		return;
	}
	cleanup_buf struct buf words = {0};
	buf_add_format(&words, "commit %.12s isn't used: %s", load->next.commit,
			result->code != 0 ? result->words : "it finds no models");
	load_fail(load, buf_string(&words), "");
}

static void on_answered(uv_timer_t *timer) {
	struct load *load = timer->data;
	adopt(load, take(load->trial));
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
	enter(load, LOAD_TRYING);
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
		adopt(load, NULL);
		return;
	}
	load->trial = version_create(provider, &spec, &fail);
	if (load->trial == NULL) {
		load_fail(load, fail_words(&fail), "");
	} else if (provider->version == NULL) {
		adopt(load, take(load->trial));
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
			log_line(load, "asks for ", line);
		}
	}
	load_warn_of_key(load, &words);
	buf_add_format(&words, "to grant all of this: echo allow %s > ctl, in the root",
			provider->name);
	turn_words_set(&load->details, buf_string(&words));
	turn_words_set(&load->progress, "");
	enter(load, LOAD_ASKING);
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
	stop(load);
	pinned_move(&load->next, &load->used);
	if (!source_parse(&load->used.source, load->next.source.text, NULL)) {
		load->used = (struct pinned){0};
	}
	queue_interrupt(provider);
	exchange_leave_all(provider);
	provider_use(provider, NULL);
	load_weigh(load);
}

/* ---- fetching ---- */

/* False with words that may hold several lines. */
static bool take_in(struct load *load, struct fetch_result *result, struct fail *fail) {
	struct pinned *next = &load->next;
	char path[PATH_MAX];
	cleanup(manifest_finish) struct manifest manifest = {0};
	int length = snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", result->files);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return fail_set(fail, ENAMETOOLONG, "%s: the path is too long", result->files);
	}
	next->hold = result->hold;
	result->hold = 0;
	if (!turn_words_set(&next->commit, result->commit) ||
			!turn_words_set(&next->tree, result->tree) ||
			!turn_words_set(&next->files, result->files) ||
			!turn_words_set(&next->object, result->object) ||
			!turn_words_set(&next->bundled, "")) {
		return fail_set(fail, ENOMEM, "no memory for what was fetched");
	}
	if (!manifest_read(&manifest, path, fail) || !load_name(load, &manifest, fail)) {
		return false;
	}
	return consent_of_manifest(&next->asked, &manifest) ||
	       fail_set(fail, ENOMEM, "no memory for what was fetched");
}

static void arrived(struct load *load, struct fetch_result *result) {
	cleanup_fail struct fail fail = {0};
	if (result->code != 0) {
		load_fail(load, result->words, result->messages);
	} else if (!take_in(load, result, &fail)) {
		load_fail(load, fail_words(&fail), "");
	} else if (load->provider->version != NULL && same_commit(&load->used, &load->next)) {
		/* Perhaps by another ref. */
		log_line(load, "is up to date: commit ", load->used.commit);
		adopt(load, NULL);
	} else {
		load_weigh(load);
	}
}

static void on_progress(void *data, const struct fetch_progress *progress) {
	struct load *load = data;
	turn_words_set(&load->progress, progress->words);
	enter(load, progress->stage == FETCH_BUILDING ? LOAD_BUILDING : LOAD_FETCHING);
}

static void on_fetched(void *data, struct fetch_result *result) {
	struct load *load = data;
	load->fetch = NULL;
	arrived(load, result);
}

void load_begin(struct load *load, const struct source *source, const char *commit) {
	static const struct fetch_events events = {.progress = on_progress, .end = on_fetched};
	struct engine *engine = load->provider->engine;
	struct fetch_result cached = {0};
	cleanup_fail struct fail fail = {0};
	struct pinned next = {0};
	bool parsed = source_parse(&next.source, source->text, &fail);
	stop(load);
	load->next = next;
	if (!parsed) {
		load_fail(load, fail_words(&fail), "");
		return;
	}
	struct fetch_options options = loads_fetch_options(engine);
	const char *exactly = commit != NULL && commit[0] != '\0' ? commit : NULL;
	load->cached = exactly != NULL &&
		       fetch_cached(&options, &load->next.source, exactly, &cached);
	if (load->cached) {
		arrived(load, &cached);
		fetch_result_finish(&cached);
		return;
	}
	struct fetch_request request = {.source = &load->next.source, .commit = exactly};
	enter(load, LOAD_FETCHING);
	turn_words_set(&load->progress, "connecting");
	load->fetch = options.program != NULL ? fetch_begin(engine->loop, &options, &request,
								&events, load, &fail)
					      : NULL;
	if (load->fetch == NULL) {
		load_fail(load, fail.code != 0 ? fail_words(&fail) : "nothing can fetch it here",
				"");
	} else {
		log_line(load, "fetching ", load->next.source.text);
	}
}
