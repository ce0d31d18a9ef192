/* `conduitfs provider add`: fetches a provider, asks for what it asks for, pins it. */
#include "core/command/locked.h"
#include "core/command/subcommand.h"
#include "core/config/config.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

struct adding {
	struct locked locked;
	struct source source;
	struct arrived arrived;
	const char *as; /* NULL: the manifest's name */
	char *name;
	bool yes;
	bool granted;
};

static void adding_finish(struct adding *adding) {
	locked_finish(&adding->locked);
	source_finish(&adding->source);
	arrived_finish(&adding->arrived);
	free(adding->name);
}

/* A person gives a directory as they see it from where they are. */
static bool read_source(struct adding *adding, const char *text, struct fail *fail) {
	struct stat about;
	bool directory = stat(text, &about) == 0 && S_ISDIR(about.st_mode) &&
			 !is_bundled(&adding->locked.parts, text);
	cleanup_free char *path = directory ? realpath(text, NULL) : NULL;
	if (!source_parse(&adding->source, path != NULL ? path : text, fail)) {
		return false;
	}
	return adding->source.kind != SOURCE_BUNDLED ||
	       fail_set(fail, EINVAL, "%s: %s", text,
			       is_bundled(&adding->locked.parts, adding->source.url)
					       ? "it is bundled, and there without being added"
					       : "there is no bundled provider of this name, and "
						 "no such directory: write the address of a "
						 "repository, as https://HOST/PATH");
}

static bool same_name(const struct adding *adding, const char *name) {
	return adding->as == NULL || strcmp(adding->as, name) == 0;
}

/* The entry that this source has already. */
static const struct lock_entry *find_same(const struct adding *adding) {
	const struct providers_lock *lock = &adding->locked.lock;
	for (size_t i = 0; i < lock->n_entries; i++) {
		if (strcmp(lock->entries[i].source, adding->source.text) == 0 &&
				same_name(adding, lock->entries[i].name)) {
			return &lock->entries[i];
		}
	}
	return NULL;
}

static bool may_be_named(
		const struct adding *adding, const struct lock_entry *entry, struct fail *fail) {
	const struct arrived *arrived = &adding->arrived;
	bool lent = arrived->stand_in != NULL && strcmp(arrived->stand_in, adding->name) == 0;
	if (is_bundled(&adding->locked.parts, adding->name) && !lent) {
		return fail_set(fail, EEXIST,
				"%s is the name of a bundled provider: add it under another "
				"(add SOURCE as NAME)",
				adding->name);
	}
	return entry == NULL || strcmp(entry->source, adding->source.text) == 0 ||
	       fail_set(fail, EEXIST,
			       "%s is loaded from %s: add this under another name (add SOURCE as "
			       "NAME), or remove that first",
			       adding->name, entry->source);
}

static bool change(struct providers_lock *lock, void *data, struct fail *fail) {
	struct adding *adding = data;
	const struct fetched *fetched = &adding->arrived.fetched;
	if (!may_be_named(adding, providers_lock_find(lock, adding->name), fail)) {
		return false;
	}
	struct lock_entry *entry = providers_lock_add(lock, adding->name);
	bool kept = entry != NULL && lock_entry_set(&entry->source, adding->source.text) &&
		    lock_entry_set(&entry->commit, fetched->commit) &&
		    lock_entry_set(&entry->tree, fetched->tree);
	if (kept && adding->granted && !consent_is_empty(&adding->arrived.asked)) {
		consent_finish(&entry->allow);
		entry->allow = (struct consent){0};
		entry->has_allow = consent_copy(&entry->allow, &adding->arrived.asked);
		kept = entry->has_allow;
	}
	return kept || fail_set(fail, ENOMEM, "no memory");
}

static bool choose_name(struct adding *adding, struct fail *fail) {
	adding->name = adding->as != NULL ? strdup(adding->as)
					  : manifest_tree_name(&adding->arrived.manifest);
	return (adding->name != NULL || fail_set(fail, ENOMEM, "no memory")) &&
	       may_be_named(adding, providers_lock_find(&adding->locked.lock, adding->name), fail);
}

