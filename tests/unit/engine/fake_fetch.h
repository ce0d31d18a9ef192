/* core/fetch as a test scripts it: what each source leads to and what the cache holds, without git,
 * a compiler or another process. Stands in for the whole of core/fetch/fetch.h. */
#ifndef TESTS_UNIT_ENGINE_FAKE_FETCH_H
#define TESTS_UNIT_ENGINE_FAKE_FETCH_H

#include "core/fetch/fetch.h"

/* Forgets everything. */
void fake_reset(void);
/* From now on `source` leads to this commit, a directory with its manifest below `directory` ; ""
 * or an object that was built of it. */
void fake_put(const char *directory, const char *source, const char *commit, const char *manifest,
		const char *object);
/* From now on fetching fails with these words. */
void fake_break(const char *words, const char *messages);
/* A fetch that began stops in its stage until it is let go. */
void fake_hold(enum fetch_stage stage, const char *words);
void fake_let_go(void);
/* Empties the cache: a locked commit has to be fetched. */
void fake_forget(void);

extern size_t fake_begun, fake_cancelled, fake_under_way;
extern char fake_asked[FETCH_COMMIT_SIZE]; /* for exactly this commit, "" for what the ref leads to
					    */

#endif
