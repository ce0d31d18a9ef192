/* Conversations as a whole: see conversation.h. A history that comes from elsewhere is kept as a
 * turn that was never sent: it has a number, costs nothing, and what is written next goes on from
 * there. */
#include "core/engine/session/conversation.h"

#include "core/base/siphash.h"
#include "core/engine/run/queue.h"
#include "core/engine/session/session.h"
#include "core/turn/chain_map.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const char *system_of(struct engine *engine, struct place *place) {
	return engine_setting(engine, place, "system");
}

uint64_t conversation_version(struct engine *engine, struct place *session) {
	const char *system = system_of(engine, session);
	const struct siphash_key key = {turn_changes(engine->turns, session->id), 0};
	return siphash(key, system, strlen(system));
}

bool conversation_at_rest(struct engine *engine, struct place *session, struct fail *fail) {
	size_t running, queued;
	queue_count(engine, session->id, &running, &queued);
	if (running + queued != 0) {
		return fail_set(fail, EBUSY,
				"turns of the session are under way (%zu): wait until they are "
				"over, or: echo cancel > ctl",
				running + queued);
	}
	return true;
}

/* ---- showing ---- */

/* Few enough bytes to be held at once. */
static bool gather(struct engine *engine, int64_t last, struct history *ret, struct fail *fail) {
	if (!history_gather(engine->turns, last, ret, fail)) {
		return false;
	}
	if (ret->bytes > HISTORY_BYTES_MOST) {
		fail_set(fail, EFBIG,
				"the conversation has %llu bytes; at most %zu are shown or copied "
				"as a "
				"whole: its turns are in turns/",
				(unsigned long long)ret->bytes, HISTORY_BYTES_MOST);
		history_finish(ret);
		return false;
	}
	return true;
}

/* Calls for each message with its text, oldest first. */
typedef bool text_visit(
		void *data, const struct history_message *message, const char *text, size_t size);

static bool each_text(struct engine *engine, const struct history *history, text_visit *visit,
		void *data, struct fail *fail) {
	cleanup_buf struct buf text = {0};
	for (size_t i = 0; i < history->n; i++) {
		buf_clear(&text);
		if (!history_read(engine->turns, &history->messages[i], &text, fail)) {
			return false;
		}
		if (!visit(data, &history->messages[i], buf_string(&text), text.size)) {
			return fail_set(fail, EFBIG, "the conversation is too large to be shown");
		}
	}
	return true;
}

static bool add_message(
		void *data, const struct history_message *message, const char *text, size_t size) {
	return messages_add(data, message->answer ? "assistant" : "user", text, size);
}

bool conversation_show(
		struct engine *engine, struct place *session, struct buf *out, struct fail *fail) {
	cleanup(history_finish) struct history history = {0};
	const char *system = system_of(engine, session);
	if (!gather(engine, turn_last(engine->turns, session->id), &history, fail)) {
		return false;
	}
	messages_begin(out);
	if (system[0] != '\0') {
		messages_add(out, "system", system, strlen(system));
	}
	return each_text(engine, &history, add_message, out, fail) &&
	       (messages_end(out) ||
			       fail_set(fail, EFBIG, "the conversation is too large to be shown"));
}

struct transcript {
	struct engine *engine;
	struct buf *out;
};

/* "**user**, turn 000003, 2026-05-01 12:00:00 UTC" or "**openrouter/acme/one**". */
static bool add_heading(struct transcript *transcript, const struct history_message *message) {
	cleanup_turn struct turn *turn = turn_get(transcript->engine->turns, message->turn);
	if (turn == NULL || turn->row.imported) {
		return buf_add_format(transcript->out, "**%s**\n\n",
				message->answer ? "assistant" : "user");
	}
	if (message->answer) {
		return buf_add_format(transcript->out, "**%s/%s**\n\n", turn->row.provider,
				turn->row.model);
	}
	char when[32];
	time_t seconds = turn->row.submitted / 1000000;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &utc);
	return buf_add_format(transcript->out, "**user**, turn %06lld, %s\n\n",
			(long long)turn->row.number, when);
}

