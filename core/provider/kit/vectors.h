/* Vectors as a turn's output: a line of JSON each, or one array in NumPy's format. */
#ifndef CORE_PROVIDER_KIT_VECTORS_H
#define CORE_PROVIDER_KIT_VECTORS_H

#include "core/base/buf.h"

#include <conduit/provider.h>

struct vectors {
	const char *member; /* of an entry that holds the numbers; NULL: the entry is the array */
	bool npy; /* float32, little-endian, shape (rows, columns); else JSON lines */
	size_t columns; /* as the first row has them; 0 while there is none */
};

/* The format by the setting `format` ("json", "npy"); `member` is the caller's to set. False after
 * failing the job. */
bool vectors_begin(
		struct vectors *vectors, struct conduit_job *job, const struct conduit_turn *turn);
/* Takes one row from the JSON of an entry, {"index":0,"embedding":[0.1,…]}: in JSON the numbers are
 * digit for digit those of the entry. *ret_index is set when the entry says which row it is. False
 * when there is no array of numbers, or it is empty or of another length than the rows before it;
 * memory is `out`'s to tell. */
bool vectors_row(struct vectors *vectors, const char *json, size_t size, struct buf *out,
		int64_t *ret_index);
/* Appends what stands before the first row, once that is known; nothing in JSON. */
void vectors_head(const struct vectors *vectors, size_t rows, struct buf *out);

#endif
