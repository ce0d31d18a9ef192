/* From a turn and its conversation to what the provider is handed. Private: see run.h. */
#include "core/base/text.h"
#include "core/config/capability.h"
#include "core/engine/books.h"
#include "core/engine/engine.h"
#include "core/engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* A conversation longer than this sends its newest part. */
#define CONVERSATION_MOST 500

void prepared_finish(struct prepared *prepared) {
	exchange_files_free(prepared->files, prepared->n_files);
	free(prepared->messages);
	free(prepared->parts);
	free(prepared->settings);
	free(prepared->capability);
	*prepared = (struct prepared){0};
}

bool run_keep_settings(struct run *run) {
	struct engine *engine = run->provider->engine;
	struct place *place = run_place(run), *model = run_model(run);
	if (place == NULL || model == NULL) {
		return false;
	}
	run->settings = calloc(n_setting_specs, sizeof(*run->settings));
	for (size_t i = 0; run->settings != NULL && i < n_setting_specs; i++) {
		const char *value = engine_has_setting(engine, model, (int)i)
						    ? engine_setting_of(
								      engine, place, model, (int)i)
						    : "";
		if (value[0] != '\0' && (run->settings[i] = strdup(value)) == NULL) {
			run_drop_settings(run);
		}
	}
	return run->settings != NULL;
}

void run_drop_settings(struct run *run) {
	for (size_t i = 0; run->settings != NULL && i < n_setting_specs; i++) {
		free(run->settings[i]);
	}
	free(take(run->settings));
}

const char *run_setting(const struct run *run, const char *name) {
	int index = setting_find(name);
	return index >= 0 && run->settings[index] != NULL ? run->settings[index] : "";
}

double run_number(const struct run *run, const char *name, double otherwise) {
	double value;
	return parse_double(run_setting(run, name), &value) ? value : otherwise;
}

/* 1 when the file's last byte is a newline, which isn't sent (design section 3.4). */
static uint64_t trailing_newline(struct turn *turn, enum turn_file file) {
	char last = 0;
	uint64_t size = turn_file_size(turn, file);
	int fd = size > 0 ? turn_open_file(turn, file, false) : -1;
	return fd >= 0 && pread(fd, &last, 1, (off_t)(size - 1)) == 1 && last == '\n' ? 1 : 0;
}

static bool add_file(struct prepared *prepared, enum job_role role, const char *path, uint64_t size,
		uint64_t drop) {
	size_t n = prepared->n_files;
	char *copy = strdup(path);
	if (copy == NULL) {
		return false;
	}
	prepared->files[n] = (struct exchange_file){.path = copy, .size = size, .drop = drop};
	prepared->parts[n] = (struct job_part){
			.file = (uint32_t)n,
			.type = "text/plain",
			.name = "",
			.bytes = size - drop,
	};
	prepared->messages[n] = (struct job_message){
			.role = role,
			.parts = &prepared->parts[n],
			.n_parts = 1,
	};
	prepared->n_files++;
	return true;
}

/* An empty answer isn't part of the conversation: it may have no file. */
static bool add_turn_file(struct prepared *prepared, struct turn *turn, enum turn_file file) {
	char path[PATH_MAX];
	if (file == TURN_OUTPUT && turn_file_size(turn, file) == 0) {
		return true;
	}
	enum job_role role = file == TURN_PROMPT ? JOB_USER : JOB_ASSISTANT;
	return turn_file_path(turn, file, path, sizeof(path)) &&
	       add_file(prepared, role, path, turn_file_size(turn, file),
			       trailing_newline(turn, file));
}

/* The ids of the turns that this one continues, oldest first; returns how many. Only answered
 * turns are part of the conversation. */
static size_t conversation(struct turn *turn, int64_t *ids) {
	size_t n = 0;
	int64_t id = turn->row.previous;
	while (id != 0 && n < CONVERSATION_MOST) {
		cleanup_turn struct turn *previous = turn_get(turn->table, id);
		if (previous == NULL) {
			break;
		}
		if (previous->row.state == TURN_DONE) {
			ids[n++] = id;
		}
		id = previous->row.previous;
	}
	for (size_t i = 0; i < n / 2; i++) {
		int64_t swapped = ids[i];
		ids[i] = ids[n - 1 - i];
		ids[n - 1 - i] = swapped;
	}
	return n;
}

