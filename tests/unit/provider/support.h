/* What the providers' tests share: recordings, providers as they are loaded, replays compared. */
#ifndef TESTS_UNIT_PROVIDER_SUPPORT_H
#define TESTS_UNIT_PROVIDER_SUPPORT_H

#include "core/provider/replay/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* The whole of a file below the folder of recordings ($CONDUIT_SHARED, or ../shared beside the
 * repository); skips the test, saying so, when the folder isn't there. Free the buf. */
struct buf recording(const char *path);

/* A bundled provider, loaded from the build directory as the runner loads it. */
const struct conduit_provider *load_provider(const char *name);

/* 64-bit FNV-1a: recordings aren't copied into the repository, what they should give is stated by
 * its length and hash. */
uint64_t fnv1a(const void *bytes, size_t size);

/* A text-to-text turn of one message, whose text is file 0. */
struct simple_turn {
	struct conduit_part part;
	struct conduit_message message;
	struct conduit_turn turn;
	struct replay_file file;
};

void simple_turn_init(struct simple_turn *simple, const char *model, const char *prompt);

/* Replays a turn whose only exchange is this, cut as said. Finish the replay. */
struct replay replay_chat(const struct conduit_provider *provider,
		const struct replay_exchange *exchange, enum replay_cut cut, size_t at);
struct replay replay_models(const struct conduit_provider *provider,
		const struct replay_exchange *exchange, enum replay_cut cut, size_t at);

/* Fails the test unless both replays show the same to a user. */
void assert_same_replay(const struct replay *one, const struct replay *other);

/* At how many bytes apart a body of this size is cut: 1, more where that takes long, unless
 * $CONDUIT_EVERY_BYTE is set. */
size_t cut_stride(size_t size);

/* Replays the turn byte by byte, and in two pieces at each byte (every cut_stride above 16 KiB,
 * at ends of lines above 64 KiB), and asserts that it makes no difference. */
void assert_cuts_make_no_difference(
		const struct conduit_provider *provider, const struct replay_exchange *exchange);

#endif
