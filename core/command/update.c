/* `conduitfs provider update` and `rollback`: moving what is pinned. */
#include "core/command/locked.h"
#include "core/command/subcommand.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

/* A move of one entry, as it was weighed. */
struct moving {
	const char *name;
	const char *from; /* the commit it was at then */
	const struct arrived *to;
	bool grant; /* what it asks for was granted just now */
};

static bool change(struct providers_lock *lock, void *data, struct fail *fail) {
	const struct moving *moving = data;
	struct lock_entry *entry = providers_lock_find(lock, moving->name);
	if (entry == NULL || strcmp(entry->commit, moving->from) != 0) {
		return fail_set(fail, EAGAIN,
				"%s was changed by somebody else meanwhile: nothing was done",
				moving->name);
	}
	bool kept = lock_entry_set(&entry->previous_commit, entry->commit) &&
		    lock_entry_set(&entry->previous_tree, entry->tree) &&
		    lock_entry_set(&entry->commit, moving->to->fetched.commit) &&
		    lock_entry_set(&entry->tree, moving->to->fetched.tree);
	if (kept && moving->grant) {
		consent_finish(&entry->allow);
		entry->allow = (struct consent){0};
		entry->has_allow = consent_copy(&entry->allow, &moving->to->asked);
		kept = entry->has_allow;
	}
	return kept || fail_set(fail, ENOMEM, "no memory");
}

/* Fetches `commit` (NULL: what the ref leads to) and pins the entry to it. */
static bool move(struct locked *locked, const struct lock_entry *entry, const char *commit,
		bool yes, bool *ret_moved, struct fail *fail) {
	struct source source cleanup_source = {0};
	struct arrived to cleanup(arrived_finish) = {0};
	const struct wanted wanted = {.source = &source,
			.commit = commit,
			.previous = commit == NULL ? entry->commit : NULL};
	char before[SHORT_COMMIT], after[SHORT_COMMIT];
	if (!source_parse(&source, entry->source, fail) || !arrive(locked, &wanted, &to, fail)) {
		return false;
	}
	if (strcmp(to.fetched.commit, entry->commit) == 0) {
		printf("%s: up to date at %s\n", entry->name, short_commit(entry->commit, after));
		return true;
	}
	if (to.fetched.rewritten) {
		fprintf(stderr,
				"%s: the history of %s was rewritten, by a forced push perhaps: it "
				"leads no more to %s, which rollback goes back to\n",
				entry->name, source.text, short_commit(entry->commit, before));
	}
	enum answer answer = ask_grant(locked, entry->name, &to, &entry->allow, yes);
	if (answer != ANSWER_YES) {
		return fail_set(fail, EACCES, "it stays at %s: %s asks for what isn't granted%s",
				short_commit(entry->commit, before),
				short_commit(to.fetched.commit, after),
				answer == ANSWER_NOBODY ? ", and nobody was there to ask; --yes "
							  "grants it"
							: "");
	}
	struct moving moving = {.name = entry->name,
			.from = entry->commit,
			.to = &to,
			.grant = to.stand_in == NULL &&
				 !consent_covers(&entry->allow, &to.asked, NULL)};
	if (!providers_lock_edit(locked->path, change, &moving, fail)) {
		return false;
	}
	*ret_moved = true;
	printf("%s: %s -> %s\n", entry->name, short_commit(entry->commit, before),
			short_commit(to.fetched.commit, after));
	return true;
}

static void say_failed(const char *name, const struct fail *fail) {
	cleanup_fail struct fail named = {0};
	fail_set(&named, fail->code, "%s: %s", name, fail_words(fail));
	failure(&named);
}

/* One after the other: what fails leaves the others alone. */
static int update(struct locked *locked, char **names, int n, bool yes) {
	bool good = true, moved = false;
	if (n == 0 && locked->lock.n_entries == 0) {
		locked_tell_none();
	}
	for (size_t i = 0; i < (n != 0 ? (size_t)n : locked->lock.n_entries); i++) {
		cleanup_fail struct fail fail = {0};
		const struct lock_entry *entry = n != 0 ? locked_find(locked, names[i], &fail)
							: &locked->lock.entries[i];
		if (entry == NULL) {
			failure(&fail);
			good = false;
		} else if (!move(locked, entry, NULL, yes, &moved, &fail)) {
			say_failed(entry->name, &fail);
			good = false;
		}
		if (fail.code == EINTR) {
			break;
		}
	}
	if (moved) {
		locked_tell_reload();
	}
	return good ? COMMAND_DONE : COMMAND_FAILED;
}

static int rollback(struct locked *locked, const char *name, bool yes) {
	cleanup_fail struct fail fail = {0};
	bool moved = false;
	const struct lock_entry *entry = locked_find(locked, name, &fail);
	if (entry == NULL) {
		return failure(&fail);
	}
	if (entry->previous_commit[0] == '\0') {
		fail_set(&fail, ENOENT, "%s was never updated: there is no commit before this",
				name);
		return failure(&fail);
	}
	if (!move(locked, entry, entry->previous_commit, yes, &moved, &fail)) {
		say_failed(name, &fail);
		return COMMAND_FAILED;
	}
	locked_tell_reload();
	return COMMAND_DONE;
}

/* Both take --yes and names. Returns an exit code for a bad call, -1 for a good one. */
static int read_call(const struct subcommand *subcommand, int argc, char **argv, bool *ret_yes) {
	static const struct option longs[] = {{"yes", no_argument, NULL, 'y'}, {0}};
	int flag;
	while ((flag = getopt_long(argc, argv, ":y", longs, NULL)) != -1) {
		if (flag != 'y') {
			return option_error(subcommand, flag, argv);
		}
		*ret_yes = true;
	}
	return -1;
}

/* As read_call. */
static int open_locked(struct locked *locked) {
	cleanup_fail struct fail fail = {0};
	return locked_open(locked, &fail) ? -1 : failure(&fail);
}

static int run_update(const struct subcommand *subcommand, int argc, char **argv) {
	struct locked locked cleanup(locked_finish) = {0};
	bool yes = false;
	int code = read_call(subcommand, argc, argv, &yes);
	if (code < 0) {
		code = open_locked(&locked);
	}
	return code < 0 ? update(&locked, argv + optind, argc - optind, yes) : code;
}

static int run_rollback(const struct subcommand *subcommand, int argc, char **argv) {
	struct locked locked cleanup(locked_finish) = {0};
	bool yes = false;
	int code = read_call(subcommand, argc, argv, &yes);
	if (code < 0 && argc - optind != 1) {
		code = usage_error(subcommand, "takes one name");
	}
	if (code < 0) {
		code = open_locked(&locked);
	}
	return code < 0 ? rollback(&locked, argv[optind], yes) : code;
}

const struct subcommand subcommand_update = {
		.name = "update",
		.arguments = "[NAME …] [--yes]",
		.summary = "Pins providers to what their refs lead to now",
		.help = "All of them, or those named. A provider that asks for more than was "
			"granted\n"
			"stays where it is until that is granted; one that can't be fetched or "
			"built,\n"
			"too.\n"
			"\n"
			"  -y, --yes  grant what they ask for without a question\n",
		.run = run_update,
};

const struct subcommand subcommand_rollback = {
		.name = "rollback",
		.arguments = "NAME [--yes]",
		.summary = "Pins a provider to the commit before its last update",
		.help = "Once more brings the update back.\n"
			"\n"
			"  -y, --yes  grant what it asks for without a question\n",
		.run = run_rollback,
};
