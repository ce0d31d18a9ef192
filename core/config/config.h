/* config.yml: what the user says about the daemon, as design section 6 lists it. Everything has a
 * default, so that no file is needed at all. Reading reports every fault at once, each with its
 * line, the value and the remedy (an unknown name: the nearest known one). */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "core/base/fail.h"
#include "core/config/consent.h"
#include "core/config/money.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What `concurrent` and `queue` accept at most. */
#define CONFIG_CONCURRENT_MOST 1024
#define CONFIG_QUEUE_MOST 65536

/* A setting of `config:`, checked by settings.h when read. */
struct config_setting {
	char *name;
	char *value;
};

/* Seconds; -1 where the file says nothing. */
struct config_timeouts {
	double connect, first_byte, idle, total;
};

/* The driver that answers from kept turns, in the daemon itself; there only where config.yml says
 * from which. */
#define REPLAY_DRIVER "replay"

struct config_provider {
	char *name; /* its name in the tree */
	int line; /* where it stands in the file, for words */
	bool off; /* hidden */
	char *driver; /* a bundled provider's name; NULL: the one called `name` */
	char *source; /* where it is loaded from, as it is written; NULL: it is bundled */
	struct consent allow; /* what the user grants to one that has a source */
	char **hosts; /* further ones that it may speak to, without the key; as in a consent */
	char *path; /* of `driver: replay`: the turns that it answers from; ~ expanded */
	char *base_url; /* no trailing slash; NULL: the driver's */
	char *key; /* wiped when freed */
	char *key_env; /* variable that holds it */
	char *key_file; /* ~ expanded */
	char *key_command; /* for sh -c; its first line is the key */
	bool insecure; /* plain http to other than loopback */
	int retries; /* -1 unset */
	int concurrent; /* -1 unset */
	struct config_timeouts timeout;
	struct config_budget budget;
	struct config_price price;
	struct config_setting *settings;
	size_t n_settings;
};

/* How long turns are kept; 0 where the file says nothing: for ever. */
struct config_retention {
	double age; /* seconds since a turn's end */
	int count; /* turns of a model, a session or a route */
	uint64_t bytes; /* that all of them take on the disk */
};

/* Who answers for a capability: patterns as route_patterns.h has them, a line each. */
struct config_route {
	int capability; /* its number, see capability.h */
	char *patterns;
};

/* A link in the root: to PROVIDER/MODEL, or capabilities/NAME. */
struct config_alias {
	char *name;
	char *target; /* as it is written */
};

struct config {
	char *file; /* that was read; NULL when none is there */
	char *state; /* absolute */
	char *ca_file; /* authorities to trust instead of the system's; NULL: the system's */
	char *config_dir; /* $XDG_CONFIG_HOME/conduitfs, absolute: keys/ lies there */
	bool history; /* false: nothing is kept beyond the mount */
	int concurrent; /* turns of a provider at once, 8 */
	int queue; /* turns of a provider that may wait, 64 */
	uint64_t prompt_most; /* bytes, 256 MiB */
	uint64_t media_most; /* bytes of an output, 16 GiB */
	uint64_t attach_most; /* bytes of all files in one attach/, 2 GiB */
	double refresh; /* seconds between discoveries, 3600 */
	struct config_budget budget;
	struct config_retention retention;
	bool sandbox_seccomp; /* `sandbox: seccomp`: load without Landlock */
	struct config_provider *providers;
	size_t n_providers;
	struct config_route *routes;
	size_t n_routes;
	struct config_alias *aliases;
	size_t n_aliases;
};

/* Reads `file`, or $XDG_CONFIG_HOME/conduitfs/config.yml when it is NULL (then its absence is
 * fine). False with words that hold one line a fault, "FILE:LINE: …". */
bool config_read(struct config *ret, const char *file, struct fail *fail);
void config_finish(struct config *config);
const struct config_provider *config_provider(const struct config *config, const char *name);

/* A provider's name in the tree: 1 to PROVIDER_NAME_MOST of a-z 0-9 . _ -, no leading '.'. */
#define PROVIDER_NAME_MOST 64
bool provider_name_valid(const char *name);

/* "256M", "16G", "4096" → bytes; "1h", "30s", "2.5", "10m", "7d" → seconds. Digits, at
 * most one point and one unit (K M G T of 1024, either case; s m h d): no sign, no blanks. */
bool parse_size(const char *text, uint64_t *ret);
bool parse_duration(const char *text, double *ret);

#endif
