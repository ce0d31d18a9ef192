/* The words of JSON (RFC 8259), where libraries are laxer than services are. */
#ifndef CORE_CONFIG_YAML_JSON_LEXEME_H
#define CORE_CONFIG_YAML_JSON_LEXEME_H

#include <stdbool.h>
#include <stddef.h>

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
bool is_json_number(const char *text, size_t size);

/* The first byte of what cJSON takes for JSON and the standard doesn't: a number such as 01 or 1.,
 * a control byte in a string or between values, a byte order mark. NULL when there is none. */
const char *json_lax_part(const char *text);

#endif
