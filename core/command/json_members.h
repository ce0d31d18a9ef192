/* The members of a JSON object as they are written, for what must hold them byte for byte. Private
 * to core/command. */
#ifndef CORE_COMMAND_JSON_MEMBERS_H
#define CORE_COMMAND_JSON_MEMBERS_H

#include <stddef.h>

/* Calls `member` with each top-level member's bytes, `"name":value`; none when the text isn't an
 * object. The text's own correctness isn't judged. */
void json_members(const char *text, size_t size,
		void (*member)(void *data, const char *member, size_t size), void *data);

#endif
