/* A provider whose models stand in its manifest: it finds none itself. */
#include <conduit/provider.h>

#include <string.h>

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_output(job, turn->model, strlen(turn->model));
	conduit_finish(job, "stop", NULL);
}

CONDUIT_PROVIDER(.name = "listed", .version = "1", .transform = transform)
