/* The settings that models of a service with a queue take, and what their schemas call them. */
#ifndef CORE_PROVIDER_KIT_QUEUE_SETTINGS_H
#define CORE_PROVIDER_KIT_QUEUE_SETTINGS_H

#include <conduit/kit/json.h>
#include <conduit/kit/object.h>
#include <stdbool.h>
#include <stddef.h>

#define QUEUE_NAMES_MOST 8

/* A setting of ours, and what models call it, the commonest name first. */
struct queue_setting {
	const char *setting;
	const char *names[QUEUE_NAMES_MOST];
	enum conduit_form form; /* where the schema doesn't say */
};

extern const struct queue_setting queue_settings[];
extern const size_t n_queue_settings;

/* The member of an object, dots in its name or not; NULL without. */
const struct conduit_json *queue_property(const struct conduit_json *schema, const char *name);
/* The property that the setting is written as, of a schema's properties; NULL: the model doesn't
 * take it. */
const struct conduit_json *queue_setting_property(
		const struct queue_setting *setting, const struct conduit_json *schema);
/* Whether it takes a width and a height as an object, as fal's image_size does beside its presets.
 */
bool queue_takes_object(const struct conduit_json *property);

#endif
