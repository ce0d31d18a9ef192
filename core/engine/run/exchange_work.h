/* The directory that the programs of a turn work in, beside its other files. What is named as
 * scratch bears a prefix there; all else that a program which ended well leaves is a result, in the
 * order of the names. Private to exchange_program.c. */
#ifndef CORE_ENGINE_RUN_EXCHANGE_WORK_H
#define CORE_ENGINE_RUN_EXCHANGE_WORK_H

#include "core/base/fail.h"

struct exchange;

#define WORK_SCRATCH "scratch."

/* Makes it at the first use; it is the program's, who may be nobody. False with words. */
bool work_make(struct exchange *exchange, struct fail *fail);
/* While a program runs: fails the exchange when its files are more than PROGRAM_FILES_MOST, or
 * together larger than limits.media. Until the exchange's timer is stopped. */
void work_watch(struct exchange *exchange);
/* Whether a program that failed could have written more; false with words: then that is why. */
bool work_has_room(struct exchange *exchange, struct fail *fail);
/* Hands over all results; how many there were, or -1 with words. */
int work_take_results(struct exchange *exchange, struct fail *fail);
/* Takes it away with what is in it, and frees the path. */
void work_remove(char *path);

#endif
