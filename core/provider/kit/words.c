/* Words of a service made presentable: see words.h. */
#include "core/provider/kit/words.h"

#include "core/base/text.h"

#include <ctype.h>
#include <string.h>

void words_add(struct buf *out, const char *text, size_t size, size_t most) {
	bool blank_due = false;
	size_t start = out->size;
	for (size_t i = 0; i < size;) {
		unsigned char byte = (unsigned char)text[i];
		size_t length = byte < 0x80 ? 1 : utf8_length(text + i, size - i);
		if (byte <= ' ' || byte == 0x7f) {
			blank_due = out->size != start;
			i++;
			continue;
		}
		if (out->size - start + length + 1 > most) {
			buf_add_string(out, "…");
			return;
		}
		if (blank_due) {
			buf_add_byte(out, ' ');
			blank_due = false;
		}
		if (length == 0) {
			buf_add_string(out, "\xef\xbf\xbd");
			i++;
		} else {
			buf_add(out, text + i, length);
			i += length;
		}
	}
}

/* Where `tag` begins, in whatever case, or NULL. */
static const char *find_tag(const char *page, size_t size, const char *tag) {
	size_t length = strlen(tag);
	for (size_t i = 0; i + length <= size; i++) {
		if (strncasecmp(page + i, tag, length) == 0) {
			return page + i;
		}
	}
	return NULL;
}

static bool add_title(struct buf *out, const char *page, size_t size, size_t most) {
	const char *title = find_tag(page, size, "<title>");
	if (title == NULL) {
		return false;
	}
	title += strlen("<title>");
	const char *end = find_tag(title, size - (size_t)(title - page), "</title>");
	size_t before = out->size;
	if (end != NULL) {
		words_add(out, title, (size_t)(end - title), most);
	}
	return out->size != before;
}

void words_add_page(struct buf *out, const char *page, size_t size, size_t most) {
	if (add_title(out, page, size, most)) {
		return;
	}
	cleanup_buf struct buf text = {0};
	bool in_tag = false;
	for (size_t i = 0; i < size; i++) {
		if (page[i] == '<') {
			in_tag = true;
			buf_add_byte(&text, ' ');
		} else if (page[i] == '>') {
			in_tag = false;
		} else if (!in_tag) {
			buf_add_byte(&text, page[i]);
		}
	}
	words_add(out, buf_string(&text), text.size, most);
}

static bool is_key_byte(char byte) {
	return isalnum((unsigned char)byte) || strchr("-_.*", byte) != NULL;
}

/* How many bytes of `text` are a key; 0 when none starts here. `after_letter`: this is the middle
 * of a word, where only nothing starts ("task-list" holds no "sk-list"). */
static size_t key_length(const char *text, bool after_letter) {
	static const char *const prefixes[] = {"sk-", "sk_", "gsk_", "hf_", "r8_"};
	for (size_t i = 0; !after_letter && i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (!starts_with(text, prefixes[i])) {
			continue;
		}
		size_t length = 0;
		while (text[length] != '\0' && is_key_byte(text[length])) {
			length++;
		}
		if (length >= strlen(prefixes[i]) + 8) {
			return length;
		}
	}
	return 0;
}

void words_mask_keys(struct buf *words) {
	static const char *const leads[] = {"key provided: ", "Bearer "};
	struct buf masked = {.limit = words->limit};
	const char *at = buf_string(words);
	bool after_letter = false;
	while (*at != '\0') {
		size_t length = key_length(at, after_letter);
		for (size_t i = 0; length == 0 && i < sizeof(leads) / sizeof(leads[0]); i++) {
			if (starts_with(at, leads[i])) {
				buf_add_string(&masked, leads[i]);
				at += strlen(leads[i]);
				length = strcspn(at, " ");
			}
		}
		if (length != 0) {
			buf_add_string(&masked, "[key]");
			at += length;
			after_letter = false;
			continue;
		}
		after_letter = isalnum((unsigned char)*at) != 0;
		if (*at != '\0') {
			buf_add_byte(&masked, *at++);
		}
	}
	buf_finish(words);
	*words = masked;
}
