/* What the files of a turn show, and the links that lead to the caller's own. */
#include "core/base/text.h"
#include "core/engine/run/queue.h"
#include "fs/content/show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The name of a turn; "000000" for the one before the first. */
static const char *name_of(const struct turn *turn, char ret[TURN_NAME_SIZE]) {
	if (turn == NULL) {
		return "000000";
	}
	turn_name(turn, ret);
	return ret;
}

/* The caller's newest turn. */
SHOW(show_turn_link) {
	struct engine *engine = tree->engine;
	bool notes = node->entry->kind == KIND_ERROR_LINK;
	int64_t id = engine_newest(engine, node->place, tid, notes);
	cleanup_turn struct turn *turn = id != 0 ? turn_get(engine->turns, id) : NULL;
	char name[TURN_NAME_SIZE];
	return buf_add_format(out, "turns/%s/%s", name_of(turn, name), node->entry->name);
}

/* turns/last: the newest of anyone. */
SHOW(show_last_link) {
	(void)tid;
	struct engine *engine = tree->engine;
	int64_t id = turn_newest(engine->turns, node->place->id);
	cleanup_turn struct turn *turn = id != 0 ? turn_get(engine->turns, id) : NULL;
	char name[TURN_NAME_SIZE];
	return buf_add_string(out, name_of(turn, name));
}

const char *turn_state_name(const struct turn *turn) {
	static const char *const names[] = {
			[TURN_OPEN] = "open",
			[TURN_QUEUED] = "queued",
			[TURN_WAITING] = "waiting",
			[TURN_RUNNING] = "running",
			[TURN_DONE] = "done",
			[TURN_FAILED] = "failed",
			[TURN_CANCELLED] = "cancelled",
			[TURN_INTERRUPTED] = "interrupted",
	};
	return turn != NULL ? names[turn->row.state] : "idle";
}

static bool add_waiting(const struct turn *turn, struct buf *out) {
	if (turn->unsent && turn->row.state == TURN_OPEN) {
		return show_line(out, "waiting_for",
				"nothing was sent: its writer was ended; echo submit > ctl sends "
				"it");
	}
	if (turn->row.state == TURN_OPEN) {
		return buf_add_format(out,
				"waiting_for open %d %s: close it, or echo submit > ctl\n",
				turn->writer_pid, turn->writer);
	}
	char words[QUEUE_WORDS_MOST];
	queue_words(turn, words);
	return show_line(out, "waiting_for", words[0] != '\0' ? words : turn->waiting_for);
}

static bool add_position(const struct turn *turn, struct buf *out) {
	size_t position = queue_position(turn);
	return position != 0 ? show_count(out, "queue_position", (int64_t)position)
			     : show_line(out, "queue_position", "");
}

static bool add_progress(const struct turn *turn, struct buf *out) {
	if (isnan(turn->share)) {
		show_line(out, "progress", "");
	} else {
		buf_add_format(out, "progress %d%%\n", (int)(turn->share * 100));
	}
	return show_line(out, "doing", turn->doing);
}

bool show_turn_lines(const struct place *place, struct turn *turn, struct buf *out) {
	const char *session = place != NULL && place->kind == PLACE_SESSION ? place->name : "-";
	if (turn == NULL) {
		return buf_add_format(out,
				"state idle\nturn 000000\nsession %s\nfinish -\nmodel -\n"
				"provider -\nwaiting_for -\nqueue_position -\nretry_at -\n"
				"progress -\ndoing -\n",
				session);
	}
	const struct turn_row *row = &turn->row;
	show_line(out, "state", turn_state_name(turn));
	char name[TURN_NAME_SIZE];
	show_line(out, "turn", name_of(turn, name));
	show_line(out, "session", session);
	show_line(out, "finish", row->finish);
	show_line(out, "model", row->model);
	show_line(out, "provider", row->provider);
	add_waiting(turn, out);
	add_position(turn, out);
	show_time(out, "retry_at", turn->retry_at);
	return add_progress(turn, out);
}

bool show_place_path(struct buf *out, const struct place *place) {
	if (place->kind == PLACE_SESSION) {
		return show_place_path(out, place->parent) &&
		       buf_add_format(out, "/sessions/%s", place->name);
	}
	if (place->kind == PLACE_ROUTE) {
		return buf_add_format(out, "capabilities/%s", place->name);
	}
	struct place *top = place->parent;
	while (top != NULL && top->kind == PLACE_COMPONENT) {
		top = top->parent;
	}
	return top != NULL && buf_add_format(out, "providers/%s/models/", top->name) &&
	       place_path(place, out);
}

