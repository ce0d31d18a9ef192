/* Writing a line of a recorded exchange (exchange.h): a word, a blank, a value. */
#ifndef CORE_PROVIDER_REPLAY_EXCHANGE_LINE_H
#define CORE_PROVIDER_REPLAY_EXCHANGE_LINE_H

#include "core/base/buf.h"

/* Appends a line that reads as this value: as it stands, or as a JSON string where it wouldn't.
 * False as buf_add. */
bool exchange_line_write(struct buf *out, const char *key, const char *value, size_t size);

#endif
