/* A file of a turn on its way to a provider that asked to read it, a piece at a time. Embedded;
 * private to exchange.c. */
#ifndef CORE_ENGINE_RUN_FEED_H
#define CORE_ENGINE_RUN_FEED_H

#include "core/engine/run/exchange.h"

struct feed {
	int fd; /* -1: nothing is being read */
	uint64_t left;
};

/* Opens the file; false with words. */
bool feed_open(struct feed *feed, const struct exchange_file *file, struct fail *fail);
bool feed_active(const struct feed *feed);
/* Hands over pieces until the job has enough to do (go on at its `resume`), the file ends (then the
 * job is told and the feed is no longer active), or it can't be read (then `fail` is set). */
void feed_go_on(struct feed *feed, struct job *job, struct fail *fail);
/* Fine for one that isn't active. */
void feed_close(struct feed *feed);
/* Frees a turn's list of files and their paths. */
void exchange_files_free(struct exchange_file *files, size_t n_files);

#endif
