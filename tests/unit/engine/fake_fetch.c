/* See fake_fetch.h. */
#include "tests/unit/engine/fake_fetch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define ENTRIES_MOST 32

struct entry {
	char *source, *files, *object;
	char commit[FETCH_COMMIT_SIZE];
	bool cached;
};

struct fetch {
	uv_timer_t timer;
	struct fetch_events events;
	void *data;
	char *source;
	char commit[FETCH_COMMIT_SIZE];
};

size_t fake_begun, fake_cancelled, fake_under_way;
char fake_asked[FETCH_COMMIT_SIZE];

static struct entry entries[ENTRIES_MOST];
static size_t n_entries;
static bool held, broken;
static struct fetch_progress stage;
static char stage_words[256], break_words[1024], break_messages[1024];

void fake_reset(void) {
	for (size_t i = 0; i < n_entries; i++) {
		free(entries[i].source);
		free(entries[i].files);
		free(entries[i].object);
	}
	memset(entries, 0, sizeof(entries));
	n_entries = fake_begun = fake_cancelled = fake_under_way = 0;
	held = broken = false;
	fake_asked[0] = '\0';
}

void fake_put(const char *directory, const char *source, const char *commit, const char *manifest,
		const char *object) {
	struct entry *entry = &entries[n_entries++];
	char path[512];
	entry->source = strdup(source);
	entry->object = strdup(object);
	snprintf(entry->commit, sizeof(entry->commit), "%s", commit);
	if (asprintf(&entry->files, "%s/files-%.12s", directory, commit) < 0) {
		abort();
	}
	mkdir(entry->files, 0700);
	snprintf(path, sizeof(path), "%s/MediaConduit.provider.yml", entry->files);
	FILE *file = fopen(path, "we");
	fputs(manifest, file);
	fclose(file);
	broken = false;
}

void fake_break(const char *words, const char *messages) {
	broken = true;
	snprintf(break_words, sizeof(break_words), "%s", words);
	snprintf(break_messages, sizeof(break_messages), "%s", messages);
}

void fake_hold(enum fetch_stage at, const char *words) {
	held = true;
	snprintf(stage_words, sizeof(stage_words), "%s", words);
	stage = (struct fetch_progress){.stage = at, .words = stage_words};
}

void fake_let_go(void) {
	held = false;
}

void fake_forget(void) {
	for (size_t i = 0; i < n_entries; i++) {
		entries[i].cached = false;
	}
}

/* The newest of a source, or exactly a commit. */
static struct entry *find(const char *source, const char *commit) {
	for (size_t i = n_entries; i-- > 0;) {
		bool exactly = commit != NULL && commit[0] != '\0';
		if (strcmp(entries[i].source, source) == 0 &&
				(!exactly || strcmp(entries[i].commit, commit) == 0)) {
			return &entries[i];
		}
	}
	return NULL;
}

static void fill(struct fetch_result *ret, const struct entry *entry) {
	*ret = (struct fetch_result){.words = strdup(""),
			.files = strdup(entry->files),
			.object = strdup(entry->object),
			.messages = strdup("")};
	snprintf(ret->commit, sizeof(ret->commit), "%s", entry->commit);
	snprintf(ret->tree, sizeof(ret->tree), "%s", entry->commit);
}

static void on_closed(uv_handle_t *handle) {
	struct fetch *fetch = handle->data;
	free(fetch->source);
	free(fetch);
}

static void finish(struct fetch *fetch) {
	fake_under_way--;
	uv_close((uv_handle_t *)&fetch->timer, on_closed);
}

static void on_turn(uv_timer_t *timer) {
	struct fetch *fetch = timer->data;
	struct fetch_result result = {.code = EIO,
			.words = strdup(broken ? break_words : "there is no such source"),
			.files = strdup(""),
			.object = strdup(""),
			.messages = strdup(broken ? break_messages : "")};
	struct entry *entry = find(fetch->source, fetch->commit);
	if (held) {
		fetch->events.progress(fetch->data, &stage);
		fetch_result_finish(&result);
		return;
	}
	if (!broken && entry != NULL) {
		fetch_result_finish(&result);
		fill(&result, entry);
		entry->cached = true;
	}
	uv_timer_stop(&fetch->timer);
	fetch->events.end(fetch->data, &result);
	fetch_result_finish(&result);
	finish(fetch);
}

struct fetch *fetch_begin(uv_loop_t *loop, const struct fetch_options *options,
		const struct fetch_request *request, const struct fetch_events *events, void *data,
		struct fail *fail) {
	(void)options, (void)fail;
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	fake_begun++;
	fake_under_way++;
	fetch->events = *events;
	fetch->data = data;
	fetch->source = strdup(request->source->text);
	snprintf(fetch->commit, sizeof(fetch->commit), "%s",
			request->commit != NULL ? request->commit : "");
	snprintf(fake_asked, sizeof(fake_asked), "%s", fetch->commit);
	uv_timer_init(loop, &fetch->timer);
	fetch->timer.data = fetch;
	uv_timer_start(&fetch->timer, on_turn, 1, 2);
	return fetch;
}

void fetch_cancel(struct fetch *fetch) {
	if (fetch != NULL) {
		fake_cancelled++;
		finish(fetch);
	}
}

bool fetch_cached(const struct fetch_options *options, const struct source *source,
		const char *commit, struct fetch_result *ret) {
	(void)options;
	const struct entry *entry = find(source->text, commit);
	if (entry == NULL || !entry->cached) {
		return false;
	}
	fill(ret, entry);
	return true;
}

void fetch_result_finish(struct fetch_result *result) {
	free(result->words);
	free(result->files);
	free(result->object);
	free(result->messages);
	*result = (struct fetch_result){0};
}

char *fetch_cache_directory(void) {
	return strdup("/nonexistent");
}
