/* MediaConduit.provider.yml: what a provider says about itself. Read for bundled providers here;
 * docs/manifest.md lists the fields. Faults are reported all at once, with line and remedy. */
#ifndef CORE_CONFIG_MANIFEST_H
#define CORE_CONFIG_MANIFEST_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>

struct manifest_endpoint {
	char *host; /* lower case; "*.example.com" for its subdomains */
	int port; /* 0: the scheme's */
	bool keyed; /* the key may go there (`key: true`) */
};

struct manifest {
	char *path; /* of the file */
	char *id; /* as written */
	char *name, *description, *version;
	bool local; /* type: local */
	char **capabilities; /* canonical names ("text-to-text"), ended by NULL */
	char *driver; /* declared: a bundled provider's name; NULL when compiled */
	char **sources; /* compiled: ended by NULL; NULL when declared */
	char *base_url, *base_url_env; /* NULL when unsaid */
	char *key_env;
	char *key_url; /* where a person gets a key */
	bool public_models; /* the list of models is given to those without a key too */
	bool key_required; /* opening `input` without one is ENOKEY */
	char *auth_header; /* "Authorization" */
	char *auth_scheme; /* "Bearer"; "" for the bare key */
	struct manifest_endpoint *endpoints;
	size_t n_endpoints;
	char **programs; /* names of programs that it may have run; ended by NULL */
	char **pkg_config; /* libraries that its sources are compiled against; ended by NULL */
	int concurrent; /* limits.concurrent, 0 when unsaid */
};

bool manifest_read(struct manifest *ret, const char *path, struct fail *fail);
void manifest_finish(struct manifest *manifest);

/* The name of a program that a manifest may ask for: 1 to 64 of letters, digits and "+._-", and not
 * a shell or an interpreter, which would run whatever it is handed. */
bool program_name_valid(const char *name);

/* The provider's name in the tree: the id without a final "-provider" or "-docker-provider". The
 * caller frees. */
char *manifest_tree_name(const struct manifest *manifest);

#endif