/* The system text goes to the turn's directory: it may be long, and it is part of the record. */
static bool add_system(struct run *run, struct prepared *prepared) {
	char path[PATH_MAX];
	const char *system = run_setting(run, "system");
	if (system[0] == '\0') {
		return true;
	}
	if (!turn_file_path(run->turn, TURN_PROMPT, path, sizeof(path))) {
		return false;
	}
	strcpy(strrchr(path, '/'), "/system");
	cleanup_close int fd = open(
			path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t size = strlen(system);
	return fd >= 0 && write(fd, system, size) == (ssize_t)size &&
	       add_file(prepared, JOB_SYSTEM, path, size, 0);
}

static bool gather_messages(struct run *run, struct prepared *prepared) {
	int64_t ids[CONVERSATION_MOST];
	size_t n = conversation(run->turn, ids);
	size_t most = 2 * n + 2;
	prepared->files = calloc(most, sizeof(*prepared->files));
	prepared->parts = calloc(most, sizeof(*prepared->parts));
	prepared->messages = calloc(most, sizeof(*prepared->messages));
	if (prepared->files == NULL || prepared->parts == NULL || prepared->messages == NULL ||
			!add_system(run, prepared)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		cleanup_turn struct turn *turn = turn_get(run->turn->table, ids[i]);
		if (turn == NULL || !add_turn_file(prepared, turn, TURN_PROMPT) ||
				!add_turn_file(prepared, turn, TURN_OUTPUT)) {
			return false;
		}
	}
	if (!add_turn_file(prepared, run->turn, TURN_PROMPT)) {
		return false;
	}
	prepared->turn.messages = prepared->messages;
	prepared->turn.n_messages = prepared->n_files;
	return true;
}

static uint64_t conversation_bytes(const struct prepared *prepared) {
	uint64_t bytes = 0;
	for (size_t i = 0; i < prepared->n_files; i++) {
		bytes += prepared->files[i].size;
	}
	return bytes;
}

static bool gather_settings(struct run *run, struct prepared *prepared) {
	prepared->settings = calloc(n_setting_specs + 1, sizeof(*prepared->settings));
	if (prepared->settings == NULL) {
		return false;
	}
	size_t n = 0;
	for (size_t i = 0; i < n_setting_specs; i++) {
		const struct setting_spec *spec = &setting_specs[i];
		const char *value = run->settings[i];
		if (spec->to_provider && value != NULL && strcmp(spec->name, "max_tokens") != 0) {
			prepared->settings[n++] = (struct job_setting){
					.name = spec->name, .value = value, .size = strlen(value)};
		}
	}
	prepared->settings[n++] = (struct job_setting){.name = "max_tokens",
			.value = prepared->max_tokens,
			.size = strlen(prepared->max_tokens)};
	prepared->turn.settings = prepared->settings;
	prepared->turn.n_settings = n;
	return true;
}

bool prepare(struct run *run, struct prepared *ret, struct fail *fail) {
	struct engine *engine = run->provider->engine;
	struct place *place = run_model(run);
	const struct model_record *record = place != NULL ? catalogue_record(engine->catalogue,
									    place)
							  : NULL;
	if (record == NULL) {
		return fail_set(fail, ENOENT, "the model isn't in the catalogue any more");
	}
	ret->turn.model = record->id;
	ret->capability = capability_of_text(place->chat ? "" : record->output_modalities);
	ret->turn.capability = ret->capability;
	ret->timeouts = (struct transfer_timeouts){
			.connect = run_number(run, "timeout_connect", 15),
			.first_byte = run_number(run, "timeout_first_byte", 300),
			.idle = run_number(run, "timeout_idle", 120),
			.total = run_number(run, "timeout_total", 3600),
	};
	errno = 0;
	if (ret->capability == NULL || !gather_messages(run, ret)) {
		return fail_set(fail, EIO,
				"the conversation can't be gathered in the state directory: %s",
				strerror(errno != 0 ? errno : ENOMEM));
	}
	if (!books_send(run, conversation_bytes(ret), ret->n_files, fail)) {
		return false;
	}
	snprintf(ret->max_tokens, sizeof(ret->max_tokens), "%lld",
			(long long)books_max_tokens(run));
	run->text = starts_with(strrchr(ret->capability, '-') + 1, "text");
	return gather_settings(run, ret) || fail_set(fail, ENOMEM, "no memory for a turn");
}
