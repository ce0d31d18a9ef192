/* A provider built for ABI 1 by a later header, which has added to the end of the struct. */
#include <conduit/provider.h>

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	(void)turn;
	conduit_output(job, "grown", 5);
	conduit_finish(job, "stop", NULL);
}

__attribute__((visibility("default"))) extern const struct grown {
	struct conduit_provider now;
	uintptr_t later[16];
} conduit_provider_entry_as_it_will_be __asm__("conduit_provider_entry");

const struct grown conduit_provider_entry_as_it_will_be = {
		.now = {.abi = CONDUIT_ABI,
				.size = sizeof(struct grown),
				.name = "grown",
				.version = "9",
				.transform = transform},
		.later = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