static bool add_spoken(
		void *data, const struct history_message *message, const char *text, size_t size) {
	struct transcript *transcript = data;
	return (transcript->out->size == 0 || buf_add_byte(transcript->out, '\n')) &&
	       add_heading(transcript, message) && buf_add(transcript->out, text, size) &&
	       buf_add_byte(transcript->out, '\n');
}

bool conversation_transcript(
		struct engine *engine, struct place *session, struct buf *out, struct fail *fail) {
	cleanup(history_finish) struct history history = {0};
	struct transcript transcript = {engine, out};
	const char *system = system_of(engine, session);
	if (!gather(engine, turn_last(engine->turns, session->id), &history, fail)) {
		return false;
	}
	if (system[0] != '\0') {
		buf_add_format(out, "**system**\n\n%s\n", system);
	}
	return each_text(engine, &history, add_spoken, &transcript, fail);
}

/* ---- a history from elsewhere ---- */

static void row_imported(struct engine *engine, struct turn *turn, const char *finish) {
	struct turn_row *row = &turn->row;
	int64_t id = turn_last(engine->turns, row->place);
	cleanup_turn struct turn *last = id != 0 ? turn_get(engine->turns, id) : NULL;
	int64_t now = now_us();
	/* After what was submitted last, though the clock was set back. */
	if (last != NULL && now <= last->row.submitted) {
		now = last->row.submitted + 1;
	}
	row->imported = true;
	row->state = TURN_DONE;
	row->submitted = row->started = row->finished = now;
	row->prompt_tokens = row->completion_tokens = row->cost = 0;
	turn_words_set(&row->cost_source, "computed");
	turn_words_set(&row->finish, finish);
}

/* From here on the place's conversation, or that of the chain's processes, is this one. `origin`:
 * the turn that it leads up to, or 0. */
static bool import(struct engine *engine, struct place *place, const struct chain *chain,
		const struct history_text *texts, size_t n, const char *finish, int64_t origin,
		struct fail *fail) {
	cleanup_turn struct turn *turn = turn_create(engine->turns, place->id, TURN_REAL, fail);
	if (turn == NULL) {
		return false;
	}
	if (!history_write(turn, texts, n, fail)) {
		turn_drop(turn);
		return false;
	}
	row_imported(engine, turn, finish);
	turn->row.origin = origin;
	if (!store_turn_insert(engine->store, &turn->row, fail)) {
		turn_drop(turn);
		return false;
	}
	turn_store(turn);
	chain_map_record(engine->chains, place->id, chain, turn->row.id);
	if (engine->options.turns_changed != NULL) {
		engine->options.turns_changed(engine->options.data, place->id);
	}
	store_sync_soon(engine->store, turn->row.id);
	turn_changed(turn);
	return true;
}

/* Whether these are the messages of a history, whose bytes are read only when the sizes agree. */
static bool same_texts(struct engine *engine, const struct history *history,
		const struct messages *messages) {
	cleanup_buf struct buf text = {0};
	bool same = history->n == messages->n;
	for (size_t i = 0; same && i < history->n; i++) {
		same = history->messages[i].answer == messages->texts[i].answer &&
		       history->messages[i].size == messages->texts[i].size;
	}
	for (size_t i = 0; same && i < history->n; i++) {
		buf_clear(&text);
		same = history_read(engine->turns, &history->messages[i], &text, NULL) &&
		       memcmp(buf_string(&text), messages->texts[i].text, text.size) == 0;
	}
	return same;
}

static bool is_shown(
		struct engine *engine, struct place *session, const struct messages *messages) {
	cleanup(history_finish) struct history history = {0};
	const char *system = messages->system != NULL ? messages->system : "";
	return strcmp(system, system_of(engine, session)) == 0 &&
	       gather(engine, turn_last(engine->turns, session->id), &history, NULL) &&
	       same_texts(engine, &history, messages);
}

/* Makes the first message's system text the one in force. `ret_before`: the session's own until
 * now, owned, to go back to. */
