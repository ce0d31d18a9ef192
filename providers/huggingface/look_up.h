/* Models that aren't listed: what the Hub says of one. A job that looks one up has a state of its
 * own; all other jobs are the kit's. */
#ifndef LOOK_UP_H
#define LOOK_UP_H

#include <conduit/provider.h>

void look_up(struct conduit_job *job, const char *id);
void look_up_reply(struct conduit_job *job, const struct conduit_reply *reply);
void look_up_data(struct conduit_job *job, const void *bytes, size_t size);
void look_up_end(struct conduit_job *job);
void look_up_release(struct conduit_job *job);

/* For CONDUIT_PROVIDER, in place of the kit's, which they hand on to. */
#define LOOK_UP_CALLBACKS                                                                          \
	.reply = look_up_reply, .data = look_up_data, .end = look_up_end,                          \
	.release = look_up_release, .look_up = look_up

#endif
