/* The books: what a turn may cost is noted before it is sent, and what it did cost is entered when
 * it ends, through full disks and crashes. */
#ifndef CORE_ENGINE_MONEY_BOOKS_H
#define CORE_ENGINE_MONEY_BOOKS_H

#include "core/store/catalogue.h"
#include "core/turn/turn.h"

struct books;
struct engine;
struct input_size;
struct run;

/* NULL without memory. */
struct books *books_create(struct engine *engine);
/* Enters once more what couldn't be; what can't still is said in the log. NULL is fine. */
void books_destroy(struct books *books);

/* Whether the budgets let a turn be written at `place` that `model` would answer (NULL: not known
 * yet, they do): EDQUOT with words. */
bool books_may_open(
		struct engine *engine, struct place *place, struct place *model, struct fail *fail);
/* After a start: a turn that is picked up costs at most what was noted when it was sent. */
bool books_restore(struct run *run, const struct store_job *job, struct fail *fail);
/* At submission: reserves the most that the turn may cost; EDQUOT with words. What it holds is let
 * go by books_close, and by books_abandon for a run that never began. */
bool books_open(struct run *run, struct fail *fail);
void books_abandon(struct run *run);
/* Another model is to answer: what the one before may have cost stays reserved, and counts. False
 * as books_open. */
bool books_move(struct run *run, struct fail *fail);
/* Before an attempt, when the conversation is whole: reserves anew and notes durably that the turn
 * may cost as much. `size`: of what is about to be sent. False with words (EDQUOT, or that it can't
 * be noted): then it isn't sent. */
bool books_send(struct run *run, const struct input_size *size, struct fail *fail);
/* The max_tokens to send: by the last estimate. */
int64_t books_max_tokens(const struct run *run);
/* The run ends: sets tokens, cost and its source in the row. `charged`: what was sent may cost
 * although the service reported nothing; without, it cost nothing. */
void books_settle(struct run *run, bool charged);
/* The turn has ended: its row and its entry are written, now or as soon as that is possible. */
void books_close(struct run *run);
/* A turn of an earlier mount that can't be picked up: what was noted stands in the ledger. */
void books_close_left(struct books *books, struct turn *turn, const struct store_job *job);
/* A turn that ended before it had a run: it cost nothing. */
void books_close_unsent(struct books *books, struct turn *turn);

#endif
