/* A turn as the runner gathers it from the daemon's messages, until the provider is called. */
#ifndef CORE_PROVIDER_TURN_H
#define CORE_PROVIDER_TURN_H

#include "core/provider/conduit/provider.h"
#include "core/wire/wire.h"

struct turn {
	char *model, *capability;
	struct conduit_message *messages; /* `parts` is filled in by turn_view */
	size_t n_messages;
	struct conduit_part *parts; /* of all messages, in order */
	size_t n_parts;
	struct conduit_setting *settings;
	size_t n_settings;
};

/* NULL without memory, as false of the others. */
struct turn *turn_create(const struct wire_turn *message);
void turn_destroy(struct turn *turn);
bool turn_add_message(struct turn *turn, const struct wire_turn_message *message);
bool turn_add_setting(struct turn *turn, const struct wire_setting *setting);
/* The turn as the provider sees it, valid until the turn is destroyed. */
struct conduit_turn turn_view(struct turn *turn);

#endif
