/* The results of an attempt as they come: the first is the turn's output, each further one a file
 * in its artifacts/. What each is, is settled by its beginning and by what the provider said.
 * Embedded in a run; private: see run.h. */
#ifndef CORE_ENGINE_RUN_RESULTS_H
#define CORE_ENGINE_RUN_RESULTS_H

#include "core/engine/attach/media.h"
#include "core/turn/results.h"

struct results {
	struct turn *turn; /* borrowed */
	struct media *media;
	uint64_t most; /* bytes of all of them */
	uint64_t bytes;
	struct turn_results done; /* those that are whole */
	int fd; /* of the one under way, -1 for the output */
	size_t under_way; /* its number: 0 the output */
	size_t begun; /* how many artifacts were */
	char *type, *name; /* as it is said to be; NULL for nothing */
	bool text; /* the model makes text: an output of which nothing is said is that */
	bool said; /* the provider said that the output is a result */
	bool reserved; /* further ones come before the output, which is still to come */
	bool promoted; /* nothing came for it: the first of the further ones is the output */
	bool over;
};

/* An attempt begins. */
void results_begin(struct results *results, struct turn *turn, struct media *media, uint64_t most,
		bool text);
void results_finish(struct results *results);
/* From here on another one; "" for what isn't said. False with words. */
bool results_next(struct results *results, const char *type, const char *name, struct fail *fail);
/* The one under way is whole, and the output goes on. False with words. */
bool results_resume(struct results *results, struct fail *fail);
/* A reply of this type goes to the output: it is that where the provider didn't say. */
void results_hint(struct results *results, const char *type);
/* EFBIG over the limit, ENOSPC …; with words. */
bool results_add(struct results *results, const void *bytes, size_t size, struct fail *fail);
/* The file of a program is a result of its own, moved to where it belongs. False with words. */
bool results_take(struct results *results, const char *path, const char *name, struct fail *fail);
/* All have come: keeps what they are. Nothing to do when it was called before. False with words. */
bool results_end(struct results *results, struct fail *fail);
/* Something came, be it for the output or beside it. */
bool results_any(const struct results *results);
/* After the end: the output is plain text. */
bool results_plain(const struct results *results);

#endif
