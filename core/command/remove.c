/* `conduitfs provider remove` and `prune`: forgetting providers, and emptying the cache of them. */
#include "core/base/strings.h"
#include "core/command/locked.h"
#include "core/command/subcommand.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

struct removing {
	char **names;
	int n;
};

/* All of them or none. */
static bool change(struct providers_lock *lock, void *data, struct fail *fail) {
	const struct removing *removing = data;
	for (int i = 0; i < removing->n; i++) {
		if (providers_lock_find(lock, removing->names[i]) == NULL) {
			return fail_set(fail, ENOENT, "%s isn't in %s", removing->names[i],
					lock->path);
		}
		providers_lock_remove(lock, removing->names[i]);
	}
	return true;
}

static int run_remove(const struct subcommand *subcommand, int argc, char **argv) {
	static const struct option longs[] = {{0}};
	struct locked locked cleanup(locked_finish) = {0};
	cleanup_fail struct fail fail = {0};
	int flag = getopt_long(argc, argv, ":", longs, NULL);
	if (flag != -1) {
		return option_error(subcommand, flag, argv);
	}
	struct removing removing = {argv + optind, argc - optind};
	if (removing.n == 0) {
		return usage_error(subcommand, "takes names");
	}
	if (!locked_open(&locked, &fail)) {
		return failure(&fail);
	}
	for (int i = 0; i < removing.n; i++) {
		if (locked_find(&locked, removing.names[i], &fail) == NULL) {
			return failure(&fail);
		}
	}
	if (!providers_lock_edit(locked.path, change, &removing, &fail)) {
		return failure(&fail);
	}
	for (int i = 0; i < removing.n; i++) {
		printf("%s is removed, and what it was granted\n", removing.names[i]);
	}
	locked_tell_reload();
	return COMMAND_DONE;
}

static int prune(const struct locked *locked) {
	cleanup_strings char **commits = NULL;
	cleanup_fail struct fail fail = {0};
	uint64_t bytes = 0;
	bool listed = true;
	for (size_t i = 0; i < locked->lock.n_entries; i++) {
		const struct lock_entry *entry = &locked->lock.entries[i];
		listed = listed && strings_add(&commits, entry->commit) &&
			 strings_add(&commits, entry->previous_commit);
	}
	static char *none[] = {NULL};
	if (!listed) {
		fail_set(&fail, ENOMEM, "no memory");
		return failure(&fail);
	}
	bool pruned = fetch_prune(locked->cache,
			(const char *const *)(commits != NULL ? commits : none), &bytes, &fail);
	printf("%.1f MiB are free again in %s\n", (double)bytes / (1 << 20), locked->cache);
	return pruned ? COMMAND_DONE : failure(&fail);
}

static int run_prune(const struct subcommand *subcommand, int argc, char **argv) {
	struct locked locked cleanup(locked_finish) = {0};
	cleanup_fail struct fail fail = {0};
	int wrong = takes_nothing(subcommand, argc, argv);
	if (wrong != COMMAND_DONE) {
		return wrong;
	}
	return locked_open(&locked, &fail) ? prune(&locked) : failure(&fail);
}

const struct subcommand subcommand_remove = {
		.name = "remove",
		.arguments = "NAME …",
		.summary = "Takes providers out of providers.lock",
		.help = "What they were granted is forgotten. Keys that were written to the tree "
			"stay\n"
			"in $XDG_CONFIG_HOME/conduitfs/keys; fetched files stay until prune.\n",
		.run = run_remove,
};

const struct subcommand subcommand_prune = {
		.name = "prune",
		.arguments = "",
		.summary = "Removes from the cache what no pinned provider needs",
		.help = "What a mounted tree uses stays, and so does each provider's commit "
			"before.\n",
		.run = run_prune,
};
