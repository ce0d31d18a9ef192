/* Whose turn: which processes submitted which turn, for each place (a model or a session), so that
 * a reader is led to its own newest turn.
 *
 * At each writing open the writer's chain is recorded. A reader's chain is walked upward; at the
 * first process that any recorded chain of this place holds, the newest turn recorded for that
 * process is the answer. Bounded: when too many processes are known, those that were recorded
 * longest ago are forgotten, and their readers get the place's newest turn instead. */
#ifndef CORE_TURN_CHAIN_MAP_H
#define CORE_TURN_CHAIN_MAP_H

#include "core/turn/chain.h"

struct chain_map;

/* What a daemon needs: (place, process) pairs that are remembered; 6 MiB when full. */
#define CHAIN_MAP_MOST 65536

/* Turns that are remembered for one process and place: so many that were dropped in a row can be
 * taken back. */
#define CHAIN_MAP_TURNS 4

/* NULL without memory. Places and turns are ids that are never 0. */
struct chain_map *chain_map_create(size_t most);
void chain_map_destroy(struct chain_map *map);

/* `turn` is now the newest of every process in the chain. An empty chain (pid 0, /proc hidden) is
 * recorded as well: as a turn that belongs to none of them. False when memory was short: some of
 * the chain may be missing then, and its readers get the place's newest turn. */
bool chain_map_record(
		struct chain_map *map, int64_t place, const struct chain *chain, int64_t turn);

/* The newest turn of whoever asks, a pid or a thread's id. False when none of its chain is known
 * there: then the place's newest turn, which this map doesn't know, is the answer. Reads no /proc
 * while nothing is known of the place, or only one answer is possible. */
bool chain_map_resolve(struct chain_map *map, int64_t place, pid_t id, int64_t *ret_turn);

/* Takes back a turn that was dropped before it was submitted: the one before it counts again. */
void chain_map_forget(struct chain_map *map, int64_t place, int64_t turn);

#endif
