/* Kit: video jobs as OpenAI and OpenRouter have them, beside a provider of OpenAI's dialect: POST
 * /videos, GET /videos/ID until it is done, GET /videos/ID/content into the output. By the kit for
 * queues (queue.h), which see for what becomes of such a job.
 *
 *     if (!conduit_videos_transform(job, turn, CONDUIT_VIDEOS_OPENAI)) {
 *             conduit_openai_transform(job, turn, &dialect);
 *     }
 *     CONDUIT_PROVIDER(…, CONDUIT_VIDEOS_CALLBACKS)        in place of CONDUIT_OPENAI_CALLBACKS
 *
 * In the request: the prompt, a picture that the video begins with, the settings size, seconds
 * (`duration`), and for OpenRouter aspect_ratio, resolution and seed; `extra`. Neither service says
 * how a job is cancelled: it goes on. */
#ifndef CONDUIT_KIT_VIDEOS_H
#define CONDUIT_KIT_VIDEOS_H

#include <conduit/kit/openai.h>

enum conduit_videos {
	CONDUIT_VIDEOS_OPENAI = 0,
	CONDUIT_VIDEOS_OPENROUTER = 1, /* tells the cost of each */
};

/* Begins a turn whose capability ends in "-to-video"; false, and nothing happened, for another. */
bool conduit_videos_transform(struct conduit_job *job, const struct conduit_turn *turn,
		enum conduit_videos service);

void conduit_videos_reply(struct conduit_job *job, const struct conduit_reply *reply);
void conduit_videos_data(struct conduit_job *job, const void *bytes, size_t size);
void conduit_videos_end(struct conduit_job *job);
void conduit_videos_release(struct conduit_job *job);

#define CONDUIT_VIDEOS_CALLBACKS                                                                   \
	.reply = conduit_videos_reply, .data = conduit_videos_data, .end = conduit_videos_end,     \
	.release = conduit_videos_release

#endif
