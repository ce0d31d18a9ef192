/* `routes:` and `aliases:` of config.yml. Private to core/config. */
#ifndef CORE_CONFIG_ROUTES_H
#define CORE_CONFIG_ROUTES_H

#include "core/config/config.h"
#include "core/config/yaml/fields.h"

/* `into` is the struct config. */
void config_routes_read(const struct place *place, const struct yaml_node *node, void *into);
void config_aliases_read(const struct place *place, const struct yaml_node *node, void *into);
void config_routes_finish(struct config *config);

#endif
