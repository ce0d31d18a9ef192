/* Where a provider comes from, as a person writes it:
 *
 *     openrouter                                  a bundled provider
 *     ~/work/acme-provider  /srv/acme             a directory, used as it lies there (development)
 *     https://host/path.git  ssh://…  git@host:path  git://…  file:///path   a git repository
 *     github:owner/repo                           https://github.com/owner/repo
 *
 * and after any of the git forms `@REF` (a tag, a branch, a full or short commit; none: the
 * remote's HEAD) and `#PATH` (the directory in the repository that holds the manifest). A directory
 * takes `#PATH` only. */
#ifndef CORE_FETCH_SOURCE_H
#define CORE_FETCH_SOURCE_H

#include "core/base/fail.h"

#include <stdbool.h>

/* Longer is no source. */
#define SOURCE_MOST 1024

enum source_kind { SOURCE_BUNDLED, SOURCE_DIRECTORY, SOURCE_GIT };

struct source {
	enum source_kind kind;
	char *url; /* git: canonical (github: resolved); a directory: absolute, ~ expanded; bundled:
		      the name */
	char *ref; /* "" none */
	char *path; /* below the repository, "" its top; never absolute, no "." or ".." in it */
	char *text; /* canonical, as providers.lock names it: what parses to the same */
};

/* False with EINVAL and words that name the text, what is wrong with it and the accepted forms. A
 * URL with a password in it is refused: argv, logs and the lock would show it. A ref or path that
 * begins with '-', holds a control byte, blank or what git forbids in one is refused. */
bool source_parse(struct source *ret, const char *text, struct fail *fail);
void source_finish(struct source *source);
/* The same place, whatever the ref. */
bool source_same_place(const struct source *a, const struct source *b);
/* The manifest's probable name before it was read: "acme" of …/acme-provider.git; for a directory
 * under providers/ that must show at once. A valid provider name, or NULL when none can be made of
 * it (then `as NAME` is needed) or without memory. The caller frees. */
char *source_guess_name(const struct source *source);

#define cleanup_source cleanup(source_finish)

#endif
