/* What the files of this provider share. */
#ifndef FAL_H
#define FAL_H

#include <conduit/provider.h>

/* Where the catalogue is asked for: fal's own, or beside a queue at another address. To be freed;
 * NULL without memory. */
char *fal_catalogue(const struct conduit_job *job, const char *query);

/* Discovery; its jobs are told from turns by fal_lists. */
void fal_discover(struct conduit_job *job);
bool fal_lists(const struct conduit_job *job);
void fal_list_reply(struct conduit_job *job, const struct conduit_reply *reply);
void fal_list_data(struct conduit_job *job, const void *bytes, size_t size);
void fal_list_end(struct conduit_job *job);
void fal_list_release(struct conduit_job *job);

#endif
