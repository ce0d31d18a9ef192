/* What the tests of building share: a stranger's files in a directory of their own. */
#ifndef TESTS_UNIT_FETCH_BUILDING_H
#define TESTS_UNIT_FETCH_BUILDING_H

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/fetch/build/build.h"
#include "tests/unit/config/scratch.h"

#include <errno.h>

#define MANIFEST "id: acme-provider\ncapabilities: [text-to-text]\n"
/* The least that is a provider. */
#define PROVIDER                                                                                   \
	"#include <conduit/provider.h>\n"                                                          \
	"static void transform(struct conduit_job *job, const struct conduit_turn *turn) {\n"      \
	"	(void)turn;\n"                                                                           \
	"	conduit_output(job, \"hello\", 5);\n"                                                    \
	"	conduit_finish(job, \"stop\", 0);\n"                                                     \
	"}\n"                                                                                      \
	"CONDUIT_PROVIDER(.name = \"acme\", .version = \"1\", .transform = transform)\n"

/* One build and what came of it. */
struct building {
	struct build_options options;
	struct manifest manifest;
	char files[300], directory[300];
	bool built;
	struct fail fail;
	struct buf messages, lines;
};

/* Whether anything can be built here; else it says why not. Valgrind hides Landlock as well. */
#define BUILDING_SKIPPED 77 /* meson's word for a test that was skipped */
bool building_possible(void);
/* Makes the directories files/ and build/ in a directory. */
void building_init(struct building *building, const char *directory);
void building_write(struct building *building, const char *name, const char *text);
/* Builds with this manifest, once more if need be; one that isn't accepted fails the test. */
void building_run(struct building *building, const char *manifest);
void building_finish(struct building *building);
/* Writes `source` as provider.c and builds it. */
void building_one(struct building *building, const char *source);
/* Whether any file of the build directory holds the text. */
bool building_holds(const struct building *building, const char *text);
void assert_built(const struct building *building);
void assert_failed(const struct building *building, int code, const char *words);

/* The process that has this directory as its own, as a compiler at work would; 0 for none. */
int building_runs_in(const char *directory);
/* No process has this directory as its own; a compiler's child would. */
void assert_nothing_runs(const char *directory);

#endif
