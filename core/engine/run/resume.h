/* Turns of an earlier mount whose jobs went on elsewhere: they run on from where they were. */
#ifndef CORE_ENGINE_RUN_RESUME_H
#define CORE_ENGINE_RUN_RESUME_H

struct engine;

/* After a start, when the providers are loaded: puts each such turn into its provider's queue, in
 * state running, with what was reserved for it. One whose provider isn't ready by then waits for
 * it, ten minutes at most; one whose model or provider is gone is interrupted. */
void resume_all(struct engine *engine);

#endif
