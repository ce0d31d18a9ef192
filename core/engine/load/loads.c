/* What providers.lock and config.yml name from outside: see load.h. */
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/load/load_private.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* ---- opening and closing ---- */

static void on_trouble(void *data, const char *name, const char *words) {
	struct loads *loads = data;
	struct provider *provider = load_find(loads->engine, name);
	log_error("providers.lock: %s: %s", name, words);
	turn_words_set(provider != NULL ? &provider->last_error : &loads->engine->last_error,
			words);
}

static void on_written(void *data) {
	struct loads *loads = data;
	cleanup_fail struct fail fail = {0};
	if (loads->stale && !loads->engine->closing && !loads_reload(loads->engine, &fail)) {
		log_error("%s", fail_words(&fail));
		turn_words_set(&loads->engine->last_error, fail_words(&fail));
	}
}

struct loads *loads_open(struct engine *engine, struct fail *fail) {
	static const struct pins_events events = {.trouble = on_trouble, .written = on_written};
	struct loads *loads = calloc(1, sizeof(*loads));
	cleanup_free char *path = NULL;
	if (loads == NULL || asprintf(&path, "%s/providers.lock", engine->config.config_dir) < 0) {
		free(loads);
		path = NULL;
		fail_set(fail, ENOMEM, "no memory for providers.lock");
		return NULL;
	}
	loads->engine = engine;
	loads->cache = engine->options.cache != NULL ? strdup(engine->options.cache)
						     : fetch_cache_directory();
	loads->pins = pins_open(engine->loop, path, &events, loads, fail);
	if (loads->cache == NULL || loads->pins == NULL) {
		if (loads->pins != NULL) {
			fail_set(fail, ENOMEM, "no memory for the cache's path");
		}
		loads_close(loads);
		return NULL;
	}
	return loads;
}

void loads_close(struct loads *loads) {
	if (loads == NULL) {
		return;
	}
	pins_close(loads->pins);
	strings_free(loads->hidden);
	free(loads->cache);
	free(loads);
}

struct fetch_options loads_fetch_options(const struct engine *engine) {
	return (struct fetch_options){
			.program = engine->options.fetcher,
			.cache = engine->loads->cache,
			.include = engine->options.include,
			.ca_file = engine_ca_file(engine),
			.without_landlock = engine->config.sandbox_seccomp,
	};
}

/* ---- grants ---- */

static const struct consent *config_allow(const struct load *load) {
	const struct config_provider *config = load->provider->config;
	return config != NULL && config->source != NULL ? &config->allow : NULL;
}

static bool add_all(char ***into, char *const *from) {
	for (; from != NULL && *from != NULL; from++) {
		if (!strings_insert(into, *from)) {
			return false;
		}
	}
	return true;
}

static bool same_text(const char *a, const char *b) {
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_keyless(const struct consent *consent) {
	return consent->key == NULL && strings_length(consent->key_hosts) == 0;
}

/* Both; where that would send a key to a host that was granted for another, the second alone. False
 * without memory. */
static bool merge(const struct consent *a, const struct consent *b, struct consent *ret) {
	const struct consent *most = is_keyless(b) ? a : b;
	const struct consent *rest = most == a ? b : a;
	if (!same_text(a->key, b->key) && !is_keyless(rest)) {
		return consent_copy(ret, b);
	}
	return consent_copy(ret, most) && add_all(&ret->key_hosts, rest->key_hosts) &&
	       add_all(&ret->hosts, rest->hosts) && add_all(&ret->programs, rest->programs);
}

bool load_covers(const struct load *load, const struct consent *asked, struct buf *missing) {
	const struct consent *config = config_allow(load);
	cleanup_consent struct consent both = {0};
	if (config == NULL) {
		return consent_covers(&load->granted, asked, missing);
	}
	return consent_covers(&load->granted, asked, NULL) || consent_covers(config, asked, NULL) ||
	       (merge(&load->granted, config, &both) && consent_covers(&both, asked, missing));
}

bool load_grant(const struct load *load, const struct consent *asked, struct consent *ret) {
	return merge(&load->granted, asked, ret);
}

/* Whether this bundled provider's key is in the variable. */
static bool has_key_of(const struct engine *engine, const char *file, const char *variable) {
	cleanup_free char *path = NULL;
	cleanup(manifest_finish) struct manifest manifest = {0};
	if (!ends_with(file, ".yml") ||
			asprintf(&path, "%s/%s", engine->options.provider_directory, file) < 0) {
		path = NULL;
		return false;
	}
	return manifest_read(&manifest, path, NULL) && manifest.key_env != NULL &&
	       strcmp(manifest.key_env, variable) == 0;
}

void load_warn_of_key(const struct load *load, struct buf *words) {
	const struct engine *engine = load->provider->engine;
	const char *key = load->next.asked.key;
	cleanup_closedir DIR *directory = key != NULL ? opendir(engine->options.provider_directory)
						      : NULL;
	const struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (has_key_of(engine, entry->d_name, key)) {
			buf_add_format(words, "  $%s is the key of the bundled provider %.*s\n",
					key, (int)(strlen(entry->d_name) - strlen(".yml")),
					entry->d_name);
		}
	}
}

