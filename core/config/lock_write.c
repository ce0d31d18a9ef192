/* Writing providers.lock: see lock_write.h. */
#include "core/config/lock_write.h"

#include "core/base/strings.h"
#include "core/base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Words that YAML 1.1 reads as something else than text. */
static bool is_word_of_yaml(const char *text) {
	static const char *const words[] = {
			"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether it needs no quotes, in a list or out of one, and any reader takes it for text. */
static bool is_plain(const char *text) {
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789/._-+=@~%:";
	size_t length = strlen(text);
	bool number = isdigit((unsigned char)text[0]) &&
		      (strspn(text, "0123456789.eE_+-:") == length || strspn(text + 1, "xob") > 0);
	return length > 0 && strspn(text, allowed) == length && !number &&
	       (isalnum((unsigned char)text[0]) || text[0] == '/') && text[length - 1] != ':' &&
	       !is_word_of_yaml(text);
}

/* Double quotes: JSON's escapes are YAML's too. */
static bool add_text(struct buf *out, const char *text) {
	if (is_plain(text)) {
		return buf_add_string(out, text);
	}
	return buf_add_byte(out, '"') && json_escape(out, text, strlen(text)) &&
	       buf_add_byte(out, '"');
}

/* "NAME: TEXT" on a line of its own; nothing for "". */
static bool add_line(struct buf *out, const char *name, const char *text) {
	return text[0] == '\0' || (buf_add_format(out, "%s: ", name) && add_text(out, text) &&
						  buf_add_byte(out, '\n'));
}

static bool add_list(struct buf *out, const char *name, char *const *list) {
	if (strings_length(list) == 0) {
		return true;
	}
	bool added = buf_add_format(out, "      %s: [", name);
	for (size_t i = 0; list[i] != NULL; i++) {
		added = added && buf_add_string(out, i > 0 ? ", " : "") && add_text(out, list[i]);
	}
	return added && buf_add_string(out, "]\n");
}

static bool add_previous(struct buf *out, const struct lock_entry *entry) {
	if (entry->previous_commit[0] == '\0') {
		return true;
	}
	return buf_add_string(out, "    previous: {commit: ") &&
	       add_text(out, entry->previous_commit) &&
	       (entry->previous_tree[0] == '\0' ||
			       (buf_add_string(out, ", tree: ") &&
					       add_text(out, entry->previous_tree))) &&
	       buf_add_string(out, "}\n");
}

/* A grant of nothing is one all the same. */
static bool add_allow(struct buf *out, const struct lock_entry *entry) {
	const struct consent *allow = &entry->allow;
	if (!entry->has_allow) {
		return true;
	}
	if (consent_is_empty(allow)) {
		return buf_add_string(out, "    allow: {}\n");
	}
	return buf_add_string(out, "    allow:\n") &&
	       add_line(out, "      key", allow->key != NULL ? allow->key : "") &&
	       add_list(out, "key_hosts", allow->key_hosts) &&
	       add_list(out, "hosts", allow->hosts) && add_list(out, "programs", allow->programs);
}

static bool add_entry(struct buf *out, const struct lock_entry *entry) {
	return buf_add_string(out, "  ") && add_text(out, entry->name) &&
	       buf_add_string(out, ":\n") && add_line(out, "    source", entry->source) &&
	       add_line(out, "    commit", entry->commit) &&
	       add_line(out, "    tree", entry->tree) && add_previous(out, entry) &&
	       add_allow(out, entry);
}

bool lock_write(const struct providers_lock *lock, struct buf *out) {
	bool added = buf_add_string(out,
			"# Written by conduitfs: the providers that are loaded, each pinned to a "
			"commit.\nversion: 1\nproviders:");
	added = added && buf_add_string(out, lock->n_entries > 0 ? "\n" : " {}\n");
	for (size_t i = 0; i < lock->n_entries; i++) {
		added = added && add_entry(out, &lock->entries[i]);
	}
	return added;
}
