/* Which hosts a version of a provider may speak to, and which of them get its key: its service's
 * address, its manifest's `endpoints` (granted, where it is from outside), and what the user added
 * as `hosts` in config.yml. */
#ifndef CORE_ENGINE_LOAD_VERSION_HOSTS_H
#define CORE_ENGINE_LOAD_VERSION_HOSTS_H

#include "core/engine/load/version.h"

/* Fills in version->hosts, and version->local by where they are; its manifest and address are known
 * by then. ENOMEM; version_free_hosts either way. */
bool version_choose_hosts(struct version *version, struct fail *fail);
void version_free_hosts(struct version *version);

#endif
