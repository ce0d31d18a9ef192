/* From a turn and its conversation to what the provider is handed. Private: see run.h. */
#include "core/base/text.h"
#include "core/config/capability.h"
#include "core/engine/books.h"
#include "core/engine/engine.h"
#include "core/engine/feed.h"
#include "core/engine/run.h"
#include "core/turn/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

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

/* `size` bytes of a file that has `whole`, from `skip` on. */
static bool add_file(struct prepared *prepared, enum job_role role, const char *path, uint64_t skip,
		uint64_t size, uint64_t whole) {
	size_t n = prepared->n_files;
	char *copy = strdup(path);
	if (copy == NULL) {
		return false;
	}
	prepared->files[n] = (struct exchange_file){
			.path = copy, .size = whole, .skip = skip, .drop = whole - skip - size};
	prepared->parts[n] = (struct job_part){
			.file = (uint32_t)n,
			.type = "text/plain",
			.name = "",
			.bytes = size,
	};
	prepared->messages[n] = (struct job_message){
			.role = role,
			.parts = &prepared->parts[n],
			.n_parts = 1,
	};
	prepared->n_files++;
	return true;
}

static bool add_message(
		struct run *run, struct prepared *prepared, const struct history_message *message) {
	char path[PATH_MAX];
	cleanup_turn struct turn *turn = turn_get(run->turn->table, message->turn);
	return turn != NULL && turn_file_path(turn, message->file, path, sizeof(path)) &&
	       add_file(prepared, message->answer ? JOB_ASSISTANT : JOB_USER, path, message->skip,
			       message->size, turn_file_size(turn, message->file));
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
	       add_file(prepared, JOB_SYSTEM, path, 0, size, size);
}

/* The conversation with the prompt at its end. */
static bool gather_messages(struct run *run, struct prepared *prepared, struct fail *fail) {
	cleanup(history_finish) struct history history = {0};
	struct history_message prompt = {.turn = run->turn->row.id, .file = TURN_PROMPT};
	if (!history_gather(run->turn->table, run->turn->row.previous, &history, fail)) {
		return false;
	}
	errno = 0;
	prompt.size = turn_text_size(run->turn, TURN_PROMPT);
	size_t most = history.n + 2;
	prepared->files = calloc(most, sizeof(*prepared->files));
	prepared->parts = calloc(most, sizeof(*prepared->parts));
	prepared->messages = calloc(most, sizeof(*prepared->messages));
	bool gathered = prepared->files != NULL && prepared->parts != NULL &&
			prepared->messages != NULL && add_system(run, prepared);
	for (size_t i = 0; gathered && i < history.n; i++) {
		gathered = add_message(run, prepared, &history.messages[i]);
	}
	gathered = gathered && add_message(run, prepared, &prompt);
	prepared->turn.messages = prepared->messages;
	prepared->turn.n_messages = prepared->n_files;
	return gathered || fail_set(fail, EIO,
					   "the conversation can't be gathered in the state "
					   "directory: %s",
					   strerror(errno != 0 ? errno : ENOMEM));
}

static uint64_t conversation_bytes(const struct prepared *prepared) {
	uint64_t bytes = 0;
	for (size_t i = 0; i < prepared->n_files; i++) {
		bytes += prepared->parts[i].bytes;
	}
	return bytes;
}

static bool gather_settings(struct run *run, struct prepared *prepared) {
	prepared->settings = calloc(n_setting_specs + 2, sizeof(*prepared->settings));
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
	fallback_choose(run);
	const char *fallback = run->fallback.setting;
	if (fallback != NULL) {
		prepared->settings[n++] = (struct job_setting){.name = "fallback_models",
				.value = fallback,
				.size = strlen(fallback)};
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
	if (ret->capability == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a turn");
	}
	if (!gather_messages(run, ret, fail) ||
			!books_send(run, conversation_bytes(ret), ret->n_files, fail)) {
		return false;
	}
	snprintf(ret->max_tokens, sizeof(ret->max_tokens), "%lld",
			(long long)books_max_tokens(run));
	run->text = starts_with(strrchr(ret->capability, '-') + 1, "text");
	return gather_settings(run, ret) || fail_set(fail, ENOMEM, "no memory for a turn");
}
