/* What a user says about providers from outside: see load.h. */
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/load/discovery.h"
#include "core/engine/load/load_private.h"

#include <errno.h>
#include <string.h>

/* ---- load ---- */

/* What isn't under way and isn't there is tried again. */
static bool again(struct load *load, const struct source *source) {
	bool other = strcmp(load->used.source.text, source->text) != 0;
	bool failed = load->provider->version == NULL && load->step == LOAD_RESTING;
	if (other || failed) {
		load_begin(load, source, NULL);
	}
	return true;
}

static struct provider *find_source(const struct engine *engine, const struct source *source) {
	struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		if (provider->load != NULL &&
				strcmp(provider->load->used.source.text, source->text) == 0) {
			return provider;
		}
	}
	return NULL;
}

static bool clash(const struct engine *engine, const char *name, struct fail *fail) {
	const struct provider *provider = load_find(engine, name);
	const struct load *load = provider != NULL ? provider->load : NULL;
	return fail_set(fail, EEXIST,
			"load: providers/%s is %s%s: load this under another name (load SOURCE as "
			"NAME)%s%s",
			name,
			load != NULL	   ? "loaded from "
			: provider != NULL ? "there already"
					   : "the name of a bundled provider, which is off",
			load != NULL ? load->used.source.text : "",
			load != NULL ? ", or unload it first: unload " : "",
			load != NULL ? name : "");
}

/* A name that nobody has, or a bundled provider's that the manifest may mean. */
static bool show_and_begin(struct engine *engine, const char *name, const struct source *source,
		bool named, struct fail *fail) {
	struct provider *bundled = load_find(engine, name);
	struct provider *provider = bundled != NULL ? bundled
						    : load_show(engine, name, source, fail);
	if (provider == NULL) {
		return false;
	}
	if (provider->load == NULL && load_create(provider, source) == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a provider");
	}
	struct load *load = provider->load;
	load->named = named;
	load->lent = bundled != NULL;
	load_begin(load, source, NULL);
	if (!load->lent) {
		load_save(load);
	}
	return true;
}

/* A bundled provider: shown when it was hidden, or once more under another name. */
static bool load_bundled(struct engine *engine, const struct source *source, const char *name,
		struct fail *fail) {
	const char *own = source->url;
	if (!load_is_bundled(engine, own)) {
		return fail_set(fail, EINVAL,
				"load: there is no bundled provider '%s': write the address of a "
				"repository, as https://HOST/PATH, or a directory's whole path",
				own);
	}
	const struct provider *there = load_find(engine, name);
	if (there != NULL) {
		bool same = strcmp(name, own) == 0
					    ? there->load == NULL || there->load->lent
					    : there->load != NULL &&
							      strcmp(there->load->used.source.text,
									      source->text) == 0;
		return same || clash(engine, name, fail);
	}
	if (strcmp(name, own) == 0) {
		strings_remove(engine->loads->hidden, name);
		return engine_load_bundled(engine, name, fail);
	}
	return !load_is_bundled(engine, name) ? show_and_begin(engine, name, source, true, fail)
					      : clash(engine, name, fail);
}

static bool load_foreign(struct engine *engine, const struct source *source, const char *name,
		bool named, struct fail *fail) {
	struct provider *there = load_find(engine, name);
	if (there != NULL && there->load != NULL) {
		return source_same_place(&there->load->used.source, source)
				       ? again(there->load, source)
				       : clash(engine, name, fail);
	}
	bool bundled = load_is_bundled(engine, name);
	if (there != NULL ? named || !bundled : bundled) {
		return clash(engine, name, fail);
	}
	return show_and_begin(engine, name, source, named, fail);
}

bool load_source(struct engine *engine, const char *text, const char *name, struct fail *fail) {
	cleanup_source struct source source = {0};
	if (!source_parse(&source, text, fail)) {
		return false;
	}
	if (name != NULL && !provider_name_valid(name)) {
		return fail_set(fail, EINVAL,
				"load: '%s' can't be a provider's name: 1 to %d of a-z, 0-9, '.', "
				"'_' and '-' are accepted",
				name, PROVIDER_NAME_MOST);
	}
	if (source.kind == SOURCE_BUNDLED) {
		return load_bundled(engine, &source, name != NULL ? name : source.url, fail);
	}
	struct provider *there = name == NULL ? find_source(engine, &source) : NULL;
	if (there != NULL) {
		return again(there->load, &source);
	}
	cleanup_free char *guess = name == NULL ? source_guess_name(&source) : NULL;
	if (name == NULL && guess == NULL) {
		return fail_set(fail, EINVAL,
				"load: no name can be made of '%s': say one, load SOURCE as NAME",
				text);
	}
	return load_foreign(engine, &source, name != NULL ? name : guess, name != NULL, fail);
}

/* ---- unload, allow, revoke ---- */

static struct provider *find(const struct engine *engine, const char *command, const char *name,
		struct fail *fail) {
	struct provider *provider = load_find(engine, name);
	if (provider == NULL) {
		fail_set(fail, ENOENT, "%s: there is no provider '%s'", command, name);
	}
	return provider;
}

