/* One version of a provider, as it answers: its manifest, its address, the hosts it may speak to,
 * its key and its process. An update makes another one beside it and puts that in its place;
 * exchanges hold the version that they began on, so that they end on it. */
#ifndef CORE_ENGINE_LOAD_VERSION_H
#define CORE_ENGINE_LOAD_VERSION_H

#include "core/base/buf.h"
#include "core/config/key/key.h"
#include "core/config/manifest/manifest.h"
#include "core/process/process.h"
#include "core/transfer/transfer.h"

struct provider;

/* Where the turns of `driver: replay` are kept. */
struct kept_place {
	char *path; /* NULL: another driver */
	struct kept *kept; /* what was read there last; NULL before the first */
};

struct version {
	unsigned holds;
	struct provider *provider;
	char *driver, *files, *object; /* as it was specified; NULL where it wasn't */
	bool foreign; /* from outside: nothing of it is trusted */
	struct manifest manifest;
	char *base_url; /* "" when it has none */
	bool named_base_url; /* config.yml or the environment named it */
	bool own_base_url; /* the user named it: the manifest's key variable isn't inherited */
	bool local; /* of this machine: what states no price costs nothing */
	struct transfer_host *hosts;
	size_t n_hosts;
	struct key *key;
	struct process *process;
	struct kept_place kept;
};

/* A bundled provider by `driver`; else one from outside by `files` and `object`. */
struct version_spec {
	const char *driver; /* a bundled provider's name, or NULL */
	const char *files; /* the directory that holds MediaConduit.provider.yml */
	const char *object; /* what was built of it; "" for one that names a driver */
	const char *base_url; /* one of the manifest's, instead of what is chosen; NULL: none */
};

/* ENODEV: a variable that isn't ours alone (OLLAMA_HOST, KOKORO_SERVICE_URL) names an address that
 * can't be used.
 *
 * Held once, for the provider, whose name and entry of config.yml it uses. Starts no process yet.
 * The variable that a manifest from outside names is read here: only for what was granted. NULL
 * with words. */
struct version *version_create(
		struct provider *provider, const struct version_spec *spec, struct fail *fail);
/* Another of the same, at the n-th of the further addresses that its manifest names, from 0; NULL
 * after the last, where the user named the address, and of one from outside, which was granted the
 * one alone. */
struct version *version_at_another(const struct version *version, size_t n);
struct version *version_hold(struct version *version);
/* With the last hold its process ends; the loop must turn before the memory goes. NULL is fine. */
void version_release(struct version *version);

/* Whether it runs programs and none of them is installed; then the words say what to install
 * (ENODEV). */
bool version_lacks_programs(const struct version *version, struct fail *fail);
/* What `apt-get install` takes to have this program of its manifest. */
const char *version_package(const struct version *version, const char *program);
/* The whole header line with the key, for a transfer; false when there is no key. Wipe it. */
bool version_key_header(struct version *version, struct buf *ret);
/* Keys in the environment were copied: no child and no reader of /proc finds them any more. */
void version_hide_keys(const struct version *version);

#endif
