/* What json_schema.c and json_schema_valid.c share; nobody else includes it. */
#ifndef CORE_CONFIG_JSON_SCHEMA_PRIVATE_H
#define CORE_CONFIG_JSON_SCHEMA_PRIVATE_H

#include <cjson/cJSON.h>

/* Nesting of schemas and values. */
#define JSON_SCHEMA_DEPTH_MOST 64

/* What "#/$defs/name" leads to; NULL when it leads nowhere. */
const cJSON *json_schema_resolve(const cJSON *root, const char *reference);

#endif
