/* What begins a job: a discovery, or a turn told in as many messages as it takes. */
#include "core/process/internal.h"

#include <errno.h>
#include <string.h>

/* A turn's description, all of which waits in memory until the provider takes it. The texts
 * themselves are files and don't count. */
#define OPENING_MOST QUEUE_MOST

static bool put(struct job *job, struct wire_message *message, struct fail *fail) {
	message->job = job->id;
	if (!queue_put(&job->opening, message)) {
		return fail_set(fail, ENOMEM, "no memory to describe the turn to provider %s",
				job->process->options.name);
	}
	if (job->opening.bytes > OPENING_MOST) {
		return fail_set(fail, EMSGSIZE,
				"the conversation and its settings take more than 1 MiB to "
				"describe; "
				"begin a new conversation, or shorten the settings");
	}
	return true;
}

static bool too_long(const char *what, const char *value, size_t most, struct fail *fail) {
	if (strlen(value) <= most) {
		return false;
	}
	fail_set(fail, EMSGSIZE, "the %s \"%.60s…\" is longer than %zu bytes", what, value, most);
	return true;
}

static bool add_part(
		struct wire_turn_message *message, const struct job_part *part, struct fail *fail) {
	if (too_long("MIME type", part->type, WIRE_NAME_MOST, fail) ||
			too_long("name of an attachment", part->name, WIRE_NAME_MOST, fail)) {
		return false;
	}
	message->parts[message->n_parts++] = (struct wire_part){.file = part->file,
			.type = part->type,
			.name = part->name,
			.bytes = part->bytes};
	return true;
}

static bool put_message(struct job *job, const struct job_message *message, struct fail *fail) {
	struct wire_message wire = {
			.type = WIRE_MESSAGE, .message = {.role = (uint8_t)message->role}};
	for (size_t i = 0; i < message->n_parts; i++) {
		if (!add_part(&wire.message, &message->parts[i], fail)) {
			return false;
		}
		if (wire.message.n_parts == WIRE_PARTS_MOST && i + 1 < message->n_parts) {
			if (!put(job, &wire, fail)) {
				return false;
			}
			wire.message.n_parts = 0;
			wire.message.more = true;
		}
	}
	return put(job, &wire, fail);
}

static bool put_setting(struct job *job, const struct job_setting *setting, struct fail *fail) {
	if (too_long("name of a setting", setting->name, WIRE_NAME_MOST, fail)) {
		return false;
	}
	if (setting->size > WIRE_CHUNK_MOST) {
		return fail_set(fail, EMSGSIZE,
				"the setting %s has %zu bytes; at most %zu can be handed to a "
				"provider",
				setting->name, setting->size, WIRE_CHUNK_MOST);
	}
	struct wire_message message = {.type = WIRE_SETTING,
			.setting = {.name = setting->name,
					.value = setting->value,
					.size = (uint32_t)setting->size}};
	return put(job, &message, fail);
}

bool opening_discover(struct job *job, struct fail *fail) {
	return put(job, &(struct wire_message){.type = WIRE_DISCOVER}, fail);
}

bool opening_look_up(struct job *job, const char *id, struct fail *fail) {
	struct wire_message message = {.type = WIRE_LOOK_UP, .look_up = {.id = id}};
	return !too_long("id of the model", id, WIRE_ID_MOST, fail) && put(job, &message, fail);
}

bool opening_turn(struct job *job, const struct job_turn *turn, struct fail *fail) {
	if (too_long("id of the model", turn->model, WIRE_ID_MOST, fail) ||
			too_long("capability", turn->capability, WIRE_NAME_MOST, fail)) {
		return false;
	}
	struct wire_message first = {.type = WIRE_TURN,
			.turn = {.model = turn->model, .capability = turn->capability}};
	if (!put(job, &first, fail)) {
		return false;
	}
	for (size_t i = 0; i < turn->n_messages; i++) {
		if (!put_message(job, &turn->messages[i], fail)) {
			return false;
		}
	}
	for (size_t i = 0; i < turn->n_settings; i++) {
		if (!put_setting(job, &turn->settings[i], fail)) {
			return false;
		}
	}
	return put(job, &(struct wire_message){.type = WIRE_GO}, fail);
}
