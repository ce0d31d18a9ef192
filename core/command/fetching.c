/* Fetching while a person waits: see fetching.h. */
#include "core/command/fetching.h"

#include "core/command/progress.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { SIGNALS = 3 };

struct fetching {
	uv_loop_t loop;
	uv_signal_t signals[SIGNALS];
	struct fetch *fetch; /* NULL once it ended */
	struct progress progress;
	bool quiet;
	int interrupted; /* the signal */
	int code;
	struct fetched *ret;
	struct fail *fail;
};

void fetched_finish(struct fetched *fetched) {
	free(fetched->commit);
	free(fetched->tree);
	free(fetched->files);
	free(fetched->object);
	free(fetched->messages);
	if (fetched->hold > 0) {
		close(fetched->hold);
	}
	*fetched = (struct fetched){0};
}

static char *copy(const char *text) {
	return strdup(text != NULL ? text : "");
}

static void on_progress(void *data, const struct fetch_progress *progress) {
	struct fetching *fetching = data;
	if (!fetching->quiet) {
		progress_show(&fetching->progress, progress->objects, progress->objects_total,
				progress->words);
	}
}

static void on_end(void *data, struct fetch_result *result) {
	struct fetching *fetching = data;
	fetching->fetch = NULL;
	fetching->code = result->code;
	*fetching->ret = (struct fetched){
			.commit = copy(result->commit),
			.tree = copy(result->tree),
			.files = copy(result->files),
			.object = copy(result->object),
			.messages = copy(result->messages),
			.rewritten = result->rewritten,
			.hold = result->hold,
	};
	result->hold = 0;
	if (result->code != 0) {
		fail_set(fetching->fail, result->code, "%s", result->words);
	}
	uv_stop(&fetching->loop);
}

static void on_signal(uv_signal_t *signal, int number) {
	struct fetching *fetching = signal->data;
	if (fetching->fetch != NULL) {
		fetch_cancel(take(fetching->fetch));
		fetching->interrupted = number;
		fetching->code = EINTR;
		fail_set(fetching->fail, EINTR, "interrupted: nothing was changed");
	}
	uv_stop(&fetching->loop);
}

static void watch_signals(struct fetching *fetching) {
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&fetching->loop, &fetching->signals[i]);
		fetching->signals[i].data = fetching;
		uv_signal_start(&fetching->signals[i], on_signal, numbers[i]);
	}
}

static bool begin(struct fetching *fetching, const struct fetching_options *options,
		struct fail *fail) {
	static const struct fetch_events events = {.progress = on_progress, .end = on_end};
	const struct fetch_options fetch_options = {
			.program = options->parts->fetcher,
			.cache = options->cache,
			.include = options->parts->include,
			.ca_file = getenv("CONDUITFS_CA_FILE"),
	};
	const struct fetch_request request = {.source = options->source,
			.commit = options->commit,
			.previous = options->previous};
	fetching->fetch = fetch_begin(
			&fetching->loop, &fetch_options, &request, &events, fetching, fail);
	return fetching->fetch != NULL;
}

bool fetching_run(const struct fetching_options *options, struct fetched *ret, struct fail *fail) {
	struct fetching fetching = {.quiet = options->quiet, .ret = ret, .fail = fail};
	uv_loop_init(&fetching.loop);
	watch_signals(&fetching);
	bool begun = begin(&fetching, options, fail);
	if (begun) {
		uv_run(&fetching.loop, UV_RUN_DEFAULT);
	}
	progress_end(&fetching.progress);
	for (int i = 0; i < SIGNALS; i++) {
		uv_close((uv_handle_t *)&fetching.signals[i], NULL);
	}
	/* Until the program is gone. */
	uv_run(&fetching.loop, UV_RUN_DEFAULT);
	uv_loop_close(&fetching.loop);
	return begun && fetching.code == 0;
}