static bool replace_system(struct engine *engine, struct place *session, const char *system,
		char **ret_before, struct fail *fail) {
	int index = setting_find("system");
	const char *own = values_own(engine->values, session->id, index);
	*ret_before = own != NULL ? strdup(own) : NULL;
	if (own != NULL && *ret_before == NULL) {
		return fail_set(fail, ENOMEM, "no memory for messages.json");
	}
	if (system == NULL) {
		return own == NULL || values_set(engine->values, session->id, index, NULL, fail);
	}
	cleanup_free char *value = setting_check(index, system, strlen(system), fail);
	return value != NULL &&
	       (strcmp(value, system_of(engine, session)) == 0 ||
			       values_set(engine->values, session->id, index, value, fail));
}

bool conversation_replace(struct engine *engine, struct place *session, const struct chain *chain,
		const struct messages *messages, struct fail *fail) {
	cleanup_free char *before = NULL;
	if (is_shown(engine, session, messages)) {
		return true;
	}
	if (!conversation_at_rest(engine, session, fail) ||
			!replace_system(engine, session, messages->system, &before, fail)) {
		return false;
	}
	if (!import(engine, session, chain, messages->texts, messages->n, "imported", 0, fail)) {
		values_set(engine->values, session->id, setting_find("system"), before, NULL);
		return false;
	}
	return true;
}

bool conversation_reset(struct engine *engine, struct place *place, const struct chain *chain,
		struct fail *fail) {
	cleanup(history_finish) struct history history = {0};
	if (place->kind == PLACE_SESSION && !conversation_at_rest(engine, place, fail)) {
		return false;
	}
	int64_t last = engine_last_sent(engine, place, chain);
	if (last == 0 || (history_gather(engine->turns, last, &history, NULL) && history.n == 0)) {
		return true;
	}
	return import(engine, place, chain, NULL, 0, "reset", 0, fail);
}

/* ---- forking ---- */

struct copy {
	struct buf text;
	struct history_text *texts; /* `text` isn't set before all is gathered: the buffer moves */
	size_t n;
};

static bool add_copy(
		void *data, const struct history_message *message, const char *text, size_t size) {
	struct copy *copy = data;
	copy->texts[copy->n++] = (struct history_text){.size = size, .answer = message->answer};
	return buf_add(&copy->text, text, size);
}

static void copy_finish(struct copy *copy) {
	buf_finish(&copy->text);
	free(copy->texts);
}

static bool copy_history(struct engine *engine, int64_t last, struct copy *ret, struct fail *fail) {
	cleanup(history_finish) struct history history = {0};
	if (!gather(engine, last, &history, fail)) {
		return false;
	}
	ret->texts = calloc(history.n + 1, sizeof(*ret->texts));
	if (ret->texts == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a conversation");
	}
	if (!each_text(engine, &history, add_copy, ret, fail)) {
		return false;
	}
	size_t at = 0;
	for (size_t i = 0; i < ret->n; i++) {
		ret->texts[i].text = buf_string(&ret->text) + at;
		at += ret->texts[i].size;
	}
	return true;
}

static bool copy_settings(
		struct engine *engine, struct place *from, struct place *to, struct fail *fail) {
	for (size_t i = 0; from->kind == PLACE_SESSION && i < n_setting_specs; i++) {
		const char *value = values_own(engine->values, from->id, (int)i);
		if (value != NULL && !values_set(engine->values, to->id, (int)i, value, fail)) {
			return false;
		}
	}
	return true;
}

bool conversation_fork(struct engine *engine, struct place *place, const struct chain *chain,
		const char *name, struct fail *fail) {
	cleanup(copy_finish) struct copy copy = {0};
	bool session = place->kind == PLACE_SESSION;
	int64_t last = engine_last_sent(engine, place, chain);
	if (last == 0 && !session) {
		return fail_set(fail, ESRCH, "fork: there is no conversation of yours here yet");
	}
	if (!copy_history(engine, last, &copy, fail)) {
		return false;
	}
	struct place *fork = session_make(engine, session ? place->parent : place, name, fail);
	if (fork == NULL) {
		return false;
	}
	bool made = copy_settings(engine, place, fork, fail) &&
		    (copy.n == 0 || import(engine, fork, chain, copy.texts, copy.n, "forked", last,
						    fail));
	if (!made) {
		session_end(engine, fork, NULL);
	}
	return made;
}
