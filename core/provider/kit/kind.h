/* Sorts an error into the kinds of provider.h. Knows nothing of where its facts stood. */
#ifndef CORE_PROVIDER_KIT_KIND_H
#define CORE_PROVIDER_KIT_KIND_H

#include <conduit/kit/json.h>
#include <conduit/provider.h>

#define ERROR_NAMES 16

/* What is known of an error; the strings are borrowed. */
struct error_facts {
	int status; /* HTTP status, or the one that the body states; 0 unknown */
	const char *message; /* NULL when there is none */
	const char *raw_message; /* what an upstream said, or NULL */
	const char *provider; /* the upstream's name, or NULL */
	const struct conduit_json *loc; /* the way to the member that is wrong, or NULL */
	bool relayed; /* it is the upstream's error, not the service's */
	bool flagged; /* it lists reasons of a moderation */
	const char *names[ERROR_NAMES]; /* types and codes, its own and the upstream's */
	size_t n_names;
};

/* Sets `kind` and `retry`. */
void error_kind(const struct error_facts *facts, struct conduit_failure *failure);

#endif
