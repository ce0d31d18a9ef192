/* The one compiler line that strangers' providers are built with, and what it depends on. */
#ifndef CORE_FETCH_BUILD_COMPILER_H
#define CORE_FETCH_BUILD_COMPILER_H

#include "core/fetch/build/build.h"
#include "core/fetch/build/confined.h"

struct compiler {
	char *program; /* absolute */
	char *version; /* the first line that it says about itself; NULL until it was asked */
	char **cflags, **libs; /* pkg-config's, ended by NULL */
	char *libraries; /* names and versions of the libraries, "" for none */
};

/* Finds the compiler, and the flags of the libraries that the manifest asks for: ENOENT with words
 * that say what to install, EACCES for a library that isn't in the list of those that are allowed.
 */
bool compiler_find(struct compiler *ret, const struct build_options *options,
		const struct manifest *manifest, struct fail *fail);
/* Fills in `version`. */
bool compiler_ask_version(struct compiler *compiler, struct fail *fail);
/* The whole line, ended by NULL, for a directory of files as the working directory, the build's and
 * the headers' by the names of confined.h. NULL without memory; freed with strings_free. */
char **compiler_line(const struct compiler *compiler, const struct manifest *manifest);
void compiler_finish(struct compiler *compiler);

#define cleanup_compiler cleanup(compiler_finish)

#endif
