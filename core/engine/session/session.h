/* Sessions: conversations of their own below a model or a route. A session is a place (annex.h):
 * its settings, its turns and whose turn it is go by its id, which it keeps when it gets another
 * name or goes to another model. */
#ifndef CORE_ENGINE_SESSION_SESSION_H
#define CORE_ENGINE_SESSION_SESSION_H

#include "core/engine/engine.h"

/* Begins one below a model or a route. NULL with EEXIST, EINVAL, ENOSPC … and words. */
struct place *session_make(
		struct engine *engine, struct place *above, const char *name, struct fail *fail);
/* Gives it another name, or takes it to another model. NULL with EBUSY while a turn of it runs or
 * waits and the model changes, EEXIST … and words. */
struct place *session_move(struct engine *engine, struct place *session, struct place *above,
		const char *name, struct fail *fail);
/* Ends it: what runs or waits is cancelled, its connections are closed, and what it was goes for
 * good: history, turns, settings. */
bool session_end(struct engine *engine, struct place *session, struct fail *fail);

#endif
