/* Sessions: see session.h. */
#include "core/engine/session/session.h"

#include "core/engine/attach/attach.h"
#include "core/engine/money/budget.h"
#include "core/engine/run/queue.h"
#include "core/store/annex.h"

#include <errno.h>

static bool takes_sessions(const struct place *place) {
	return place->kind != PLACE_SESSION && place_takes_prompts(place);
}

struct place *session_make(
		struct engine *engine, struct place *above, const char *name, struct fail *fail) {
	if (!takes_sessions(above)) {
		fail_set(fail, EPERM, "sessions are made in a model's directory");
		return NULL;
	}
	return annex_make(engine->catalogue, above, PLACE_SESSION, name, fail);
}

struct place *session_move(struct engine *engine, struct place *session, struct place *above,
		const char *name, struct fail *fail) {
	size_t running, queued;
	if (!takes_sessions(above)) {
		fail_set(fail, EPERM, "a session stays in the sessions/ of a model");
		return NULL;
	}
	queue_count(engine, session->id, &running, &queued);
	if (above != session->parent && running + queued != 0) {
		fail_set(fail, EBUSY,
				"turns of the session are under way (%zu): it can go to another "
				"model when they are over, or after: echo cancel > ctl",
				running + queued);
		return NULL;
	}
	return annex_rename(engine->catalogue, session, above, name, fail);
}

bool session_end(struct engine *engine, struct place *session, struct fail *fail) {
	int64_t id = session->id;
	queue_cancel_all(engine, id);
	if (!annex_remove(engine->catalogue, session, fail)) {
		return false;
	}
	turn_forget_place(engine->turns, id);
	values_forget(engine->values, id);
	budget_forget(engine->budgets, id);
	attachments_forget(engine->attachments, id);
	return true;
}
