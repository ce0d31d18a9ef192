/* From a turn and its conversation to what the provider is handed. Private: see run.h. */
#include "core/base/text.h"
#include "core/config/capability.h"
#include "core/engine/attach/attach.h"
#include "core/engine/attach/media.h"
#include "core/engine/engine.h"
#include "core/engine/model_limits.h"
#include "core/engine/money/books.h"
#include "core/engine/money/estimate.h"
#include "core/engine/run/feed.h"
#include "core/engine/run/run.h"
#include "core/turn/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

void prepared_finish(struct prepared *prepared) {
	exchange_files_free(prepared->files, prepared->n_files);
	for (size_t i = 0; i < prepared->n_attached; i++) {
		attached_finish(&prepared->attached[i]);
	}
	free(prepared->attached);
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

/* `size` bytes of a file that has `whole`, from `skip` on, as another part of the last message. */
static bool add_file(struct prepared *prepared, const char *path, const char *type,
		const char *name, uint64_t skip, uint64_t size, uint64_t whole) {
	size_t n = prepared->n_files;
	char *copy = strdup(path);
	if (copy == NULL) {
		return false;
	}
	prepared->files[n] = (struct exchange_file){
			.path = copy, .size = whole, .skip = skip, .drop = whole - skip - size};
	prepared->parts[n] = (struct job_part){
			.file = (uint32_t)n, .type = type, .name = name, .bytes = size};
	prepared->messages[prepared->turn.n_messages - 1].n_parts++;
	prepared->n_files++;
	return true;
}

static void begin_message(struct prepared *prepared, enum job_role role) {
	prepared->messages[prepared->turn.n_messages++] = (struct job_message){
			.role = role, .parts = &prepared->parts[prepared->n_files]};
}

/* What went along with a prompt. */
static bool add_attached(struct run *run, struct prepared *prepared, int64_t turn,
		const struct attached *attached) {
	struct stat status;
	char path[PATH_MAX];
	for (size_t i = 0; i < attached->n; i++) {
		const struct attached_file *file = &attached->files[i];
		if (file->name[0] == '\0') {
			continue;
		}
		if (!store_attached_path(run->provider->engine->store, turn, file->name, path,
				    sizeof(path)) ||
				stat(path, &status) != 0 ||
				!add_file(prepared, path, file->type, file->name, 0,
						(uint64_t)status.st_size,
						(uint64_t)status.st_size)) {
			return false;
		}
	}
	return true;
}

static bool add_message(struct run *run, struct prepared *prepared,
		const struct history_message *message, const struct attached *attached) {
	char path[PATH_MAX];
	cleanup_turn struct turn *turn = turn_get(run->turn->table, message->turn);
	const char *type = attached_prompt_type(attached);
	struct stat status;
	if (turn == NULL || !history_path(run->turn->table, message, path, sizeof(path)) ||
			(message->result != 0 && stat(path, &status) != 0)) {
		return false;
	}
	uint64_t whole = message->result != 0 ? (uint64_t)status.st_size
					      : turn_file_size(turn, message->file);
	/* Of what isn't text every byte is sent. */
	uint64_t size = strcmp(type, "text/plain") == 0 ? message->size : whole;
	begin_message(prepared, message->answer ? JOB_ASSISTANT : JOB_USER);
	return add_file(prepared, path, type, "", message->skip, size, whole) &&
	       add_attached(run, prepared, message->turn, attached);
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
	begin_message(prepared, JOB_SYSTEM);
	return fd >= 0 && write(fd, system, size) == (ssize_t)size &&
	       add_file(prepared, path, "text/plain", "", 0, size, size);
}

/* What went along with each message; how many files in all, or -1. */
static ssize_t gather_attached(struct run *run, struct prepared *prepared,
		const struct history *history, struct fail *fail) {
	size_t n = history->n + 1;
	ssize_t files = 0;
	prepared->attached = calloc(n, sizeof(*prepared->attached));
	if (prepared->attached == NULL) {
		fail_set(fail, ENOMEM, "no memory for a turn");
		return -1;
	}
	for (; prepared->n_attached < n; prepared->n_attached++) {
		size_t i = prepared->n_attached;
		const struct history_message *message = i < history->n ? &history->messages[i]
								       : NULL;
		int64_t turn = message == NULL		      ? run->turn->row.id
			       : message->file == TURN_PROMPT ? message->turn
							      : 0;
		if (!attached_of(run->provider->engine->attachments, turn, &prepared->attached[i],
				    fail)) {
			return -1;
		}
		files += (ssize_t)prepared->attached[i].n;
	}
	return files;
}

/* The conversation with the prompt at its end. */
static bool gather_messages(struct run *run, struct prepared *prepared, struct fail *fail) {
	cleanup(history_finish) struct history history = {0};
	struct history_message prompt = {.turn = run->turn->row.id, .file = TURN_PROMPT};
	if (!history_gather(run->turn->table, run->turn->row.previous, &history, fail)) {
		return false;
	}
	ssize_t attached = gather_attached(run, prepared, &history, fail);
	if (attached < 0) {
		return false;
	}
	errno = 0;
	prompt.size = turn_text_size(run->turn, TURN_PROMPT);
	size_t messages = history.n + 2, files = messages + (size_t)attached;
	prepared->files = calloc(files, sizeof(*prepared->files));
	prepared->parts = calloc(files, sizeof(*prepared->parts));
	prepared->messages = calloc(messages, sizeof(*prepared->messages));
	bool gathered = prepared->files != NULL && prepared->parts != NULL &&
			prepared->messages != NULL && add_system(run, prepared);
	for (size_t i = 0; gathered && i < history.n; i++) {
		gathered = add_message(run, prepared, &history.messages[i], &prepared->attached[i]);
	}
	gathered = gathered && add_message(run, prepared, &prompt, &prepared->attached[history.n]);
	prepared->turn.messages = prepared->messages;
	return gathered || fail_set(fail, EIO,
					   "the conversation can't be gathered in the state "
					   "directory: %s",
					   strerror(errno != 0 ? errno : ENOMEM));
}

/* What is sent, as it is reckoned. */
static struct input_size size_of(const struct prepared *prepared) {
	struct input_size size = {.messages = prepared->turn.n_messages};
	for (size_t i = 0; i < prepared->n_files; i++) {
		const struct job_part *part = &prepared->parts[i];
		input_add(&size, media_kind_of(part->type), part->bytes);
	}
	return size;
}

static bool gather_settings(struct run *run, struct prepared *prepared) {
	prepared->settings = calloc(n_setting_specs + 4, sizeof(*prepared->settings));
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
	if (prepared->wanted != NULL) {
		prepared->settings[n++] = (struct job_setting){.name = "wanted",
				.value = prepared->wanted,
				.size = strlen(prepared->wanted)};
	}
	if (run->token != NULL) {
		prepared->settings[n++] = (struct job_setting){
				.name = "resume", .value = run->token, .size = strlen(run->token)};
	}
	prepared->settings[n++] = (struct job_setting){.name = "max_tokens",
			.value = prepared->max_tokens,
			.size = strlen(prepared->max_tokens)};
	prepared->turn.settings = prepared->settings;
	prepared->turn.n_settings = n;
	return true;
}

/* What comes of a capability: "audio" of "text-to-audio". */
static const char *made_by(const char *capability) {
	return strrchr(capability, '-') + 1;
}

/* The kind that the route asks for which brought the prompt; "" when none did. */
static const char *asked_for(const struct run *run) {
	const struct place *route = run->routed ? place_route(run_place(run)) : NULL;
	return route != NULL ? made_by(capability_name(route_capability(route))) : "";
}

/* A model that makes text as well is talked to, unless pictures are what it makes first and nobody
 * asks for text. The caller frees; NULL without memory. */
static char *capability_now(const struct run *run, const struct place *place,
		const struct model_record *record) {
	bool draws = starts_with(record->output_modalities, "image");
	bool talks = place->chat && (!draws || strcmp(asked_for(run), "text") == 0);
	return capability_of_text(talks ? "" : record->output_modalities);
}

bool run_asks_for(const struct run *run, char **ret_model, char **ret_capability) {
	const struct engine *engine = run->provider->engine;
	struct place *place = run_model(run);
	const struct model_record *record = place != NULL ? catalogue_record(engine->catalogue,
									    place)
							  : NULL;
	*ret_model = record != NULL ? strdup(record->id) : NULL;
	*ret_capability = record != NULL ? capability_now(run, place, record) : NULL;
	return *ret_model != NULL && *ret_capability != NULL;
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
	/* What was opened may have changed since, and who answers for a route is found later. */
	if (!limits_pass_kept(engine, place, run->settings, fail)) {
		return false;
	}
	ret->turn.model = record->id;
	ret->capability = capability_now(run, place, record);
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
	if (!gather_messages(run, ret, fail)) {
		return false;
	}
	struct input_size size = size_of(ret);
	/* What picking a job up may cost is reserved since it began. */
	if (run->token == NULL && !books_send(run, &size, fail)) {
		return false;
	}
	snprintf(ret->max_tokens, sizeof(ret->max_tokens), "%lld",
			(long long)books_max_tokens(run));
	run->text = starts_with(made_by(ret->capability), "text");
	const char *asked = asked_for(run);
	bool other = asked[0] != '\0' && strcmp(asked, made_by(ret->capability)) != 0;
	ret->wanted = other ? asked : NULL;
	return gather_settings(run, ret) || fail_set(fail, ENOMEM, "no memory for a turn");
}
