/* providers.lock and what comes in: see locked.h. */
#include "core/command/locked.h"

#include "core/base/file.h"
#include "core/config/paths.h"

#include <errno.h>
#include <string.h>

bool locked_open(struct locked *ret, struct fail *fail) {
	cleanup_free char *config = path_xdg("XDG_CONFIG_HOME", ".config", fail);
	if (config == NULL || !locate(&ret->parts, fail)) {
		return false;
	}
	if (asprintf(&ret->path, "%s/providers.lock", config) < 0) {
		ret->path = NULL;
	}
	ret->cache = fetch_cache_directory();
	if (ret->path == NULL || ret->cache == NULL) {
		return fail_set(fail, ENOMEM, "no memory, or no home directory for the cache");
	}
	return providers_lock_read(&ret->lock, ret->path, fail);
}

void locked_finish(struct locked *locked) {
	parts_finish(&locked->parts);
	providers_lock_finish(&locked->lock);
	free(locked->path);
	free(locked->cache);
}

struct lock_entry *locked_find(struct locked *locked, const char *name, struct fail *fail) {
	struct lock_entry *entry = providers_lock_find(&locked->lock, name);
	if (entry != NULL) {
		return entry;
	}
	cleanup_buf struct buf names = {0};
	for (size_t i = 0; i < locked->lock.n_entries; i++) {
		buf_add_format(&names, "%s%s", i != 0 ? ", " : "", locked->lock.entries[i].name);
	}
	fail_set(fail, ENOENT, "%s isn't in %s, which has %s", name, locked->path,
			names.size != 0 ? buf_string(&names) : "nothing in it");
	return NULL;
}

void locked_tell_reload(void) {
	printf("A mounted tree follows after: echo reload > MNT/ctl\n");
}

void locked_tell_none(void) {
	fprintf(stderr, "There are none: conduitfs provider add SOURCE\n");
}

const char *short_commit(const char *commit, char ret[SHORT_COMMIT]) {
	bool tree = strncmp(commit, "tree-", 5) == 0;
	snprintf(ret, SHORT_COMMIT, "%.*s", tree ? 17 : 12, commit[0] != '\0' ? commit : "-");
	return ret;
}

bool is_bundled(const struct parts *parts, const char *name) {
	cleanup_buf struct buf path = {0};
	buf_add_format(&path, "%s/%s.yml", parts->providers, name);
	return strchr(name, '/') == NULL && access(buf_string(&path), R_OK) == 0;
}

/* ---- what came in ---- */

void arrived_finish(struct arrived *arrived) {
	fetched_finish(&arrived->fetched);
	manifest_finish(&arrived->manifest);
	consent_finish(&arrived->asked);
	free(arrived->stand_in);
}

/* What is made for another host runs here by a bundled provider of its name. */
static bool find_stand_in(const struct locked *locked, struct arrived *arrived, struct fail *fail) {
	if (arrived->manifest.kind != MANIFEST_ELSEWHERE) {
		return true;
	}
	arrived->stand_in = manifest_tree_name(&arrived->manifest);
	if (arrived->stand_in == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	return is_bundled(&locked->parts, arrived->stand_in) ||
	       fail_set(fail, ENOENT,
			       "it holds neither `driver:` nor `sources:` but a program for "
			       "another host, which isn't run, and there is no bundled provider "
			       "%s to use in its stead",
			       arrived->stand_in);
}

static bool read_manifest(const struct locked *locked, struct arrived *arrived, struct fail *fail) {
	cleanup_buf struct buf path = {0};
	buf_add_format(&path, "%s/MediaConduit.provider.yml", arrived->fetched.files);
	return manifest_read(&arrived->manifest, buf_string(&path), fail) &&
	       find_stand_in(locked, arrived, fail) &&
	       (consent_of_manifest(&arrived->asked, &arrived->manifest) ||
			       fail_set(fail, ENOMEM, "no memory"));
}

bool arrive(const struct locked *locked, const struct wanted *wanted, struct arrived *ret,
		struct fail *fail) {
	struct fetching_options options = {.parts = &locked->parts,
			.cache = locked->cache,
			.source = wanted->source,
			.commit = wanted->commit != NULL && wanted->commit[0] != '\0'
						  ? wanted->commit
						  : NULL,
			.previous = wanted->previous};
	cleanup_free char *parent = NULL;
	if (asprintf(&parent, "%s/.", locked->cache) < 0) {
		parent = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	if (!file_make_parents(parent, fail)) {
		return false;
	}
	if (!fetching_run(&options, &ret->fetched, fail)) {
		const char *messages = ret->fetched.messages;
		if (messages != NULL && messages[0] != '\0') {
			fprintf(stderr, "%s\n", messages);
		}
		return false;
	}
	return read_manifest(locked, ret, fail);
}
