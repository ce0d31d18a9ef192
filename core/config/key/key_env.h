/* Keys in our own environment, and in memory once they are hidden from it. */
#ifndef CORE_CONFIG_KEY_KEY_ENV_H
#define CORE_CONFIG_KEY_KEY_ENV_H

/* A variable's value, also when key_hide_environment took it away; NULL when it never had one.
 * Valid until the variable is hidden. */
const char *key_env_value(const char *name);

#endif
