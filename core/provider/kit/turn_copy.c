/* Copying a turn: see turn_copy.h. */
#include "core/provider/kit/turn_copy.h"

#include <stdlib.h>
#include <string.h>

static bool copy_message(struct conduit_message *to, const struct conduit_message *from) {
	struct conduit_part *parts = calloc(from->n_parts + 1, sizeof(*parts));
	*to = (struct conduit_message){.role = from->role, .parts = parts};
	for (size_t i = 0; parts != NULL && i < from->n_parts; i++) {
		parts[i] = from->parts[i];
		parts[i].type = strdup(from->parts[i].type);
		parts[i].name = strdup(from->parts[i].name);
		to->n_parts++;
		if (parts[i].type == NULL || parts[i].name == NULL) {
			return false;
		}
	}
	return parts != NULL;
}

static bool copy_setting(struct conduit_setting *to, const struct conduit_setting *from) {
	char *value = malloc(from->size + 1);
	if (value != NULL) {
		memcpy(value, from->value, from->size);
		value[from->size] = '\0';
	}
	*to = (struct conduit_setting){strdup(from->name), value, from->size};
	return to->name != NULL && value != NULL;
}

struct conduit_turn *turn_copy(const struct conduit_turn *turn) {
	struct conduit_turn *copy = calloc(1, sizeof(*copy));
	struct conduit_message *messages = calloc(turn->n_messages + 1, sizeof(*messages));
	struct conduit_setting *settings = calloc(turn->n_settings + 1, sizeof(*settings));
	if (copy == NULL || messages == NULL || settings == NULL) {
		free(copy);
		free(messages);
		free(settings);
		return NULL;
	}
	*copy = (struct conduit_turn){.model = strdup(turn->model),
			.capability = strdup(turn->capability),
			.messages = messages,
			.settings = settings};
	bool good = copy->model != NULL && copy->capability != NULL;
	while (good && copy->n_messages < turn->n_messages) {
		size_t i = copy->n_messages++;
		good = copy_message(&messages[i], &turn->messages[i]);
	}
	while (good && copy->n_settings < turn->n_settings) {
		size_t i = copy->n_settings++;
		good = copy_setting(&settings[i], &turn->settings[i]);
	}
	if (!good) {
		turn_copy_free(copy);
		return NULL;
	}
	return copy;
}

void turn_copy_free(struct conduit_turn *copy) {
	if (copy == NULL) {
		return;
	}
	for (size_t i = 0; i < copy->n_messages; i++) {
		for (size_t j = 0; j < copy->messages[i].n_parts; j++) {
			free((char *)copy->messages[i].parts[j].type);
			free((char *)copy->messages[i].parts[j].name);
		}
		free((void *)copy->messages[i].parts);
	}
	for (size_t i = 0; i < copy->n_settings; i++) {
		free((char *)copy->settings[i].name);
		free((char *)copy->settings[i].value);
	}
	free((void *)copy->messages);
	free((void *)copy->settings);
	free((char *)copy->model);
	free((char *)copy->capability);
	free(copy);
}
