/* The lines between conduitfs-fetch and who started it: see message.h. */
#include "core/fetch/message.h"

#include "core/fetch/cache.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

static const char *const types[] = {
		[MESSAGE_PROGRESS] = "progress",
		[MESSAGE_WAITING] = "waiting",
		[MESSAGE_GOING_ON] = "going-on",
		[MESSAGE_CREDENTIALS] = "credentials",
		[MESSAGE_ANSWER] = "answer",
		[MESSAGE_END] = "end",
};

static void delete_json(cJSON **json) {
	cJSON_Delete(*json);
}

#define cleanup_json cleanup(delete_json)

/* Appends it as a line and deletes it. */
static bool put_line(struct buf *out, cJSON *json, bool whole) {
	char *text = whole ? cJSON_PrintUnformatted(json) : NULL;
	bool put = text != NULL && buf_add_format(out, "%s\n", text);
	if (text != NULL) {
		explicit_bzero(text, strlen(text));
	}
	cJSON_free(text);
	cJSON_Delete(json);
	return put;
}

/* ---- reading members ---- */

/* A copy of a string member, "" when it isn't there; NULL without memory. */
static char *text_of(const cJSON *json, const char *name) {
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
	return strdup(text != NULL ? text : "");
}

static double number_of(const cJSON *json, const char *name) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static uint64_t count_of(const cJSON *json, const char *name) {
	double value = number_of(json, name);
	return value >= 1 && value < 9e15 ? (uint64_t)value : 0;
}

/* A list of strings, ended by NULL; NULL when it isn't there. False without memory. */
static bool list_of(const cJSON *json, const char *name, char ***ret) {
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, name), *item;
	*ret = NULL;
	if (!cJSON_IsArray(list)) {
		return true;
	}
	size_t n = 0;
	*ret = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(**ret));
	cJSON_ArrayForEach(item, list) {
		if (*ret == NULL || !cJSON_IsString(item) ||
				((*ret)[n++] = strdup(item->valuestring)) == NULL) {
			return false;
		}
	}
	return *ret != NULL;
}

/* ---- the task ---- */

void task_finish(struct task *task) {
	source_finish(&task->source);
	free(task->commit);
	free(task->previous);
	free(task->cache);
	free(task->include);
	free(task->ca_file);
	for (char **name = task->pkg_config; name != NULL && *name != NULL; name++) {
		free(*name);
	}
	free(task->pkg_config);
	*task = (struct task){0};
}

static bool add_text(cJSON *json, const char *name, const char *text) {
	return text == NULL || cJSON_AddStringToObject(json, name, text) != NULL;
}

static bool add_names(cJSON *json, const char *name, const char *const *names) {
	cJSON *list = names != NULL ? cJSON_AddArrayToObject(json, name) : NULL;
	for (size_t i = 0; list != NULL && names[i] != NULL; i++) {
		if (!cJSON_AddItemToArray(list, cJSON_CreateString(names[i]))) {
			return false;
		}
	}
	return names == NULL || list != NULL;
}

bool task_write(struct buf *out, const struct fetch_options *options,
		const struct fetch_request *request) {
	cJSON *json = cJSON_CreateObject();
	bool whole = add_text(json, "source", request->source->text) &&
		     add_text(json, "commit", request->commit) &&
		     add_text(json, "previous", request->previous) &&
		     add_text(json, "cache", options->cache) &&
		     add_text(json, "include", options->include) &&
		     add_text(json, "ca_file", options->ca_file) &&
		     add_names(json, "pkg_config", options->pkg_config) &&
		     cJSON_AddBoolToObject(json, "without_landlock", options->without_landlock) !=
				     NULL &&
		     cJSON_AddNumberToObject(json, "stall_seconds", options->stall_seconds) !=
				     NULL &&
		     cJSON_AddNumberToObject(json, "total_seconds", options->total_seconds) != NULL;
	return put_line(out, json, whole);
}

static bool complete(const struct task *task) {
	return task->commit != NULL && task->previous != NULL && task->cache != NULL &&
	       task->include != NULL && task->ca_file != NULL;
}

