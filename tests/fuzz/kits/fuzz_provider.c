/* Fuzzes the provider that it is linked with by replies to turns and to a discovery: whatever
 * comes, the job ends, keeps to provider.h's rules, and ends the same however the bytes are cut. */
#include "core/provider/replay/replay.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

extern const struct conduit_provider conduit_provider_entry;

/* A turn of this capability; NULL: a discovery. `aloud`: a voice is set. */
static struct replay run(const char *capability, bool aloud, const struct replay_exchange *exchange,
		enum replay_cut cut, size_t at) {
	static const struct conduit_part part = {0, "text/plain", "", 7};
	static const struct conduit_message message = {CONDUIT_USER, &part, 1};
	static const struct conduit_setting settings[] = {{"lines", "yes", 3}, {"voice", "v", 1}};
	static const struct replay_file file = {"hi\na\nbc", 7};
	const struct conduit_turn turn = {.model = "m",
			.capability = capability,
			.messages = &message,
			.n_messages = 1,
			.settings = settings,
			.n_settings = aloud ? 2 : 1};
	/* A page that leads to others gets itself again, a few times. */
	const struct replay_exchange exchanges[] = {*exchange, *exchange, *exchange, *exchange};
	struct replay_script script = {.base_url = "https://fuzz.example/v1",
			.exchanges = exchanges,
			.n_exchanges = 4,
			.files = &file,
			.n_files = 1,
			.cut = cut,
			.at = at};
	struct replay replay;
	if (capability != NULL) {
		replay_transform(&replay, &conduit_provider_entry, &script, &turn);
	} else {
		replay_discover(&replay, &conduit_provider_entry, &script);
	}
	return replay;
}

static bool same_text(const char *one, const char *other) {
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static bool same_results(const struct replay *one, const struct replay *other) {
	bool same = one->n_results == other->n_results;
	for (size_t i = 1; same && i < one->n_results; i++) {
		const struct buf *was = &one->results[i].bytes, *is = &other->results[i].bytes;
		same = was->size == is->size &&
		       memcmp(buf_string(was), buf_string(is), was->size) == 0 &&
		       same_text(one->results[i].type, other->results[i].type);
	}
	return same;
}

static bool same(const struct replay *one, const struct replay *other) {
	return one->output.size == other->output.size &&
	       memcmp(buf_string(&one->output), buf_string(&other->output), one->output.size) ==
			       0 &&
	       one->reasoning.size == other->reasoning.size && one->n_models == other->n_models &&
	       one->failed == other->failed && one->kind == other->kind &&
	       same_results(one, other) && same_text(one->words, other->words) &&
	       same_text(one->finish, other->finish);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	static const int statuses[] = {200, 200, 200, 400, 401, 429, 500, 503};
	static const char *const capabilities[] = {
			"text-to-text", "text-to-embedding", "text-to-rerank", "text-to-text"};
	if (size < 3) {
		return 0;
	}
	struct replay_exchange exchange = {.status = statuses[bytes[0] & 7],
			.content_type = (bytes[0] & 8) != 0 ? "text/event-stream"
							    : "application/json",
			.body = (const char *)bytes + 2,
			.size = size - 2};
	const char *capability = (bytes[0] & 16) == 0 ? capabilities[bytes[0] >> 5 & 3] : NULL;
	bool aloud = bytes[0] >> 5 == 3;
	struct replay whole = run(capability, aloud, &exchange, REPLAY_WHOLE, 0);
	struct replay cut = run(capability, aloud, &exchange, REPLAY_AT, bytes[1]);
	/* More pages than the script has is the script's fault. */
	bool ended = whole.finished || whole.failed || (capability == NULL && whole.n_requests > 4);
	if (!ended || !same(&whole, &cut)) {
		abort();
	}
	replay_finish(&whole);
	replay_finish(&cut);
	return 0;
}
