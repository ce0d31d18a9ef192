/* What the files of a provider show. */
#include "core/engine/load/load.h"
#include "core/engine/models_table.h"
#include "fs/content/show.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Also of what waits to be granted; NULL while none is known. The caller frees. */
static char *manifest_path(const struct provider *provider) {
	const struct manifest *manifest = provider_manifest(provider);
	const char *files = provider->load != NULL ? provider->load->next.files : NULL;
	char *path = NULL;
	if (manifest != NULL) {
		return strdup(manifest->path);
	}
	return files != NULL && asprintf(&path, "%s/MediaConduit.provider.yml", files) >= 0 ? path
											    : NULL;
}

SHOW(show_manifest) {
	(void)tree, (void)tid;
	char piece[4096];
	ssize_t size;
	cleanup_free char *path = manifest_path(node->provider);
	if (path == NULL) {
		return true;
	}
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (size = read(fd, piece, sizeof(piece))) > 0) {
		buf_add(out, piece, (size_t)size);
	}
	return fd >= 0 && !out->failed;
}

/* One in docker that its manifest names, or that of MediaConduit's which a bundled provider stands
 * in for: who reads this may be waiting for it to be started. */
static bool show_service(const struct provider *provider, struct buf *out) {
	const struct version *version = provider->version;
	const char *url = version != NULL ? version->manifest.service_url : "";
	if (url[0] == '\0' && provider->load != NULL && provider->load->used.service_url != NULL) {
		url = provider->load->used.service_url;
	}
	return url[0] == '\0' ? show_line(out, "service", "")
			      : buf_add_format(out, "service %s, not started by conduitfs\n", url);
}

SHOW(show_provider_status) {
	(void)tid;
	struct provider *provider = node->provider;
	int64_t when = 0;
	const char *why = "";
	struct version *version = provider->version;
	cleanup_free char *key = version != NULL ? key_words(version->key) : NULL;
	catalogue_refreshed(tree->engine->catalogue, provider->place, &when, &why);
	show_line(out, "state", provider_state_name(provider->state));
	show_count(out, "models", (int64_t)provider->place->n_models);
	show_count(out, "free", (int64_t)provider->place->n_free);
	show_count(out, "running", (int64_t)provider->n_running);
	show_count(out, "queued", (int64_t)provider->n_queued);
	show_line(out, "discovery",
			version == NULL			  ? ""
			: version->manifest.models_static ? "static"
							  : "service");
	show_time(out, "refreshed", when * 1000000);
	show_line(out, "why", provider->why);
	show_line(out, "key", key != NULL ? key : "");
	show_line(out, "base_url", version != NULL ? version->base_url : "");
	show_service(provider, out);
	show_count(out, "process", version != NULL ? process_pid(version->process) : 0);
	if (provider->load != NULL) {
		show_load_lines(provider->load, out);
	}
	show_line(out, "health", provider_health(provider));
	return show_health_lines(tree, provider->place, out);
}

SHOW(show_provider_error) {
	(void)tree, (void)tid;
	const struct provider *provider = node->provider;
	const struct load *load = provider->load;
	bool loads = load != NULL && show_load_error(load, out);
	/* While nothing answers the reason is the load's. */
	if (provider->why[0] != '\0' && !(loads && provider->version == NULL)) {
		buf_add_format(out, "%s\n", provider->why);
	}
	if (provider->last_error[0] != '\0') {
		buf_add_format(out, "%s\n", provider->last_error);
	}
	return !out->failed;
}

SHOW(show_provider_log) {
	(void)tree, (void)tid;
	const struct provider *provider = node->provider;
	for (size_t i = 0; i < PROVIDER_LOG_LINES; i++) {
		const char *line = provider->log[(provider->log_next + i) % PROVIDER_LOG_LINES];
		if (line != NULL) {
			buf_add_format(out, "%s\n", line);
		}
	}
	return !out->failed;
}

SHOW(show_provider_ctl) {
	(void)tree, (void)node, (void)tid;
	return buf_add_string(out,
			"# refresh         ask for its models now\n"
			"# reload          start its process anew; one from a directory or file:// "
			"is "
			"read again\n"
			"# update          one from outside: fetch what its ref leads to now, run "
			"it "
			"when it works\n"
			"# rollback        one from outside: back to the version before\n");
}

SHOW(show_models_tsv) {
	(void)tree, (void)tid;
	const struct buf *text = models_table_text(node->provider->models);
	return buf_add(out, buf_string(text), text->size);
}

/* What the manifest says of itself. */
static bool manifest_fact(const struct manifest *manifest, const char *name, struct buf *out) {
	const char *text = "";
	if (strcmp(name, "package") == 0) {
		text = manifest->id;
	} else if (strcmp(name, "name") == 0) {
		text = manifest->name;
	} else if (strcmp(name, "description") == 0) {
		text = manifest->description;
	} else if (strcmp(name, "version") == 0) {
		text = manifest->version;
	} else if (strcmp(name, "type") == 0) {
		text = manifest->local ? "local" : "remote";
	} else if (strcmp(name, "capabilities") == 0) {
		for (char **each = manifest->capabilities; each != NULL && *each != NULL; each++) {
			buf_add_format(out, "%s\n", *each);
		}
	}
	return text == NULL || text[0] == '\0' || buf_add_format(out, "%s\n", text);
}

/* Also of what waits to be granted, so that who is asked can see what it is; nothing while neither
 * is known or while it has faults. */
static bool show_manifest_fact(const struct provider *provider, const char *name, struct buf *out) {
	const struct manifest *manifest = provider_manifest(provider);
	cleanup(manifest_finish) struct manifest waiting = {0};
	if (manifest != NULL) {
		return manifest_fact(manifest, name, out);
	}
	cleanup_free char *path = manifest_path(provider);
	return path == NULL || !manifest_read(&waiting, path, NULL) ||
	       manifest_fact(&waiting, name, out);
}

SHOW(show_provider_info) {
	(void)tree, (void)tid;
	const struct provider *provider = node->provider;
	const char *name = node->entry->name;
	const char *error = provider->why[0] != '\0' ? provider->why : provider->last_error;
	if (strcmp(name, "id") == 0) {
		return buf_add_format(out, "%s\n", provider->name);
	} else if (strcmp(name, "models") == 0) {
		return buf_add_format(out, "%zu\n", provider->place->n_models);
	} else if (strcmp(name, "free") == 0) {
		return buf_add_format(out, "%zu\n", provider->place->n_free);
	} else if (strcmp(name, "running") == 0) {
		return buf_add_format(out, "%zu\n", provider->n_running);
	} else if (strcmp(name, "queued") == 0) {
		return buf_add_format(out, "%zu\n", provider->n_queued);
	} else if (strcmp(name, "health") == 0) {
		return buf_add_format(out, "%s\n", provider_health(node->provider));
	} else if (strcmp(name, "last_error") == 0) {
		return error[0] == '\0' || buf_add_format(out, "%s\n", error);
	}
	return show_manifest_fact(provider, name, out);
}
