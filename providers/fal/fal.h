/* What the files of this provider share. */
#ifndef FAL_H
#define FAL_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>

/* Where the catalogue is asked for: fal's own, or beside a queue at another address. To be freed;
 * NULL without memory. */
char *fal_catalogue(const struct conduit_job *job, const char *query);
/* Text as a part of a query; to be freed; NULL without memory. */
char *fal_encoded(const char *text);

/* By the entry of a model's catalogue that was asked for with its schema (an `openapi` document):
 * the properties of what is posted to the model, and what they refer to. NULL where it has none. */
const struct conduit_json *fal_input(const struct conduit_json *entry);
const struct conduit_json *fal_schemas(const struct conduit_json *entry);

/* Whether an entry is that of a model that takes turns. */
bool fal_offers(const struct conduit_json *entry);
/* Emits the model of an entry. `detailed` is its entry with the schema, NULL where that isn't
 * known; `raw` is the text of the more detailed one. */
void fal_model(struct conduit_job *job, const struct conduit_json *entry,
		const struct conduit_json *detailed, const char *raw, size_t size);

/* Discovery; its jobs are told from turns by fal_lists. */
void fal_discover(struct conduit_job *job);
bool fal_lists(const struct conduit_job *job);
void fal_list_reply(struct conduit_job *job, const struct conduit_reply *reply);
void fal_list_data(struct conduit_job *job, const void *bytes, size_t size);
void fal_list_end(struct conduit_job *job);
void fal_list_release(struct conduit_job *job);

#endif