/* One from outside that runs by itself. */
static struct load *find_load(const struct engine *engine, const char *command, const char *name,
		struct fail *fail) {
	const struct provider *provider = find(engine, command, name, fail);
	if (provider == NULL) {
		return NULL;
	}
	if (provider->load == NULL || provider->load->lent) {
		fail_set(fail, EINVAL, "%s: %s is bundled with conduitfs and asks for nothing",
				command, name);
		return NULL;
	}
	return provider->load;
}

bool load_unload(struct engine *engine, const char *name, struct fail *fail) {
	struct provider *provider = find(engine, "unload", name, fail);
	if (provider == NULL) {
		return false;
	}
	const struct config_provider *config = provider->config;
	if (config != NULL && (config->source != NULL || config->driver != NULL)) {
		return fail_set(fail, EINVAL,
				"unload: %s:%d names %s: take it out there, or say "
				"`%s: off`, and reload",
				engine->config.file, config->line, name, name);
	}
	pins_drop(engine->loads->pins, name);
	if (provider->load != NULL && provider->load->lent) {
		load_destroy(take(provider->load));
		return true;
	}
	if (provider->load == NULL && !strings_add(&engine->loads->hidden, name)) {
		return fail_set(fail, ENOMEM, "no memory to unload %s", name);
	}
	load_hide(provider);
	return true;
}

bool load_allow(struct engine *engine, const char *name, struct fail *fail) {
	struct load *load = find_load(engine, "allow", name, fail);
	if (load == NULL) {
		return false;
	}
	if (load->step == LOAD_FETCHING || load->step == LOAD_BUILDING) {
		return fail_set(fail, EAGAIN,
				"allow: %s isn't fetched yet, so that nobody knows what it asks "
				"for: wait for `needs-consent` in its status",
				name);
	}
	if (load->step != LOAD_ASKING) {
		return true;
	}
	if (!load_grant(load, &load->next.asked, &load->allowed)) {
		return fail_set(fail, ENOMEM, "no memory to grant %s what it asks for", name);
	}
	load->is_allowed = true;
	load_proceed(load);
	return true;
}

bool load_revoke(struct engine *engine, const char *name, struct fail *fail) {
	struct load *load = find_load(engine, "revoke", name, fail);
	if (load == NULL) {
		return false;
	}
	const struct config_provider *config = load->provider->config;
	if (config != NULL && config->source != NULL && !consent_is_empty(&config->allow)) {
		return fail_set(fail, EINVAL,
				"revoke: %s:%d grants it to %s: take `allow:` out there, and "
				"reload",
				engine->config.file, config->line, name);
	}
	consent_finish(&load->granted);
	if (load->provider->version != NULL && !consent_is_empty(&load->used.asked)) {
		load_withdraw(load);
	}
	load_save(load);
	return true;
}

/* ---- update, rollback, reload ---- */

static bool not_from_outside(
		const struct provider *provider, const char *command, struct fail *fail) {
	return fail_set(fail, EINVAL,
			"%s: %s is bundled with conduitfs and comes with its next version", command,
			provider->name);
}

static bool has_repository(const struct provider *provider) {
	return provider->load != NULL && provider->load->used.source.kind != SOURCE_BUNDLED;
}

bool load_update(struct provider *provider, struct fail *fail) {
	if (!has_repository(provider)) {
		return not_from_outside(provider, "update", fail);
	}
	struct load *load = provider->load;
	load_begin(load, &load->used.source, NULL);
	return true;
}

bool load_rollback(struct provider *provider, struct fail *fail) {
	if (!has_repository(provider)) {
		return not_from_outside(provider, "rollback", fail);
	}
	struct load *load = provider->load;
	if (provider->version != NULL && load->step != LOAD_RESTING) {
		load_stop(load);
		load_log(load, "the update is dropped", "");
		return true;
	}
	if (load->previous_commit[0] == '\0') {
		return fail_set(fail, ENOENT,
				"rollback: %s was never updated: there is no version before this",
				provider->name);
	}
	load_begin(load, &load->used.source, load->previous_commit);
	return true;
}

/* The same version once more, with a process of its own; turns end on the one before. */
static bool restart(struct provider *provider, struct fail *fail) {
	const struct version_spec spec = {
			.driver = provider->version->driver,
			.files = provider->version->files,
			.object = provider->version->object,
	};
	struct version *version = version_create(provider, &spec, fail);
	if (version != NULL) {
		provider_use(provider, version);
		discovery_refresh(provider);
	}
	return version != NULL;
}

bool load_reload(struct provider *provider, struct fail *fail) {
	struct load *load = provider->load;
	bool local = load != NULL && (load->used.source.kind == SOURCE_DIRECTORY ||
						     starts_with(load->used.source.text, "file:"));
	bool failed = load != NULL && provider->version == NULL && load->step == LOAD_RESTING;
	if (local || failed) {
		load_begin(load, &load->used.source, NULL);
		return true;
	}
	return provider->version == NULL || restart(provider, fail);
}

bool load_refuse(const struct provider *provider, struct fail *fail) {
	const struct load *load = provider->load;
	if (load != NULL && load->step == LOAD_ASKING) {
		return fail_set(fail, EACCES, "%s", load->details);
	}
	return fail_set(fail, ENODEV, "%s isn't loaded: %s", provider->name,
			provider->why[0] != '\0'		    ? provider->why
			: load != NULL && load->progress[0] != '\0' ? load->progress
								    : "its status says more");
}
