/* Turns from their opening to the queue, and whose turn is whose. See engine.h. */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/engine/attach/attach.h"
#include "core/engine/attach/converter.h"
#include "core/engine/attach/media.h"
#include "core/engine/engine.h"
#include "core/engine/load/load.h"
#include "core/engine/load/look_up.h"
#include "core/engine/model_limits.h"
#include "core/engine/money/books.h"
#include "core/engine/run/queue.h"
#include "core/turn/chain_map.h"
#include "core/turn/lineage.h"

#include <errno.h>
#include <string.h>

/* Notes are kept apart from turns: a place's id is above zero, its notes' is the negative. */
static int64_t notes_of(const struct place *place) {
	return -place->id;
}

/* Where there is somebody to ask, but nobody who takes such files: says that, and who converts
 * them. */
static bool refuse_media(struct engine *engine, struct place *place, const struct turn *turn,
		struct fail *fail) {
	static const struct route_wish anybody = {.in_back_off = true, .with_full_queue = true};
	struct route_choice choice;
	cleanup_buf struct buf converter = {0};
	char type[MEDIA_TYPE_MOST];
	if (turn->media == 0 || !route_choose(engine, place, &anybody, &choice, NULL)) {
		return false;
	}
	const struct model_record *record = catalogue_record(engine->catalogue, choice.model);
	const char *modality = record != NULL ? media_untaken(record, turn->media) : NULL;
	if (modality == NULL) {
		return false;
	}
	snprintf(type, sizeof(type), "%s/", modality);
	bool found = converter_find(engine, record, type, &converter);
	return fail_set(fail, EINVAL,
			"%s is among what goes in, and nobody that capabilities/%s would ask takes "
			"that: %s takes %s%s%s",
			media_said(modality), place_route(place)->name, record->id,
			record->input_modalities, found ? "; " : "", buf_string(&converter));
}

/* Into the queue of the first that the route names and the budgets let it. */
static bool queue_routed(
		struct engine *engine, struct place *place, struct turn *turn, struct fail *fail) {
	int64_t tried[ROUTE_TRIES];
	/* What was opened is accepted. */
	struct route_wish wish = {.tried = tried,
			.media = turn->media,
			.in_back_off = true,
			.with_full_queue = true};
	struct route_choice choice;
	if (!route_choose(engine, place, &wish, &choice, fail)) {
		return refuse_media(engine, place, turn, fail);
	}
	while (!queue_add(choice.provider, choice.model, turn, fail)) {
		tried[wish.n_tried++] = choice.model->id;
		if (fail->code != EDQUOT || wish.n_tried == ROUTE_TRIES ||
				!route_choose(engine, place, &wish, &choice, NULL)) {
			return false;
		}
	}
	return true;
}

/* Into the queue of who answers: the model, or for a route whom it chooses now. */
static bool queue_up(struct engine *engine, struct turn *turn, struct fail *fail) {
	struct place *place = catalogue_place(engine->catalogue, turn->row.place);
	struct place *model = place_model(place);
	struct provider *provider = engine_provider(engine, model);
	if (place_route(place) != NULL) {
		return queue_routed(engine, place, turn, fail);
	}
	if (provider == NULL) {
		return fail_set(fail, ENODEV,
				"the model or its provider went while the prompt was written");
	}
	return provider->version != NULL ? queue_add(provider, model, turn, fail)
					 : load_refuse(provider, fail);
}

/* Prompts to a session wait for each other, whatever else may run. */
static bool session_takes(
		const struct engine *engine, const struct place *place, struct fail *fail) {
	size_t running, queued = 0;
	if (place->kind == PLACE_SESSION) {
		queue_count(engine, place->id, &running, &queued);
	}
	return queued < (size_t)engine->config.queue || queued == 0 ||
	       fail_set(fail, EBUSY,
			       "%zu turns of this session wait already; limits.queue in config.yml "
			       "raises that",
			       queued);
}

bool engine_may_submit(struct engine *engine, struct place *place, struct fail *fail) {
	static const struct route_wish anybody = {.in_back_off = true};
	struct route_choice choice;
	if (!session_takes(engine, place, fail)) {
		return false;
	}
	if (place_route(place) != NULL) {
		return route_choose(engine, place, &anybody, &choice, fail);
	}
	struct provider *provider = engine_provider(engine, place);
	if (provider == NULL) {
		return fail_set(fail, ENODEV, "its provider isn't loaded");
	}
	const char *why;
	struct place *model = place_model(place);
	if (model != NULL && look_up_state(engine, model, &why) == LOOK_UP_MISSING) {
		return fail_set(fail, ENOENT, "%s", why);
	}
	return provider_takes(provider, fail) &&
	       limits_pass(engine, place, place_model(place), fail) &&
	       books_may_open(engine, place, place_model(place), fail);
}

