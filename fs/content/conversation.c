/* The files of a conversation as a whole: see conversation.h. */
#include "fs/content/conversation.h"

#include "core/engine/session/conversation.h"
#include "fs/tree/notify.h"

#include <errno.h>

/* What comes in larger pieces is looked at when it is all there. */
#define LOOK_MOST ((size_t)128 << 10)

bool conversation_file(enum kind kind) {
	return kind == KIND_MESSAGES || kind == KIND_TRANSCRIPT;
}

bool conversation_text(
		struct tree *tree, const struct node *node, struct buf *out, struct fail *fail) {
	return node->entry->kind == KIND_MESSAGES
			       ? conversation_show(tree->engine, node->place, out, fail)
			       : conversation_transcript(tree->engine, node->place, out, fail);
}

uint64_t conversation_size(struct tree *tree, const struct node *node) {
	uint64_t number = node_of(node);
	uint64_t version = conversation_version(tree->engine, node->place);
	struct known_size *known = &tree->sizes[(number ^ number >> 8) % KNOWN_SIZES];
	if (known->number != number || known->version != version) {
		cleanup_buf struct buf text = {0};
		bool shown = conversation_text(tree, node, &text, NULL);
		*known = (struct known_size){number, version, shown ? text.size : 0};
	}
	return known->size;
}

SHOW(show_conversation) {
	(void)tid;
	return conversation_text(tree, node, out, NULL);
}

/* The setting `system` may be another one now. */
static void system_changed(struct tree *tree, const struct node *node) {
	struct node setting = *node;
	setting.entry = entry_of(KIND_SETTING);
	setting.setting = setting_find("system");
	notify_setting(tree, &setting);
}

ACCEPT(accept_messages) {
	struct messages messages = {0};
	if (size == 0 || (moment == AFTER_WRITE && size > LOOK_MOST)) {
		return 0;
	}
	if (moment != AT_RELEASE && messages_scan(text, size) == MESSAGES_MORE) {
		return 0;
	}
	if (!messages_parse(text, size, &messages, fail)) {
		return -1;
	}
	bool taken = true;
	if (moment == AT_RELEASE) {
		taken = conversation_replace(tree->engine, node->place, who, &messages, fail);
		system_changed(tree, node);
	}
	messages_finish(&messages);
	return taken ? 0 : -1;
}
