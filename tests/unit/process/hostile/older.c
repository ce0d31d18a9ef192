/* A provider built for ABI 1 when its struct ended with `transform`; what lies behind it in memory
 * is no callback. */
#include <conduit/provider.h>

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	(void)turn;
	conduit_output(job, "older", 5);
	conduit_finish(job, "stop", NULL);
}

__attribute__((visibility("default"))) extern const struct older {
	uint32_t abi, size;
	const char *name, *version;
	void (*discover)(struct conduit_job *job);
	void (*transform)(struct conduit_job *job, const struct conduit_turn *turn);
	uintptr_t behind[16];
} conduit_provider_entry_as_it_was __asm__("conduit_provider_entry");

const struct older conduit_provider_entry_as_it_was = {.abi = 1,
		.size = offsetof(struct older, behind),
		.name = "older",
		.version = "0",
		.transform = transform,
		.behind = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