int64_t engine_last_sent(struct engine *engine, struct place *place, const struct chain *chain) {
	if (place->kind == PLACE_SESSION) {
		return turn_last(engine->turns, place->id);
	}
	int64_t id = chain->n > 0 ? engine_newest(engine, place, chain->ids[0].pid, false) : 0;
	while (id != 0) {
		cleanup_turn struct turn *turn = turn_get(engine->turns, id);
		if (turn == NULL || turn->stored) {
			return turn != NULL ? id : 0;
		}
		id = turn->row.previous;
	}
	return 0;
}

struct turn *engine_begin(struct engine *engine, struct place *place, const struct chain *chain,
		bool continues, struct fail *fail) {
	/* In a session the one that it continues is found when it is submitted. */
	int64_t previous = place->kind != PLACE_SESSION && continues
					   ? engine_last_sent(engine, place, chain)
					   : 0;
	struct turn *turn = turn_create(engine->turns, place->id, TURN_REAL, fail);
	if (turn == NULL) {
		return NULL;
	}
	turn->row.previous = previous;
	turn->chain = *chain;
	turn->began = lineage_now();
	const struct provider *provider = engine_provider(engine, place);
	turn_words_set(&turn->row.provider, provider != NULL ? provider->name : "");
	turn_words_set(&turn->row.model, "");
	chain_map_record(engine->chains, place->id, chain, turn->row.id);
	return turn;
}

static void refuse(struct engine *engine, struct place *place, const struct chain *chain,
		const struct fail *why, enum turn_kind kind) {
	int64_t previous = engine_last_sent(engine, place, chain);
	cleanup_turn struct turn *turn = turn_create(engine->turns, place->id, kind, NULL);
	if (turn == NULL) {
		return;
	}
	turn->row.state = TURN_FAILED;
	turn->row.submitted = turn->row.finished = now_us();
	turn->row.previous = previous;
	turn_set_words(turn, why->code, fail_words(why));
	chain_map_record(engine->chains, kind == TURN_NOTE ? notes_of(place) : place->id, chain,
			turn->row.id);
}

void engine_refuse(struct engine *engine, struct place *place, const struct chain *chain,
		const struct fail *why) {
	refuse(engine, place, chain, why, TURN_REFUSAL);
}

void engine_note(struct engine *engine, struct place *place, const struct chain *chain,
		const struct fail *why) {
	struct provider *provider = engine_provider(engine, place);
	if (place_takes_prompts(place)) {
		refuse(engine, place, chain, why, TURN_NOTE);
	} else if (provider != NULL) {
		turn_words_set(&provider->last_error, fail_words(why));
	} else {
		turn_words_set(&engine->last_error, fail_words(why));
	}
}

/* Ends a turn that never came into a queue. */
static void fail_turn(struct engine *engine, struct turn *turn, const struct fail *why) {
	turn->row.state = TURN_FAILED;
	turn->row.finished = now_us();
	turn_set_words(turn, why->code, fail_words(why));
	if (turn->stored) {
		books_close_unsent(engine->books, turn);
	}
	engine->turns_failed++;
	turn_changed(turn);
}

/* In a session each prompt continues what was submitted last, whoever wrote it; a retry of that one
 * stands in its stead. By the time of submission, which a clock set back doesn't mix up. */
static void join_session(struct engine *engine, struct turn *turn) {
	int64_t id = turn_last(engine->turns, turn->row.place);
	cleanup_turn struct turn *last = id != 0 ? turn_get(engine->turns, id) : NULL;
	turn->row.previous = last == NULL ? 0 : turn->replaces == id ? last->row.previous : id;
	if (last != NULL && turn->row.submitted <= last->row.submitted) {
		turn->row.submitted = last->row.submitted + 1;
	}
}

/* Where the prompt came from, as far as its writer's reading tells. */
static void find_origin(struct engine *engine, struct turn *turn) {
	int64_t origin = turn->chain.n > 0 ? lineage_find(engine->lineage, &turn->chain.ids[0],
							     turn->began)
					   : 0;
	/* What it continues isn't said twice. */
	turn->row.origin = origin != turn->row.previous ? origin : 0;
}