/* ---- the lock ---- */

void load_save(struct load *load) {
	struct provider *provider = load->provider;
	const struct pinned *pinned = pinned_at(&load->used) ? &load->used : &load->next;
	if (pinned->source.text == NULL) {
		pinned = &load->used;
	}
	bool known = pinned_at(pinned);
	struct lock_entry entry = {
			.name = provider->name,
			.source = pinned->source.text,
			.commit = known ? pinned->commit : "",
			.tree = known ? pinned->tree : "",
			.previous_commit = load->previous_commit,
			.previous_tree = load->previous_tree,
			.has_allow = !consent_is_empty(&load->granted),
			.allow = load->granted,
	};
	if (!pins_put(provider->engine->loads->pins, &entry)) {
		provider_log(provider, "no memory to write it to providers.lock");
	}
}

static bool take_entry(struct load *load, const struct lock_entry *entry) {
	struct consent granted = {0};
	if (!turn_words_set(&load->previous_commit, entry->previous_commit) ||
			!turn_words_set(&load->previous_tree, entry->previous_tree) ||
			!consent_copy(&granted, &entry->allow)) {
		return false;
	}
	consent_finish(&load->granted);
	load->granted = granted;
	return true;
}

bool loads_locked(struct engine *engine, const char *name) {
	return pins_find(engine->loads->pins, name) != NULL;
}

bool loads_hidden(const struct engine *engine, const char *name) {
	return strings_contain(engine->loads->hidden, name);
}

/* ---- loading what is named ---- */

/* `entry`: the lock's, or NULL. */
static bool bring(struct engine *engine, const char *name, const struct source *source,
		const struct lock_entry *entry, struct fail *fail) {
	struct provider *provider = load_find(engine, name);
	bool lent = provider != NULL;
	if (provider == NULL) {
		provider = load_show(engine, name, source, fail);
	}
	struct load *load = provider == NULL	     ? NULL
			    : provider->load != NULL ? provider->load
						     : load_create(provider, source);
	if (load == NULL || (entry != NULL && !take_entry(load, entry))) {
		return fail_set(fail, ENOMEM, "no memory for a provider");
	}
	load->named = true;
	load->lent = lent;
	load_begin(load, source, entry != NULL ? entry->commit : NULL);
	if (source->kind == SOURCE_DIRECTORY && provider->version != NULL) {
		/* It shows as it was; what was edited since comes behind. */
		load_begin(load, source, NULL);
	}
	return true;
}

static bool bring_configured(
		struct engine *engine, const struct config_provider *config, struct fail *fail) {
	cleanup_source struct source source = {0};
	cleanup_source struct source locked = {0};
	cleanup_fail struct fail why = {0};
	if (!source_parse(&source, config->source, &why)) {
		return fail_set(fail, why.code, "%s:%d: providers.%s.source: %s",
				engine->config.file, config->line, config->name, fail_words(&why));
	}
	const struct lock_entry *entry = pins_find(engine->loads->pins, config->name);
	if (entry != NULL && (!source_parse(&locked, entry->source, NULL) ||
					     strcmp(locked.text, source.text) != 0)) {
		entry = NULL;
	}
	return bring(engine, config->name, &source, entry, fail);
}

