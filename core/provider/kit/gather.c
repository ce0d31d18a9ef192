/* A reply kept whole: see conduit/kit/gather.h. */
#include <conduit/kit/failure.h>
#include <conduit/kit/gather.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conduit_gather_head(struct conduit_gathered *gathered, const struct conduit_reply *reply) {
	conduit_gather_finish(gathered);
	gathered->status = reply->status;
	snprintf(gathered->type, sizeof(gathered->type), "%s", reply->content_type);
}

void conduit_gather(
		struct conduit_gathered *gathered, const void *bytes, size_t size, size_t most) {
	size_t room = most > gathered->size ? most - gathered->size : 0;
	size_t taken = size < room ? size : room;
	char *grown = taken != 0 ? realloc(gathered->body, gathered->size + taken + 1) : NULL;
	if (grown != NULL) {
		memcpy(grown + gathered->size, bytes, taken);
		gathered->body = grown;
		gathered->size += taken;
		gathered->body[gathered->size] = '\0';
	}
}

void conduit_gather_finish(struct conduit_gathered *gathered) {
	free(gathered->body);
	*gathered = (struct conduit_gathered){0};
}

void conduit_gathered_failure(struct conduit_job *job, const struct conduit_gathered *gathered) {
	conduit_http_failure(job, gathered->status, gathered->type,
			gathered->body != NULL ? gathered->body : "", gathered->size);
}
