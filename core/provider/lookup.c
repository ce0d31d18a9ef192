/* The parts of provider.h that only look something up in what the provider was handed. */
#include "core/provider/conduit/provider.h"

#include <string.h>

const char *conduit_setting(const struct conduit_turn *turn, const char *name) {
	for (size_t i = 0; i < turn->n_settings; i++) {
		if (strcmp(turn->settings[i].name, name) == 0) {
			return turn->settings[i].value;
		}
	}
	return NULL;
}

const char *conduit_header(const struct conduit_reply *reply, const char *name) {
	size_t length = strlen(name);
	for (const char *const *header = reply->headers; *header != NULL; header++) {
		if (strncmp(*header, name, length) == 0 && (*header)[length] == ':') {
			const char *value = *header + length + 1;
			return value + strspn(value, " \t");
		}
	}
	return NULL;
}
