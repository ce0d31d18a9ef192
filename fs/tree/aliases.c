/* Links in the root that nobody made by ln: `default`, and config.yml's aliases. They are kept as
 * the user's own are, so that an inode number is never another's; what the user makes under such a
 * name counts before them, and who removes one gets it back at the next mount. */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/store/catalogue.h"
#include "fs/tree/links.h"
#include "fs/tree/tree.h"

#include <string.h>

#define DEFAULT_NAME "default"
#define DEFAULT_TARGET "capabilities/text-to-text"

/* "acme/vendor/model" as a path below the root; what is a path already stays one. */
static bool add_target(struct buf *out, const char *alias) {
	if (starts_with(alias, "capabilities/") || starts_with(alias, "providers/")) {
		return buf_add_string(out, alias);
	}
	size_t provider = strcspn(alias, "/");
	buf_add_format(out, "providers/%.*s/models", (int)provider, alias);
	for (const char *at = alias + provider; *at == '/';) {
		size_t size = strcspn(++at, "/");
		buf_add_byte(out, '/');
		place_encode(at, size, out);
		at += size;
	}
	return !out->failed;
}

static void bring(struct tree *tree, const char *name, const char *target) {
	cleanup_fail struct fail fail = {0};
	const struct user_link *link = user_link_find(tree->links, PLACE_ROOT_ID, name);
	if (link != NULL && !link->alias) {
		if (strcmp(name, DEFAULT_NAME) != 0) {
			log_warning("config.yml: aliases.%s isn't made: a link of your own has "
				    "that name",
					name);
		}
		return;
	}
	if ((link == NULL || strcmp(link->target, target) != 0) &&
			!user_link_set_alias(tree->links, PLACE_ROOT_ID, name, target, &fail)) {
		log_error("the link %s can't be kept: %s", name, fail_words(&fail));
	}
}

static bool is_wanted(const struct config *config, const char *name) {
	bool wanted = strcmp(name, DEFAULT_NAME) == 0;
	for (size_t i = 0; i < config->n_aliases; i++) {
		wanted = wanted || strcmp(config->aliases[i].name, name) == 0;
	}
	return wanted;
}

/* Those that config.yml names no more. */
static void drop_unwanted(struct tree *tree) {
	const struct user_link *link = user_link_next(tree->links, PLACE_ROOT_ID, 0);
	while (link != NULL) {
		int64_t id = link->id;
		if (link->alias && !is_wanted(&tree->engine->config, link->name)) {
			user_link_remove(tree->links, PLACE_ROOT_ID, link->name, NULL);
		}
		link = user_link_next(tree->links, PLACE_ROOT_ID, id);
	}
}

void tree_take_aliases(struct tree *tree) {
	const struct config *config = &tree->engine->config;
	const char *standard = DEFAULT_TARGET;
	drop_unwanted(tree);
	for (size_t i = 0; i < config->n_aliases; i++) {
		cleanup_buf struct buf target = {0};
		const struct config_alias *alias = &config->aliases[i];
		bool is_default = strcmp(alias->name, DEFAULT_NAME) == 0;
		if (add_target(&target, alias->target)) {
			bring(tree, alias->name, target.data);
			standard = is_default ? NULL : standard;
		}
	}
	if (standard != NULL) {
		bring(tree, DEFAULT_NAME, standard);
	}
	catalogue_touch(tree->engine->catalogue, catalogue_root(tree->engine->catalogue));
}
