/* How a setting's text becomes JSON. */
#ifndef CORE_PROVIDER_KIT_JSON_OBJECT_FORMS_H
#define CORE_PROVIDER_KIT_JSON_OBJECT_FORMS_H

#include "core/base/fail.h"

#include <conduit/kit/object.h>

/* Writes `value` of the setting `name`; false with words when it isn't what the form says. */
bool form_put(struct conduit_body *body, enum conduit_form form, const char *name,
		const char *value, struct fail *fail);
/* Whether a text can stand in JSON as a number: "-0.5e3" yes, ".5", "+1" and "0x1" no (RFC 8259,
 * 6). */
bool form_is_number(const char *text);
/* The setting's value is no `what`; false. */
bool form_refuse(struct fail *fail, const char *name, const char *value, const char *what);

#endif
