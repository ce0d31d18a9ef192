/* Open sets: models that a user adds to those which a provider lists, by mkdir in its models/,
 * where its manifest says `open: true`. Making one waits for nothing: the model is there at once
 * and takes turns, and its provider is asked about it behind. What it doesn't have stays, so that
 * somebody is told why, and refuses prompts with ENOENT until rmdir; what couldn't be asked is
 * asked again after the next discovery, and at the next mount. */
#ifndef CORE_ENGINE_LOAD_LOOK_UP_H
#define CORE_ENGINE_LOAD_LOOK_UP_H

#include "core/engine/provider.h"
#include "core/turn/chain.h"

struct look_ups;

enum look_up_state {
	LOOK_UP_NONE, /* nothing is asked about it */
	LOOK_UP_WAITING,
	LOOK_UP_ASKING,
	LOOK_UP_FAILED, /* it couldn't be asked */
	LOOK_UP_MISSING, /* the provider has no such model */
};

/* NULL without memory. */
struct look_ups *look_ups_create(struct provider *provider);
/* What is under way ends. NULL is fine. */
void look_ups_destroy(struct look_ups *look_ups);
/* Asks about all that isn't known, again or at last. */
void look_ups_again(struct look_ups *look_ups);

/* Makes the model `name` below a provider's place, or that of a model or of a part of ids; `who`
 * made it, and is told in the model's `error` when there is none. NULL with words: EPERM where the
 * provider's set isn't open, EINVAL for a name that can't be part of an id, ENOSPC. */
struct place *look_up_add(struct engine *engine, struct place *above, const char *name,
		const struct chain *who, struct fail *fail);
/* Takes such a model away again; whatever the provider downloaded stays there. False with words:
 * EPERM for one that was listed, ENOTEMPTY where others are below it. */
bool look_up_remove(struct engine *engine, struct place *model, struct fail *fail);
/* How the question about a model stands; `*ret_words`: why it failed, or how far it is;
 * valid until the next event.
 */
enum look_up_state look_up_state(
		struct engine *engine, struct place *model, const char **ret_words);

#endif
