/* What the files that check a setting's value share. */
#ifndef CORE_CONFIG_SETTINGS_PRIVATE_H
#define CORE_CONFIG_SETTINGS_PRIVATE_H

#include "core/config/settings.h"

/* The value to keep of a text that was reduced, by its type, range and choices; NULL with words. */
char *setting_check_type(const struct setting_spec *spec, const char *text, struct fail *fail);
/* The same, held against a model's limit too. */
char *setting_check_limit(const struct setting_spec *spec, const struct limit *limit,
		const char *text, struct fail *fail);
/* "NAME: 'TEXT' WHAT", the text cut short; gives NULL. */
char *setting_refuse(struct fail *fail, int code, const struct setting_spec *spec, const char *text,
		const char *what);

#endif
