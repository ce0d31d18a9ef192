/* What the files of this provider share. */
#ifndef REPLICATE_H
#define REPLICATE_H

#include <conduit/provider.h>

/* Discovery; its jobs are told from turns by replicate_lists. */
void replicate_discover(struct conduit_job *job);
/* A discovery of one model, in the same way. */
void replicate_look_up(struct conduit_job *job, const char *id);
bool replicate_lists(const struct conduit_job *job);
void replicate_list_reply(struct conduit_job *job, const struct conduit_reply *reply);
void replicate_list_data(struct conduit_job *job, const void *bytes, size_t size);
void replicate_list_end(struct conduit_job *job);
void replicate_list_release(struct conduit_job *job);

#endif
