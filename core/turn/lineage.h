/* Which process opened which turn's output lately: where one process read an answer and then wrote
 * a prompt (`cp a/output b/input`), the prompt came from there. By the process alone: in `cat
 * a/output | tee b/input` nobody knows. Bounded: what was noted longest ago is forgotten. */
#ifndef CORE_TURN_LINEAGE_H
#define CORE_TURN_LINEAGE_H

#include "core/turn/chain.h"

struct lineage;

/* NULL without memory. */
struct lineage *lineage_create(void);
/* NULL is fine. */
void lineage_destroy(struct lineage *lineage);
/* Microseconds of a clock that nobody sets. */
int64_t lineage_now(void);
/* The process opened the output of `turn` to read it. */
void lineage_note(struct lineage *lineage, const struct process_id *reader, int64_t turn);
/* The turn whose output this process opened last, if that was at most a minute before `when` or
 * later; else 0. */
int64_t lineage_find(const struct lineage *lineage, const struct process_id *writer, int64_t when);

#endif
