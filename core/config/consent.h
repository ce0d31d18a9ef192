/* What a manifest from outside asks for, and what the user granted: the variable that its key comes
 * from, the hosts that are sent to, those among them that get the key, and the programs it runs.
 * Nothing is granted by a wildcard or by default: a provider may be used when everything it asks
 * for is in the grant, word for word. */
#ifndef CORE_CONFIG_CONSENT_H
#define CORE_CONFIG_CONSENT_H

#include "core/base/buf.h"
#include "core/config/manifest.h"

struct consent {
	char *key; /* the environment variable of the key; NULL none */
	/* Sorted, each once, ended by NULL (or NULL for none). A host is "api.acme.dev", with
	 * ":8443" where the port isn't https's, "*.acme.dev" for its subdomains, "http://…" in
	 * front where it isn't https. Loopback, link-local and private addresses stand there as any
	 * other: being named is their own grant. */
	char **key_hosts; /* get the key as well */
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
bool consent_is_empty(const struct consent *consent);

#define cleanup_consent cleanup(consent_finish)

#endif
