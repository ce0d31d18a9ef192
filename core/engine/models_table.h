/* models.tsv: a provider's whole catalogue as one table, made when it is asked for and kept until
 * the catalogue changes. A very long one is made in slices, so that nobody waits for it: until it
 * is whole the one before is shown. */
#ifndef CORE_ENGINE_MODELS_TABLE_H
#define CORE_ENGINE_MODELS_TABLE_H

#include "core/engine/provider.h"

struct models_table;

struct models_table *models_table_create(struct provider *provider);
/* The loop must turn before the memory goes. NULL is fine. */
void models_table_destroy(struct models_table *table);
/* A heading and a line a model: id, free, context_length, prices of a million prompt and completion
 * tokens in USD, input and output modalities, created, name. Valid until the loop's next event. */
const struct buf *models_table_text(struct models_table *table);
/* The catalogue changed: the text is made anew when next asked for. */
void models_table_changed(struct models_table *table);

/* A double as a plain decimal, without an exponent and without zeros at its end. */
bool add_decimal(struct buf *out, double value);

#endif