static bool bring_locked(struct engine *engine, const struct lock_entry *entry, struct fail *fail) {
	const struct config_provider *config = config_provider(&engine->config, entry->name);
	cleanup_source struct source source = {0};
	cleanup_fail struct fail why = {0};
	if (config != NULL && (config->off || config->driver != NULL || config->source != NULL)) {
		return true;
	}
	if (!source_parse(&source, entry->source, &why)) {
		return fail_set(fail, why.code, "%s: providers.%s.source: %s",
				pins_all(engine->loads->pins)->path, entry->name, fail_words(&why));
	}
	return bring(engine, entry->name, &source, entry, fail);
}

bool loads_missing(struct engine *engine, struct fail *fail) {
	bool all = true;
	for (size_t i = 0; i < engine->config.n_providers; i++) {
		const struct config_provider *config = &engine->config.providers[i];
		if (config->source != NULL && !config->off &&
				load_find(engine, config->name) == NULL) {
			all = bring_configured(engine, config, all ? fail : NULL) && all;
		}
	}
	/* Saving what was brought writes to the list that is gone through: by name, then. */
	cleanup_strings char **names = NULL;
	const struct providers_lock *lock = pins_all(engine->loads->pins);
	for (size_t i = 0; i < lock->n_entries; i++) {
		strings_add(&names, lock->entries[i].name);
	}
	for (char **name = names; name != NULL && *name != NULL; name++) {
		const struct provider *provider = load_find(engine, *name);
		const struct lock_entry *entry = pins_find(engine->loads->pins, *name);
		bool missing = provider == NULL ||
			       (provider->load == NULL && load_is_bundled(engine, *name));
		if (entry != NULL && missing && !loads_hidden(engine, *name)) {
			all = bring_locked(engine, entry, all ? fail : NULL) && all;
		}
	}
	return all;
}

/* ---- reading the lock again ---- */

static bool asks_less_than_granted(const struct load *load) {
	return load->used.bundled[0] != '\0' || load_covers(load, &load->used.asked, NULL);
}

/* What a program wrote about a provider that is there. */
static void follow(struct load *load, const struct lock_entry *entry, const struct source *source) {
	const struct pinned *now = pinned_at(&load->used) ? &load->used : &load->next;
	bool moved = entry->commit[0] != '\0' &&
		     (!pinned_at(now) || strcmp(now->commit, entry->commit) != 0);
	bool failed = load->provider->version == NULL && load->step == LOAD_RESTING;
	if (!take_entry(load, entry)) {
		provider_log(load->provider, "no memory to read providers.lock");
	} else if (moved || failed || strcmp(load->used.source.text, source->text) != 0) {
		load_begin(load, source, entry->commit);
	} else if (load->provider->version != NULL && !load->lent &&
			!asks_less_than_granted(load)) {
		load_withdraw(load);
	} else if (load->step == LOAD_ASKING) {
		load_weigh(load);
	}
}

/* What the lock says no more. */
static void forget(struct provider *provider) {
	if (provider->load->lent) {
		load_destroy(take(provider->load));
	} else {
		load_hide(provider);
	}
}

static void follow_all(struct engine *engine) {
	struct provider *provider;
	list_for_each(provider, &engine->providers, link) {
		struct load *load = provider->load;
		const struct config_provider *config = provider->config;
		bool configured = config != NULL && config->source != NULL;
		const struct lock_entry *entry = pins_find(engine->loads->pins, provider->name);
		cleanup_source struct source source = {0};
		if (load == NULL || (configured && entry == NULL)) {
			continue;
		}
		bool known = entry != NULL && source_parse(&source, entry->source, NULL);
		bool same = known && source_same_place(&source, &load->used.source);
		if (same && (!configured || strcmp(source.text, load->used.source.text) == 0)) {
			follow(load, entry, &source);
		} else if (!configured) {
			forget(provider);
		}
	}
}

bool loads_reload(struct engine *engine, struct fail *fail) {
	struct loads *loads = engine->loads;
	loads->stale = pins_busy(loads->pins);
	if (loads->stale) {
		return true;
	}
	if (!pins_read(loads->pins, fail)) {
		return false;
	}
	follow_all(engine);
	return loads_missing(engine, fail);
}