/* The turn that another's answer is from: its number, and where it was written, when elsewhere. */
static bool show_cached(struct tree *tree, const struct turn_row *row, struct buf *out) {
	struct engine *engine = tree->engine;
	cleanup_turn struct turn *from = row->cached_from != 0
							 ? turn_get(engine->turns, row->cached_from)
							 : NULL;
	char name[TURN_NAME_SIZE];
	if (from == NULL) {
		return show_line(out, "cached_from", row->cached_from != 0 ? "forgotten" : "");
	}
	const struct place *place = catalogue_place(engine->catalogue, from->row.place);
	buf_add_string(out, "cached_from ");
	if (from->row.place != row->place && place != NULL) {
		show_place_path(out, place);
		buf_add_string(out, "/turns/");
	}
	return buf_add_format(out, "%s\n", name_of(from, name));
}

/* The turn whose output went into the prompt, as a path from the root. */
static bool show_origin(struct tree *tree, const struct turn_row *row, struct buf *out) {
	struct engine *engine = tree->engine;
	cleanup_turn struct turn *from = row->origin != 0 ? turn_get(engine->turns, row->origin)
							  : NULL;
	const struct place *place = from != NULL ? catalogue_place(engine->catalogue,
								   from->row.place)
						 : NULL;
	char name[TURN_NAME_SIZE];
	if (place == NULL) {
		return show_line(out, "from", row->origin != 0 ? "forgotten" : "");
	}
	return buf_add_string(out, "from ") && show_place_path(out, place) &&
	       buf_add_format(out, "/turns/%s\n", name_of(from, name));
}

SHOW(show_turn_status) {
	(void)tid;
	cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id);
	if (turn == NULL) {
		return false;
	}
	const struct turn_row *row = &turn->row;
	show_turn_lines(node->place, turn, out);
	if (row->previous != 0) {
		cleanup_turn struct turn *previous = turn_get(tree->engine->turns, row->previous);
		char name[TURN_NAME_SIZE];
		show_line(out, "continues", name_of(previous, name));
	} else {
		show_line(out, "continues", "");
	}
	show_cached(tree, row, out);
	show_origin(tree, row, out);
	show_type(turn, out);
	show_time(out, "submitted", row->submitted);
	show_time(out, "finished", row->finished);
	return show_count(out, "http_status", row->http_status) && show_tried(turn, out);
}

static bool show_elapsed(struct buf *out, const char *key, int64_t from, int64_t to) {
	return show_count(out, key, from > 0 && to >= from ? (to - from) / 1000 : -1);
}

SHOW(show_turn_usage) {
	(void)tid;
	cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id);
	if (turn == NULL) {
		return false;
	}
	const struct turn_row *row = &turn->row;
	show_count(out, "prompt_tokens", row->prompt_tokens);
	show_count(out, "completion_tokens", row->completion_tokens);
	show_count(out, "reasoning_tokens", row->reasoning_tokens);
	show_count(out, "cached_tokens", row->cached_tokens);
	show_usd(out, "cost", row->cost);
	show_line(out, "source", row->cost_source);
	show_elapsed(out, "queue_ms", row->submitted, row->started);
	show_elapsed(out, "ttft_ms", row->submitted, row->first_byte);
	show_elapsed(out, "total_ms", row->submitted, row->finished);
	return show_count(out, "overhead_us", row->overhead_us);
}

SHOW(show_turn_error) {
	(void)tid;
	cleanup_turn struct turn *turn = turn_get(tree->engine->turns, node->id);
	if (turn == NULL) {
		return false;
	}
	int code = turn_error(turn);
	const char *words = turn->row.words;
	if (code == 0) {
		return true;
	}
	if (turn->unsent) {
		words = "nothing was sent: its writer was ended; echo submit > ctl sends it";
	} else if (turn->row.state == TURN_INTERRUPTED && words[0] == '\0') {
		words = "conduitfs ended while it ran; it is not sent again by itself";
	}
	return buf_add_format(out, "%s: %s\n", errno_name(code), words) && show_tried(turn, out);
}

SHOW(show_zero_status) {
	(void)tree, (void)tid;
	return show_turn_lines(node->place, NULL, out);
}

SHOW(show_nothing) {
	(void)tree, (void)node, (void)tid, (void)out;
	return true;
}
