/* Requests that withdraw jobs: see withdraw.h. */
#include "core/engine/run/withdraw.h"

#include "core/base/strings.h"
#include "core/engine/engine.h"
#include "core/engine/load/load_private.h"

#include <string.h>

/* At a time; a service that takes none of them in 15 s is past saving. */
#define WITHDRAWALS_MOST 256
/* Of the reply, which nobody reads. */
#define REPLY_MOST ((uint64_t)1 << 20)

struct withdrawing {
	struct list link; /* in engine->withdrawals */
	struct engine *engine;
	struct transfer *transfer;
	char *provider; /* its name: the provider may be gone before this one ends */
	char *what;
	int status;
};

void withdrawal_finish(struct withdrawal *withdrawal) {
	free(withdrawal->method);
	free(withdrawal->url);
	strings_free(withdrawal->headers);
	body_finish(&withdrawal->body);
	*withdrawal = (struct withdrawal){0};
}

bool withdrawal_set(struct withdrawal *withdrawal, const struct job_request *request) {
	withdrawal_finish(withdrawal);
	if (request == NULL) {
		return true;
	}
	withdrawal->method = strdup(request->method);
	withdrawal->url = strdup(request->url);
	bool copied = strings_copy(&withdrawal->headers, (char *const *)request->headers) &&
		      body_copy(&withdrawal->body, request->body) && withdrawal->method != NULL &&
		      withdrawal->url != NULL;
	if (!copied) {
		withdrawal_finish(withdrawal);
	}
	return copied;
}

static void withdrawing_free(struct withdrawing *withdrawing) {
	list_remove(&withdrawing->link);
	withdrawing->engine->n_withdrawals--;
	free(withdrawing->provider);
	free(withdrawing->what);
	free(withdrawing);
}

static void on_head(void *data, const struct transfer_head *head) {
	struct withdrawing *withdrawing = data;
	withdrawing->status = head->status;
}

static bool on_data(void *data, const void *bytes, size_t size) {
	(void)data, (void)bytes, (void)size;
	return true;
}

static void on_end(void *data, const struct transfer_result *result) {
	struct withdrawing *withdrawing = data;
	struct provider *provider = load_find(withdrawing->engine, withdrawing->provider);
	cleanup_buf struct buf line = {0};
	if (withdrawing->status != 0) {
		buf_add_format(&line, "the job was withdrawn: %s: HTTP %d", withdrawing->what,
				withdrawing->status);
	} else {
		buf_add_format(&line, "the job may go on, for it couldn't be withdrawn: %s: %s",
				withdrawing->what, result->words != NULL ? result->words : "");
	}
	if (provider != NULL) {
		provider_log(provider, buf_string(&line));
	}
	withdrawing_free(withdrawing);
}

/* The transfer copies what it needs of the version, whose provider may go meanwhile. */
static struct transfer *start(struct withdrawing *withdrawing, const struct withdrawal *withdrawal,
		struct version *version) {
	static const struct transfer_events events = {
			.head = on_head, .data = on_data, .end = on_end};
	cleanup_buf struct buf key = {0};
	bool keyed = version_key_header(version, &key);
	struct transfer_request request = {
			.method = withdrawal->method,
			.url = withdrawal->url,
			.headers = (const char *const *)withdrawal->headers,
			.body = withdrawal->body.n_parts != 0 ? &withdrawal->body : NULL,
			.key_header = keyed ? buf_string(&key) : NULL,
			.hosts = version->hosts,
			.n_hosts = version->n_hosts,
			.timeouts = {.connect = 5, .first_byte = 10, .idle = 10, .total = 15},
			.body_most = REPLY_MOST,
	};
	struct transfer *transfer = transfer_start(
			withdrawing->engine->transfers, &request, &events, withdrawing);
	if (key.data != NULL) {
		explicit_bzero(key.data, key.size);
	}
	return transfer;
}

void withdrawal_send(struct withdrawal *withdrawal, struct version *version) {
	struct engine *engine = version->provider->engine;
	if (withdrawal->url == NULL || engine->closing ||
			engine->n_withdrawals == WITHDRAWALS_MOST) {
		return;
	}
	struct withdrawing *withdrawing = calloc(1, sizeof(*withdrawing));
	if (withdrawing == NULL) {
		return;
	}
	withdrawing->engine = engine;
	withdrawing->provider = strdup(version->provider->name);
	list_append(&engine->withdrawals, &withdrawing->link);
	engine->n_withdrawals++;
	if (withdrawing->provider == NULL ||
			asprintf(&withdrawing->what, "%s %.300s", withdrawal->method,
					withdrawal->url) < 0 ||
			(withdrawing->transfer = start(withdrawing, withdrawal, version)) == NULL) {
		withdrawing_free(withdrawing);
	}
	withdrawal_finish(withdrawal);
}

void withdrawals_drop(struct engine *engine) {
	struct withdrawing *withdrawing;
	list_for_each(withdrawing, &engine->withdrawals, link) {
		transfer_cancel(withdrawing->transfer);
		withdrawing_free(withdrawing);
	}
}
