/* One entry of `providers:` in config.yml. */
#ifndef CORE_CONFIG_PROVIDER_ENTRY_H
#define CORE_CONFIG_PROVIDER_ENTRY_H

#include "core/config/config.h"
#include "core/config/yaml/faults.h"
#include "core/config/yaml/yaml_tree.h"

/* Reads a map's member into `ret`, which is filled in so that provider_entry_finish may follow,
 * also after faults. */
void provider_entry_read(
		struct faults *faults, const struct yaml_node *node, struct config_provider *ret);
/* Wipes the key. */
void provider_entry_finish(struct config_provider *provider);

#endif
