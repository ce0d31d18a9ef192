/* From a source to what was fetched and built of it: see load_private.h. */
#include "core/engine/engine.h"
#include "core/engine/load/load_private.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static bool fill(struct pinned *next, const struct fetch_result *result, const char *bundled) {
	return turn_words_set(&next->commit, result->commit) &&
	       turn_words_set(&next->tree, result->tree) &&
	       turn_words_set(&next->files, result->files) &&
	       turn_words_set(&next->object, result->object) &&
	       turn_words_set(&next->bundled, bundled);
}

/* Who follows a branch must learn that it isn't the one that they knew, before and after. */
static void tell_rewritten(struct load *load) {
	cleanup_buf struct buf words = {0};
	buf_add_format(&words,
			"the history of %s was rewritten, by a forced push perhaps: it leads no "
			"more to %.12s, which rollback goes back to",
			load->used.source.text, load->used.commit);
	turn_words_set(&load->notice, buf_string(&words));
	load_log(load, load->notice, "");
}

/* False with words that may hold several lines. */
static bool take_in(struct load *load, struct fetch_result *result, struct fail *fail) {
	struct pinned *next = &load->next;
	char path[PATH_MAX];
	cleanup(manifest_finish) struct manifest manifest = {0};
	int length = snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", result->files);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return fail_set(fail, ENAMETOOLONG, "%s: the path is too long", result->files);
	}
	if (result->rewritten) {
		tell_rewritten(load);
	}
	next->hold = result->hold;
	result->hold = 0;
	if (!fill(next, result, "")) {
		return fail_set(fail, ENOMEM, "no memory for what was fetched");
	}
	if (!manifest_read(&manifest, path, fail) || !load_name(load, &manifest, fail)) {
		return false;
	}
	bool complete = turn_words_set(&next->service_url, manifest.service_url) &&
			(next->bundled[0] != '\0' || consent_of_manifest(&next->asked, &manifest));
	return complete || fail_set(fail, ENOMEM, "no memory for what was fetched");
}

static void arrived(struct load *load, struct fetch_result *result) {
	cleanup_fail struct fail fail = {0};
	if (result->code != 0) {
		load_fail(load, result->words, result->messages);
	} else if (!take_in(load, result, &fail)) {
		load_fail(load, fail_words(&fail), "");
	} else if (load->provider->version != NULL && pinned_same(&load->used, &load->next)) {
		/* Perhaps by another ref. */
		load_log(load, "is up to date: commit ", load->used.commit);
		load_adopt(load, NULL);
	} else {
		load_weigh(load);
	}
}

static void on_progress(void *data, const struct fetch_progress *progress) {
	struct load *load = data;
	turn_words_set(&load->progress, progress->words);
	load_enter(load, progress->stage == FETCH_BUILDING ? LOAD_BUILDING : LOAD_FETCHING);
}

static void on_fetched(void *data, struct fetch_result *result) {
	struct load *load = data;
	load->fetch = NULL;
	arrived(load, result);
}

static void begin_bundled(struct load *load) {
	static char none[] = "";
	const struct fetch_result nothing = {.files = none, .object = none};
	if (fill(&load->next, &nothing, load->next.source.url)) {
		load_weigh(load);
	} else {
		load_fail(load, "no memory for a provider", "");
	}
}

void load_begin(struct load *load, const struct source *source, const char *commit) {
	static const struct fetch_events events = {.progress = on_progress, .end = on_fetched};
	struct engine *engine = load->provider->engine;
	struct fetch_result cached = {0};
	cleanup_fail struct fail fail = {0};
	struct pinned next = {0};
	bool parsed = source_parse(&next.source, source->text, &fail);
	load_stop(load);
	load->next = next;
	if (!parsed) {
		load_fail(load, fail_words(&fail), "");
		return;
	}
	load->began = uv_hrtime();
	load->cached = false;
	if (source->kind == SOURCE_BUNDLED) {
		begin_bundled(load);
		return;
	}
	struct fetch_options options = loads_fetch_options(engine);
	bool same_ref = strcmp(load->next.source.text, load->used.source.text) == 0;
	const char *exactly = commit != NULL && commit[0] != '\0' ? commit : NULL;
	load->cached = exactly != NULL &&
		       fetch_cached(&options, &load->next.source, exactly, &cached);
	if (load->cached) {
		arrived(load, &cached);
		fetch_result_finish(&cached);
		return;
	}
	struct fetch_request request = {.source = &load->next.source,
			.commit = exactly,
			.previous = exactly == NULL && same_ref ? load->used.commit : NULL};
	load_enter(load, LOAD_FETCHING);
	turn_words_set(&load->progress, "connecting");
	load->fetch = options.program != NULL ? fetch_begin(engine->loop, &options, &request,
								&events, load, &fail)
					      : NULL;
	if (load->fetch == NULL) {
		load_fail(load, fail.code != 0 ? fail_words(&fail) : "nothing can fetch it here",
				"");
	} else {
		load_log(load, "fetching ", load->next.source.text);
	}
}
