/* What a manifest from outside asks for, and what the user granted: the variable that its key comes
 * from, the hosts that are sent to, those among them that get the key, and the programs it runs.
 * Nothing is granted by a wildcard or by default: a provider may be used when everything it asks
 * for is in the grant, word for word. */
#ifndef CORE_CONFIG_CONSENT_H
#define CORE_CONFIG_CONSENT_H

#include "core/base/buf.h"
#include "core/config/manifest/manifest.h"

struct place;
struct yaml_node;

struct consent {
	char *key; /* the environment variable of the key; NULL none */
	/* Sorted, each once, ended by NULL (or NULL for none). A host is "api.acme.dev", with
	 * ":8443" where the port isn't https's, "*.acme.dev" for its subdomains, "http://…" in
	 * front where it isn't https. Loopback, link-local and private addresses stand there as any
	 * other: being named is their own grant. */
	char **key_hosts; /* get the key as well: that of the variable, or one that the user sets */
	char **hosts;
	char **programs; /* names, as `programs:` in the manifest */
};

/* What the manifest asks for; its base_url's host gets the key. False without memory. */
bool consent_of_manifest(struct consent *ret, const struct manifest *manifest);
bool consent_copy(struct consent *ret, const struct consent *from);
void consent_finish(struct consent *consent);

/* True when nothing is asked that isn't granted; else false, with a line each of what is missing
 * appended to `missing` (which may be NULL): "the key in $ACME_API_KEY, sent to api.acme.dev",
 * "requests to 169.254.169.254, an address of the local network", "the program ffmpeg". */
bool consent_covers(
		const struct consent *granted, const struct consent *asked, struct buf *missing);
/* What a person is asked, whole, a line each in the same words. */
bool consent_describe(const struct consent *consent, struct buf *out);
bool consent_same(const struct consent *a, const struct consent *b);
/* Nothing is asked, or granted. */
bool consent_is_empty(const struct consent *consent);

/* Whether a text can be one of the hosts above. */
bool consent_host_valid(const char *text);
/* Whether such a host lies in the local network by its very name: a connection to it may lead to a
 * loopback, link-local or private address, and what a person is asked says so. */
bool consent_host_is_local(const char *text);
/* The host of such a text without scheme, brackets and port (0: its scheme's own). Freed by the
 * caller; NULL for another text, or without memory. */
char *consent_host_parts(const char *text, bool *ret_https, int *ret_port);

/* A grant as providers.lock and config.yml write it, {key: …, key_hosts: […], hosts: […],
 * programs: […]}; what is wrong is added to the place's faults. */
void consent_read(const struct place *place, const struct yaml_node *node, struct consent *ret);

/* A list of such hosts; as above. */
void consent_read_hosts(const struct place *place, const struct yaml_node *node, char ***ret);

#define cleanup_consent cleanup(consent_finish)

#endif
