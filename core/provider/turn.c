/* Gathering a turn: see turn.h. */
#include "core/provider/turn.h"

#include <stdlib.h>
#include <string.h>

struct turn *turn_create(const struct wire_turn *message) {
	struct turn *turn = calloc(1, sizeof(*turn));
	if (turn == NULL) {
		return NULL;
	}
	turn->model = strdup(message->model);
	turn->capability = strdup(message->capability);
	if (turn->model == NULL || turn->capability == NULL) {
		turn_destroy(turn);
		return NULL;
	}
	return turn;
}

void turn_destroy(struct turn *turn) {
	if (turn == NULL) {
		return;
	}
	for (size_t i = 0; i < turn->n_parts; i++) {
		free((char *)turn->parts[i].type);
		free((char *)turn->parts[i].name);
	}
	for (size_t i = 0; i < turn->n_settings; i++) {
		free((char *)turn->settings[i].name);
		free((char *)turn->settings[i].value);
	}
	free(turn->parts);
	free(turn->settings);
	free(turn->messages);
	free(turn->model);
	free(turn->capability);
	free(turn);
}

static bool add_part(struct turn *turn, const struct wire_part *part) {
	struct conduit_part *added = &turn->parts[turn->n_parts++];
	*added = (struct conduit_part){.file = part->file,
			.type = strdup(part->type),
			.name = strdup(part->name),
			.bytes = part->bytes};
	return added->type != NULL && added->name != NULL;
}

bool turn_add_message(struct turn *turn, const struct wire_turn_message *message) {
	if (!message->more) {
		struct conduit_message *messages = reallocarray(
				turn->messages, turn->n_messages + 1, sizeof(*messages));
		if (messages == NULL) {
			return false;
		}
		turn->messages = messages;
		messages[turn->n_messages++] = (struct conduit_message){
				.role = (enum conduit_role)message->role};
	}
	struct conduit_part *parts = reallocarray(
			turn->parts, turn->n_parts + message->n_parts + 1, sizeof(*parts));
	if (parts == NULL || turn->n_messages == 0) {
		turn->parts = parts != NULL ? parts : turn->parts;
		return false;
	}
	turn->parts = parts;
	turn->messages[turn->n_messages - 1].n_parts += message->n_parts;
	for (uint32_t i = 0; i < message->n_parts; i++) {
		if (!add_part(turn, &message->parts[i])) {
			return false;
		}
	}
	return true;
}

bool turn_add_setting(struct turn *turn, const struct wire_setting *setting) {
	struct conduit_setting *settings = reallocarray(
			turn->settings, turn->n_settings + 1, sizeof(*settings));
	if (settings == NULL) {
		return false;
	}
	turn->settings = settings;
	struct conduit_setting *added = &settings[turn->n_settings++];
	char *value = malloc(setting->size + 1);
	if (value != NULL) {
		memcpy(value, setting->value, setting->size);
		value[setting->size] = '\0';
	}
	*added = (struct conduit_setting){
			.name = strdup(setting->name), .value = value, .size = setting->size};
	return added->name != NULL && value != NULL;
}

struct conduit_turn turn_view(struct turn *turn) {
	const struct conduit_part *part = turn->parts;
	for (size_t i = 0; i < turn->n_messages; i++) {
		turn->messages[i].parts = part;
		part += turn->messages[i].n_parts;
	}
	return (struct conduit_turn){.model = turn->model,
			.capability = turn->capability,
			.messages = turn->messages,
			.n_messages = turn->n_messages,
			.settings = turn->settings,
			.n_settings = turn->n_settings};
}