/* `takes`: what waits in attach/ goes along. */
static void submit(struct engine *engine, struct turn *turn, bool takes) {
	cleanup_fail struct fail fail = {0};
	const struct place *place = catalogue_place(engine->catalogue, turn->row.place);
	turn->unsent = false;
	turn->row.state = TURN_QUEUED;
	turn->row.submitted = now_us();
	if (place != NULL && place->kind == PLACE_SESSION) {
		join_session(engine, turn);
	}
	find_origin(engine, turn);
	if (!store_turn_insert(engine->store, &turn->row, &fail)) {
		log_error("turn %lld can't be recorded, so it isn't sent: %s",
				(long long)turn->row.id, fail_words(&fail));
		fail_turn(engine, turn, &fail);
		return;
	}
	turn_store(turn);
	if (engine->options.turns_changed != NULL) {
		engine->options.turns_changed(engine->options.data, turn->row.place);
	}
	store_sync_soon(engine->store, turn->row.id);
	turn_changed(turn);
	bool taken = !takes || attachments_take(engine->attachments, turn, &fail);
	if (!taken || !queue_up(engine, turn, &fail)) {
		if (taken && takes) {
			attachments_give_back(engine->attachments, turn);
		}
		fail_turn(engine, turn, &fail);
	}
}

void engine_submit(struct engine *engine, struct turn *turn) {
	submit(engine, turn, true);
}

void engine_drop(struct engine *engine, struct turn *turn) {
	chain_map_forget(engine->chains, turn->row.place, turn->row.id);
	turn_drop(turn);
}

bool engine_cancel(struct engine *engine, struct turn *turn, struct fail *fail) {
	(void)engine;
	if (turn->run != NULL) {
		queue_cancel(turn);
		return true;
	}
	if (turn->row.state == TURN_OPEN) {
		turn->unsent = true;
		turn_changed(turn);
		return true;
	}
	if (!turn->stored) {
		return fail_set(fail, ESRCH,
				"cancel: your newest prompt was refused, so that nothing runs for "
				"it: "
				"%s",
				turn->row.words);
	}
	return fail_set(fail, ESRCH, "cancel: turn %06lld is over already",
			(long long)turn->row.number);
}

bool engine_retry(struct engine *engine, struct turn *turn, const struct chain *chain,
		struct fail *fail) {
	if (turn->row.imported) {
		return fail_set(fail, EINVAL, "retry: turn %06lld has no prompt, it is a history",
				(long long)turn->row.number);
	}
	struct place *place = catalogue_place(engine->catalogue, turn->row.place);
	if (!turn_over(turn)) {
		return fail_set(fail, EBUSY, "retry: turn %06lld isn't over; cancel it first",
				(long long)turn->row.number);
	}
	if (!turn->stored) {
		return fail_set(fail, EINVAL, "retry: turn %06lld was never sent",
				(long long)turn->row.number);
	}
	if (place == NULL) {
		return fail_set(fail, ENOENT,
				"retry: the model of turn %06lld isn't in the catalogue any more",
				(long long)turn->row.number);
	}
	if (!engine_may_submit(engine, place, fail)) {
		return false;
	}
	cleanup_turn struct turn *again = engine_begin(engine, place, chain, false, fail);
	if (again == NULL) {
		return false;
	}
	again->row.previous = turn->row.previous;
	again->replaces = turn->row.id;
	if (!turn_prompt_share(turn, again, fail) ||
			!attachments_share(engine->attachments, turn, again, fail)) {
		engine_drop(engine, again);
		return false;
	}
	/* What waits is for the next prompt, unless it is what this one was refused with. */
	submit(engine, again, turn->row.started == 0 && again->media == 0);
	return true;
}

int64_t engine_newest(struct engine *engine, struct place *place, int32_t tid, bool notes) {
	int64_t id = 0, note = 0;
	if (!chain_map_resolve(engine->chains, place->id, tid, &id) ||
			!turn_known(engine->turns, id)) {
		id = turn_newest(engine->turns, place->id);
	}
	if (notes && chain_map_resolve(engine->chains, notes_of(place), tid, &note) && note > id &&
			turn_known(engine->turns, note)) {
		id = note;
	}
	return id;
}
