/* MediaConduit.provider.yml: what a provider says about itself, bundled or from outside.
 * docs/manifest.md lists the fields. Faults are reported all at once, with line and remedy. */
#ifndef CORE_CONFIG_MANIFEST_MANIFEST_H
#define CORE_CONFIG_MANIFEST_MANIFEST_H

#include "core/base/buf.h"
#include "core/base/fail.h"

#include <stdbool.h>
#include <stddef.h>

enum manifest_kind {
	MANIFEST_COMPILED, /* `sources` */
	MANIFEST_DECLARED, /* `driver` */
	MANIFEST_ELSEWHERE, /* neither: what it holds is for another host, such as MediaConduit's
			       TypeScript; a bundled provider of its name may stand in for it */
};

struct manifest_endpoint {
	char *host; /* lower case; "*.example.com" for its subdomains; IPv6 without brackets */
	int port; /* 0: the scheme's */
	bool keyed; /* the key may go there (`key: true`) */
};

/* A model of `models`. */
struct manifest_model {
	char *id; /* 1 to 1023 bytes */
	char *name, *description; /* "" when unsaid */
	char **capabilities; /* canonical names, ended by NULL; NULL when unsaid */
	/* "text,image", as provider.h has them; from the capabilities when unsaid, its own or the
	 * provider's. */
	char *input_modalities, *output_modalities;
	char *parameters; /* those that are settings, by the names in config/: "temperature,top_p"
			   */
	char *limits; /* their ranges, choices and defaults, as limit.h has them; NULL: none */
};

/* What limits.fallback_models accepts at most. */
#define MANIFEST_FALLBACK_MOST 8

struct manifest {
	char *path; /* of the file */
	enum manifest_kind kind;
	char *id; /* as written */
	char *name, *description, *version; /* plain text; "" when unsaid, but for the name */
	bool local; /* type: local */
	char **capabilities; /* canonical names ("text-to-text"), ended by NULL */
	char *driver; /* declared: a bundled provider's name; else NULL */
	char **sources; /* compiled: ended by NULL; else NULL */
	char *base_url, *base_url_env; /* NULL when unsaid */
	char **base_urls; /* further ones, where the service may be as well; ended by NULL */
	char *service_url; /* where the service itself comes from; "" when unsaid */
	char *key_env;
	char *key_url; /* where a person gets a key */
	char *start; /* how a person starts its service, one line; NULL when unsaid */
	bool public_models; /* the list of models is given to those without a key too */
	bool free_models; /* some that it lists certainly cost nothing: said before they are known
			   */
	bool open; /* it has more models than its list says: mkdir in models/ adds one */
	bool cost_lookup; /* it can be asked what a turn cost that was cut off */
	bool key_required; /* opening `input` without one is ENOKEY */
	char *auth_header; /* "Authorization" */
	char *auth_scheme; /* "Bearer"; "" for the bare key */
	struct manifest_endpoint *endpoints;
	size_t n_endpoints;
	char **programs; /* names of programs that it may have run; ended by NULL */
	char *package; /* Debian's that hold them, one line; NULL: called as the program */
	char **pkg_config; /* libraries that its sources are compiled against; ended by NULL */
	struct manifest_model *models;
	size_t n_models;
	bool models_static; /* `discovery: static`: the models are these, the service isn't asked */
	int concurrent; /* limits.concurrent, 0 when unsaid */
	int fallback_models; /* limits.fallback_models, 0 when unsaid: the models that one request
				may name, of which the service asks the next when one fails */
};

bool manifest_read(struct manifest *ret, const char *path, struct fail *fail);
/* The same; `notes` gets a line ("FILE:LINE: …") for each thing that has no effect: an unknown
 * field, with the nearest known one, a type or parameter that nothing is made of. */
bool manifest_read_noting(
		struct manifest *ret, const char *path, struct buf *notes, struct fail *fail);
void manifest_finish(struct manifest *manifest);

/* The name of a program that a manifest may ask for: 1 to 64 of letters, digits and "+._-", and not
 * a shell or an interpreter, which would run whatever it is handed. */
bool program_name_valid(const char *name);

/* The provider's name in the tree: the id without a final "-provider" or "-docker-provider". The
 * caller frees. */
char *manifest_tree_name(const struct manifest *manifest);

#endif