bool task_read(struct task *ret, const char *line, struct fail *fail) {
	cJSON *json cleanup_json = cJSON_Parse(line);
	char *source cleanup_free = text_of(json, "source");
	struct task task cleanup_task = {
			.commit = text_of(json, "commit"),
			.previous = text_of(json, "previous"),
			.cache = text_of(json, "cache"),
			.include = text_of(json, "include"),
			.ca_file = text_of(json, "ca_file"),
			.without_landlock = cJSON_IsTrue(
					cJSON_GetObjectItemCaseSensitive(json, "without_landlock")),
			.stall_seconds = number_of(json, "stall_seconds"),
			.total_seconds = number_of(json, "total_seconds"),
	};
	if (!list_of(json, "pkg_config", &task.pkg_config) || !complete(&task) || source == NULL) {
		return fail_set(fail, ENOMEM, "no memory for a task");
	}
	if (!source_parse(&task.source, source, fail)) {
		return false;
	}
	if (task.source.kind == SOURCE_BUNDLED || task.cache[0] != '/' || task.include[0] != '/') {
		return fail_set(fail, EINVAL,
				"a task names a source outside, an absolute path of the cache and "
				"one of the headers");
	}
	if (task.commit[0] != '\0' && !cache_commit_valid(task.commit)) {
		return fail_set(fail, EINVAL, "'%s' isn't a whole commit: 40 hexadecimal digits",
				task.commit);
	}
	task.stall_seconds = task.stall_seconds > 0 ? task.stall_seconds : 60;
	task.total_seconds = task.total_seconds > 0 ? task.total_seconds : 900;
	*ret = task;
	task = (struct task){0};
	return true;
}

/* ---- what is told ---- */

static cJSON *create(enum message_type type) {
	cJSON *json = cJSON_CreateObject();
	add_text(json, "event", types[type]);
	return json;
}

bool message_write(struct buf *out, enum message_type type) {
	cJSON *json = create(type);
	return put_line(out, json, json != NULL);
}

bool message_write_progress(struct buf *out, const struct fetch_progress *progress) {
	cJSON *json = create(MESSAGE_PROGRESS);
	bool whole = cJSON_AddNumberToObject(json, "stage", progress->stage) != NULL &&
		     cJSON_AddNumberToObject(json, "objects", (double)progress->objects) != NULL &&
		     cJSON_AddNumberToObject(json, "objects_total",
				     (double)progress->objects_total) != NULL &&
		     cJSON_AddNumberToObject(json, "bytes", (double)progress->bytes) != NULL &&
		     add_text(json, "words", progress->words);
	return put_line(out, json, whole);
}

bool message_write_end(struct buf *out, const struct fetch_result *result) {
	cJSON *json = create(MESSAGE_END);
	bool whole = cJSON_AddNumberToObject(json, "code", result->code) != NULL &&
		     add_text(json, "words", result->words) &&
		     add_text(json, "commit", result->commit) &&
		     add_text(json, "tree", result->tree) &&
		     cJSON_AddBoolToObject(json, "rewritten", result->rewritten) != NULL &&
		     add_text(json, "files", result->files) &&
		     add_text(json, "object", result->object) &&
		     add_text(json, "messages", result->messages);
	return put_line(out, json, whole);
}

bool message_write_answer(
		struct buf *out, const char *user, const char *password, const char *words) {
	cJSON *json = create(MESSAGE_ANSWER);
	bool whole = add_text(json, "user", user) && add_text(json, "password", password) &&
		     add_text(json, "words", words);
	return put_line(out, json, whole);
}

static void read_result(const cJSON *json, struct fetch_result *ret) {
	char *commit cleanup_free = text_of(json, "commit");
	char *tree cleanup_free = text_of(json, "tree");
	*ret = (struct fetch_result){
			.code = (int)number_of(json, "code"),
			.words = text_of(json, "words"),
			.rewritten = cJSON_IsTrue(
					cJSON_GetObjectItemCaseSensitive(json, "rewritten")),
			.files = text_of(json, "files"),
			.object = text_of(json, "object"),
			.messages = text_of(json, "messages"),
	};
	snprintf(ret->commit, sizeof(ret->commit), "%s", commit != NULL ? commit : "");
	snprintf(ret->tree, sizeof(ret->tree), "%s", tree != NULL ? tree : "");
}

static bool read_type(const cJSON *json, enum message_type *ret) {
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "event"));
	for (size_t i = 0; text != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(text, types[i]) == 0) {
			*ret = (enum message_type)i;
			return true;
		}
	}
	return false;
}

bool message_read(struct message *ret, const char *line) {
	cJSON *json cleanup_json = cJSON_Parse(line);
	struct message message = {0};
	if (!read_type(json, &message.type)) {
		return false;
	}
	if (message.type == MESSAGE_END) {
		read_result(json, &message.result);
	} else {
		double stage = number_of(json, "stage");
		message.words = text_of(json, "words");
		message.user = text_of(json, "user");
		message.password = text_of(json, "password");
		message.progress = (struct fetch_progress){
				.stage = stage >= 0 && stage <= FETCH_BUILDING
							 ? (enum fetch_stage)stage
							 : FETCH_CONNECTING,
				.objects = count_of(json, "objects"),
				.objects_total = count_of(json, "objects_total"),
				.bytes = count_of(json, "bytes"),
				.words = message.words != NULL ? message.words : "",
		};
	}
	*ret = message;
	return true;
}

void message_finish(struct message *message) {
	fetch_result_finish(&message->result);
	if (message->password != NULL) {
		explicit_bzero(message->password, strlen(message->password));
	}
	free(message->user);
	free(message->password);
	free(message->words);
	*message = (struct message){0};
}