static void tell(const struct adding *adding, enum answer answer) {
	char commit[SHORT_COMMIT];
	printf("%s is pinned to %s in %s\n", adding->name,
			short_commit(adding->arrived.fetched.commit, commit), adding->locked.path);
	if (adding->arrived.stand_in != NULL) {
		printf("It holds a program for another host: the bundled provider %s answers for "
		       "it.\n",
				adding->arrived.stand_in);
	}
	if (answer == ANSWER_NOBODY) {
		printf("What it asks for isn't granted, as there was nobody to ask: it answers "
		       "after\n"
		       "    conduitfs provider add --yes %s as %s\n"
		       "or, where it is mounted, echo allow %s > MNT/ctl\n",
				adding->source.text, adding->name, adding->name);
	}
	locked_tell_reload();
}

static int add(struct adding *adding) {
	cleanup_fail struct fail fail = {0};
	const struct lock_entry *same = find_same(adding);
	const struct wanted wanted = {
			.source = &adding->source, .commit = same != NULL ? same->commit : NULL};
	if (!arrive(&adding->locked, &wanted, &adding->arrived, &fail)) {
		return failure(&fail);
	}
	if (same != NULL && adding->as == NULL) {
		adding->as = same->name;
	}
	if (!choose_name(adding, &fail)) {
		return failure(&fail);
	}
	enum answer answer = ask_grant(&adding->locked, adding->name, &adding->arrived,
			same != NULL && same->has_allow ? &same->allow : NULL, adding->yes);
	if (answer == ANSWER_NO) {
		fprintf(stderr, "conduitfs: %s isn't added: it wasn't granted what it asks for\n",
				adding->name);
		return COMMAND_FAILED;
	}
	adding->granted = answer == ANSWER_YES;
	if (!providers_lock_edit(adding->locked.path, change, adding, &fail)) {
		return failure(&fail);
	}
	tell(adding, answer);
	return COMMAND_DONE;
}

static int run(const struct subcommand *subcommand, int argc, char **argv) {
	static const struct option longs[] = {{"yes", no_argument, NULL, 'y'}, {0}};
	struct adding adding cleanup(adding_finish) = {0};
	cleanup_fail struct fail fail = {0};
	int flag;
	while ((flag = getopt_long(argc, argv, ":y", longs, NULL)) != -1) {
		if (flag != 'y') {
			return option_error(subcommand, flag, argv);
		}
		adding.yes = true;
	}
	int n = argc - optind;
	bool named = n == 3 && strcmp(argv[optind + 1], "as") == 0;
	if (n != 1 && !named) {
		return usage_error(subcommand, "takes a source, and `as NAME` after it");
	}
	adding.as = named ? argv[optind + 2] : NULL;
	if (named && !provider_name_valid(adding.as)) {
		return usage_error(subcommand,
				"'%s' can't be a provider's name: 1 to %d of a-z, 0-9, '.', '_' "
				"and '-' are accepted",
				adding.as, PROVIDER_NAME_MOST);
	}
	if (!locked_open(&adding.locked, &fail) || !read_source(&adding, argv[optind], &fail)) {
		return failure(&fail);
	}
	return add(&adding);
}

const struct subcommand subcommand_add = {
		.name = "add",
		.arguments = "SOURCE [as NAME] [--yes]",
		.summary = "Fetches and builds a provider, asks for what it asks for, and pins it",
		.help = "SOURCE is https://HOST/PATH, ssh://USER@HOST/PATH, git@HOST:PATH,\n"
			"git://HOST/PATH, file:///PATH or github:OWNER/REPOSITORY, then @TAG, "
			"@BRANCH\n"
			"or @COMMIT, then #DIRECTORY; or a directory. NAME is its name in the "
			"tree;\n"
			"the manifest's id without -provider is otherwise.\n"
			"\n"
			"  -y, --yes  grant what it asks for without a question\n",
		.run = run,
};
