/* What the tree shows of where a provider comes from. */
#include "core/engine/load/load.h"
#include "fs/content/show.h"

#include <string.h>

static const char *known(const char *text) {
	return text != NULL ? text : "";
}

/* What is in use, or else what is coming in. */
static const struct pinned *pinned_of(const struct load *load) {
	bool used = load->provider->version != NULL && load->used.commit != NULL;
	return used || load->next.commit == NULL ? &load->used : &load->next;
}

static bool show_uses(const struct pinned *pinned, struct buf *out) {
	const char *bundled = known(pinned->bundled);
	if (bundled[0] == '\0') {
		return show_line(out, "uses", "");
	}
	return buf_add_format(out, "uses the bundled provider %s%s\n", bundled,
			known(pinned->commit)[0] != '\0' ? ": the repository holds a program for "
							   "another host, which isn't run"
							 : "");
}

/* One word for what is coming in beside a version that is in use. */
static const char *step_name(const struct load *load) {
	static const char *const names[] = {
			[LOAD_RESTING] = "",
			[LOAD_FETCHING] = "fetching",
			[LOAD_BUILDING] = "building",
			[LOAD_ASKING] = "needs-consent",
			[LOAD_TRYING] = "trying",
	};
	return names[load->step];
}

bool show_load_lines(const struct load *load, struct buf *out) {
	const struct provider *provider = load->provider;
	show_line(out, "progress", load->progress);
	show_uses(pinned_of(load), out);
	if (provider->version == NULL) {
		return show_line(out, "update", "");
	}
	if (load->step == LOAD_ASKING) {
		return buf_add_format(out,
				"update needs-consent: error lists what it asks for; echo allow %s "
				"> "
				"ctl, in the root\n",
				provider->name);
	}
	if (load->failure[0] != '\0') {
		return buf_add_format(out, "update failed: %s\n", load->failure);
	}
	if (load->step == LOAD_RESTING && load->notice[0] != '\0') {
		return buf_add_format(out, "update done: %s\n", load->notice);
	}
	return show_line(out, "update", step_name(load));
}

bool show_load_error(const struct load *load, struct buf *out) {
	const char *end = load->details[0] != '\0' && load->details[strlen(load->details) - 1] !=
									  '\n'
					  ? "\n"
					  : "";
	return load->details[0] != '\0' && buf_add_format(out, "%s%s", load->details, end);
}

static void add_wishes(struct buf *out, const char *key, const struct consent *consent) {
	cleanup_buf struct buf words = {0};
	consent_describe(consent, &words);
	const char *line = buf_string(&words);
	if (*line == '\0') {
		show_line(out, key, "");
	}
	for (size_t length; *line != '\0'; line += length + (line[length] == '\n')) {
		length = strcspn(line, "\n");
		buf_add_format(out, "%s %.*s\n", key, (int)length, line);
	}
}

SHOW(show_provider_source) {
	(void)tree, (void)tid;
	const struct provider *provider = node->provider;
	const struct load *load = provider->load;
	if (load == NULL) {
		return show_line(out, "source", "bundled with conduitfs");
	}
	const struct pinned *pinned = pinned_of(load);
	show_line(out, "source", load->used.source.text);
	show_line(out, "ref", load->used.source.ref);
	show_line(out, "path", load->used.source.path);
	show_line(out, "commit", known(pinned->commit));
	show_line(out, "tree", known(pinned->tree));
	show_line(out, "previous", load->previous_commit);
	show_line(out, "files", known(pinned->files));
	show_line(out, "object", known(pinned->object));
	show_uses(pinned, out);
	add_wishes(out, "granted", &load->granted);
	add_wishes(out, "asks", &pinned->asked);
	if (pinned == &load->used && load->step == LOAD_ASKING) {
		add_wishes(out, "update_asks", &load->next.asked);
	}
	return !out->failed;
}
