/* Building a stranger's provider: one fixed compiler line over the manifest's sources, in a sandbox
 * that reads the system's headers and libraries, the provider's own files and provider.h, writes
 * the build directory, and reaches nothing else. Never the repository's own build. */
#ifndef CORE_FETCH_BUILD_BUILD_H
#define CORE_FETCH_BUILD_BUILD_H

#include "core/base/buf.h"
#include "core/base/fail.h"
#include "core/config/manifest/manifest.h"

#include <stdbool.h>

/* What of the compiler's messages is kept. */
#define BUILD_MESSAGES_MOST ((size_t)64 << 10)

struct build_options {
	const char *include; /* the directory where <conduit/provider.h> lies */
	const char *const *pkg_config; /* names that a manifest's `pkg_config` may hold, ended by
					  NULL; NULL: the standard list */
	double seconds; /* CPU and wall bound; 0: 120 */
};

/* When it is run by root the compiler runs as nobody, who must be able to read what lies below
 * `files`; a path to it isn't needed. A sandbox of the caller's own must leave it /usr, /bin, /lib*
 * and /etc/ld.so.* to read and execute, `include` and `files` to read, `directory` to write, and
 * 2 GiB of address space.
 *
 * Builds manifest->sources (files below `files`) into DIRECTORY/provider.so, writing only there.
 * The compiler's messages, warnings as well, are appended to `messages` as plain text with names as
 * the manifest has them, cut at BUILD_MESSAGES_MOST. `line` (may be NULL) is called with a progress
 * line at the beginning and about each second. Blocks: called in conduitfs-fetch only. False with
 * words: ENOSYS without Landlock, ENOENT without a compiler, ETIMEDOUT, ENOEXEC when the compiler
 * refused the sources. */
bool build_provider(const struct build_options *options, const struct manifest *manifest,
		const char *files, const char *directory,
		void (*line)(void *data, const char *words), void *data, struct buf *messages,
		struct fail *fail);

/* What the result depends on besides the commit: 16 hex digits of the fixed compiler line, its
 * version and pkg-config flags' versions. Starts the compiler. */
bool build_flags_hash(const struct build_options *options, const struct manifest *manifest,
		char ret[17], struct fail *fail);

#endif
