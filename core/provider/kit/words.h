/* Turns what a service said into words that may be shown: one line, plain UTF-8, no key. */
#ifndef CORE_PROVIDER_KIT_WORDS_H
#define CORE_PROVIDER_KIT_WORDS_H

#include "core/base/buf.h"

/* Appends `text` with control bytes and runs of blanks as one blank, bytes that aren't UTF-8 as
 * U+FFFD, no blanks at either end, cut after `most` bytes with "…". */
void words_add(struct buf *out, const char *text, size_t size, size_t most);
/* The same for a page of HTML: its title, or else its text without tags. */
void words_add_page(struct buf *out, const char *page, size_t size, size_t most);
/* Replaces by "[key]" what looks like one: "sk-…", "hf_…", "r8_…", "gsk_…" and what follows
 * "key provided: " or "Bearer ". */
void words_mask_keys(struct buf *words);

#endif
