/* Whose name a provider from outside bears: see load_private.h. */
#include "core/engine/engine.h"
#include "core/engine/load/load_private.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct provider *load_find(const struct engine *engine, const char *name) {
	struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		if (strcmp(provider->name, name) == 0) {
			return provider;
		}
	}
	return NULL;
}

bool load_is_bundled(const struct engine *engine, const char *name) {
	char path[PATH_MAX];
	int length = snprintf(
			path, sizeof(path), "%s/%s.yml", engine->options.provider_directory, name);
	return strchr(name, '/') == NULL && length > 0 && (size_t)length < sizeof(path) &&
	       access(path, R_OK) == 0;
}

struct provider *load_show(struct engine *engine, const char *name, const struct source *source,
		struct fail *fail) {
	const struct config_provider *config = config_provider(&engine->config, name);
	struct provider *provider = provider_create(engine, name, config, fail);
	if (provider == NULL) {
		return NULL;
	}
	provider->place->user = provider;
	provider->state = PROVIDER_FETCHING;
	if (load_create(provider, source) == NULL) {
		fail_set(fail, ENOMEM, "no memory for a provider");
		load_hide(provider);
		return NULL;
	}
	return provider;
}

void load_hide(struct provider *provider) {
	catalogue_hide(provider->engine->catalogue, provider->place);
	provider_destroy(provider);
}

/* The provider that shows under a guessed name goes, its load belongs to the bundled one. */
static bool lend(struct load *load, struct provider *bundled, struct fail *fail) {
	struct provider *shown = load->provider;
	if (bundled->load != NULL) {
		return fail_set(fail, EEXIST, "providers/%s is loaded from %s already",
				bundled->name, bundled->load->used.source.text);
	}
	pins_drop(shown->engine->loads->pins, shown->name);
	load->provider = bundled;
	load->lent = true;
	bundled->load = load;
	shown->load = NULL;
	load_hide(shown);
	return true;
}

static bool taken(const char *name, const char *asked, bool bundled, struct fail *fail) {
	return fail_set(fail, EEXIST,
			"its manifest calls it %s, and providers/%s is %s: load it under another "
			"name (load SOURCE as NAME)",
			asked, name, bundled ? "a bundled provider" : "another provider");
}

/* Shows it under the manifest's name in place of the guessed one. */
static bool rename_to(struct load *load, const char *name, struct fail *fail) {
	struct provider *provider = load->provider;
	struct engine *engine = provider->engine;
	struct place *place = catalogue_provider(engine->catalogue, name, fail);
	char *copy = strdup(name);
	if (place == NULL || copy == NULL) {
		free(copy);
		return fail_set(fail, ENOMEM, "no memory for the name %s", name);
	}
	pins_drop(engine->loads->pins, provider->name);
	provider->place->user = NULL;
	catalogue_hide(engine->catalogue, provider->place);
	free(provider->name);
	provider->name = copy;
	provider->place = place;
	place->user = provider;
	provider_take_config(provider, config_provider(&engine->config, name));
	return true;
}

/* A repository for MediaConduit's own host: it is known by its name. */
static bool find_bundled(struct load *load, const struct manifest *manifest, const char *name,
		struct fail *fail) {
	if (manifest->kind != MANIFEST_ELSEWHERE) {
		return true;
	}
	if (!load_is_bundled(load->provider->engine, name)) {
		return fail_set(fail, ENOENT,
				"the repository holds neither `driver:` nor `sources:` but a "
				"program for another host, which isn't run, and there is no "
				"bundled provider %s to use in its stead",
				name);
	}
	return turn_words_set(&load->next.bundled, name) ||
	       fail_set(fail, ENOMEM, "no memory for a name");
}

bool load_name(struct load *load, const struct manifest *manifest, struct fail *fail) {
	struct provider *provider = load->provider;
	struct engine *engine = provider->engine;
	cleanup_free char *name = manifest_tree_name(manifest);
	if (name == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a name");
	}
	if (!find_bundled(load, manifest, name, fail)) {
		return false;
	}
	bool mapped = load->next.bundled[0] != '\0';
	bool same = strcmp(name, provider->name) == 0;
	bool bundled = load_is_bundled(engine, name);
	if (load->lent) {
		return (same && mapped) || taken(provider->name, name, bundled, fail);
	}
	if (load->named || pinned_at(&load->used) || same) {
		return true;
	}
	struct provider *other = load_find(engine, name);
	if (other != NULL && bundled && mapped) {
		return lend(load, other, fail);
	}
	return other == NULL && (mapped || !bundled) ? rename_to(load, name, fail)
						     : taken(name, name, bundled, fail);
}
