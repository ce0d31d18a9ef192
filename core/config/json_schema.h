/* JSON Schema, as far as services and people use it for structured answers (drafts 7 and 2020-12):
 *
 *     type enum const  properties required additionalProperties
 *     minProperties maxProperties  items prefixItems minItems maxItems uniqueItems
 *     minLength maxLength  minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
 *     anyOf oneOf allOf not  $ref to "#" or "#/…" (with $defs, definitions)
 *
 * Other keywords (pattern, format, if, dependencies …) are passed over: what they would refuse is
 * accepted. */
#ifndef CORE_CONFIG_JSON_SCHEMA_H
#define CORE_CONFIG_JSON_SCHEMA_H

#include "core/base/fail.h"

#include <stddef.h>

/* Whether the text is one JSON value that the schema (JSON text, an object, true or false) allows.
 * False with EPROTO and words that name the place in the value and what is wrong there; EINVAL for
 * a schema that is none. Bounded in depth and steps: what exceeds them is refused. */
bool json_schema_check(const char *schema, const char *text, size_t size, struct fail *fail);

/* Whether the text is a schema: JSON, with known types, and lists and references where they belong.
 * False with EINVAL and words. */
bool json_schema_valid(const char *schema, struct fail *fail);

#endif
