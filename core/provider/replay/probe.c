/* Failures that nobody recorded: a turn's first request is answered with each HTTP status of the
 * manual's table of errors, and must fail with the errno that stands there. */
#include "core/base/text.h"
#include "core/provider/replay/recorded.h"
#include "core/wire/failure_kind.h"

#include <string.h>

static const struct expected_kind {
	int status;
	enum conduit_kind kind, or_kind;
} table[] = {
		{400, CONDUIT_FAIL_INVALID, CONDUIT_FAIL_INVALID},
		{401, CONDUIT_FAIL_BAD_KEY, CONDUIT_FAIL_NO_KEY},
		{402, CONDUIT_FAIL_QUOTA, CONDUIT_FAIL_QUOTA},
		{403, CONDUIT_FAIL_FORBIDDEN, CONDUIT_FAIL_MODERATED},
		{404, CONDUIT_FAIL_GONE, CONDUIT_FAIL_GONE},
		{408, CONDUIT_FAIL_TIMED_OUT, CONDUIT_FAIL_TIMED_OUT},
		{413, CONDUIT_FAIL_TOO_LONG, CONDUIT_FAIL_TOO_LONG},
		{422, CONDUIT_FAIL_INVALID, CONDUIT_FAIL_INVALID},
		{429, CONDUIT_FAIL_BUSY, CONDUIT_FAIL_QUOTA},
		{500, CONDUIT_FAIL_UPSTREAM, CONDUIT_FAIL_UPSTREAM},
		{502, CONDUIT_FAIL_UPSTREAM, CONDUIT_FAIL_UPSTREAM},
		{503, CONDUIT_FAIL_UPSTREAM, CONDUIT_FAIL_UPSTREAM},
		{504, CONDUIT_FAIL_TIMED_OUT, CONDUIT_FAIL_TIMED_OUT},
		{524, CONDUIT_FAIL_TIMED_OUT, CONDUIT_FAIL_TIMED_OUT},
};

static const struct body {
	const char *what, *type, *text;
} bodies[] = {
		{"JSON", "application/json", "{\"error\":{\"message\":\"said by check\"}}"},
		{"a page of HTML", "text/html", "<html><title>said by check</title></html>"},
		{"no body", "", ""},
};

static void add_fault(const struct exchange *exchange, const struct expected_kind *expected,
		const struct body *body, const struct replay *replay, struct buf *faults) {
	const char *should = errno_name(failure_kind_errno(expected->kind));
	buf_add_format(faults, "%s: a reply of HTTP %d with %s ", exchange->path, expected->status,
			body->what);
	if (replay->broken != NULL) {
		buf_add_format(faults, "breaks a rule: %s\n", replay->broken);
	} else if (!replay->failed) {
		buf_add_format(faults,
				"is taken for an answer; it must fail with %s: "
				"conduit_http_failure sees to it\n",
				should);
	} else {
		buf_add_format(faults,
				"fails with %s (%s), and the manual says %s (%s): "
				"conduit_http_failure sees to it\n",
				errno_name(failure_kind_errno(replay->kind)),
				failure_kind_name(replay->kind), should,
				failure_kind_name(expected->kind));
	}
}

static void probe(const struct exchange *exchange, const struct conduit_provider *provider,
		const struct expected_kind *expected, const struct body *body,
		struct exchange_report *report) {
	struct replay_exchange reply = {
			.status = expected->status,
			.content_type = body->type,
			.body = body->text,
			.size = strlen(body->text),
	};
	struct replay_script script = exchange->script;
	script.exchanges = &reply;
	script.n_exchanges = 1;
	struct replay replay;
	replay_transform(&replay, provider, &script, &exchange->turn);
	report->replays++;
	bool good = replay.broken == NULL && replay.failed &&
		    (replay.kind == expected->kind || replay.kind == expected->or_kind);
	if (!good) {
		add_fault(exchange, expected, body, &replay, &report->faults);
	}
	replay_finish(&replay);
}

void exchange_probe(const struct exchange *exchange, const struct conduit_provider *provider,
		struct exchange_report *report) {
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (size_t j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++) {
			probe(exchange, provider, &table[i], &bodies[j], report);
		}
	}
}
