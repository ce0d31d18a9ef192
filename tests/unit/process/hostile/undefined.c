/* A provider that needs a function which nobody has. */
#include <conduit/provider.h>

void not_to_be_found_anywhere(void);

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	(void)job;
	(void)turn;
	not_to_be_found_anywhere();
}

CONDUIT_PROVIDER(.name = "undefined", .version = "0", .transform = transform)
