/* A request's body as a JSON object: see conduit/kit/object.h. How a setting's text becomes JSON is
 * in object_forms.c. */
#include <conduit/kit/object.h>

#include "core/base/text.h"
#include "core/provider/kit/json/object_forms.h"

#include <conduit/kit/json.h>
#include <conduit/kit/json_items.h>
#include <errno.h>
#include <string.h>

/* The members of the setting `extra`, as they were written. */
struct extra_member {
	char *name; /* as between its quotes */
	char *json;
};

struct conduit_object {
	const struct conduit_turn *turn;
	struct conduit_body *body;
	struct extra_member *extra;
	size_t n_extra;
	bool begun; /* a member was written: a comma comes before the next */
	char *after; /* comes behind it as it is sent; NULL: nothing */
	bool inside; /* an object that is a member: extra knows nothing of its members */
	struct fail fail; /* why it can't be sent */
};

static bool is_blank(const char *text) {
	return text[strspn(text, " \t\r\n")] == '\0';
}

static void no_memory(struct conduit_object *object) {
	if (object->fail.code == 0) {
		fail_set(&object->fail, ENOMEM, "memory is short");
	}
}

static void take_extra(void *data, const char *name, const char *json, size_t size) {
	struct conduit_object *object = data;
	struct extra_member *grown = reallocarray(
			object->extra, object->n_extra + 1, sizeof(*object->extra));
	if (grown == NULL) {
		no_memory(object);
		return;
	}
	object->extra = grown;
	struct extra_member *member = &grown[object->n_extra++];
	member->name = strdup(name);
	member->json = strndup(json, size);
	if (member->name == NULL || member->json == NULL) {
		no_memory(object);
	}
}

static void no_item(void *data, const char *json, size_t size) {
	(void)data;
	(void)json;
	(void)size;
}

static void read_extra(struct conduit_object *object, const char *value) {
	struct conduit_json *json = conduit_json_parse(value, strlen(value));
	bool is_object = conduit_json_type(json, NULL) == CONDUIT_JSON_OBJECT;
	conduit_json_free(json);
	if (!is_object) {
		form_refuse(&object->fail, "extra", value, "JSON object");
		return;
	}
	/* Taken apart as text, not as a tree, so that a number is sent digit for digit. */
	struct conduit_json_items_calls calls = {
			.item = no_item, .member = take_extra, .data = object};
	struct conduit_json_items *items = conduit_json_items_create(&calls);
	if (items == NULL || !conduit_json_items_feed(items, value, strlen(value))) {
		no_memory(object);
	}
	conduit_json_items_destroy(items);
}

struct conduit_object *conduit_object_create(const struct conduit_turn *turn) {
	struct conduit_object *object = calloc(1, sizeof(*object));
	if (object == NULL) {
		return NULL;
	}
	object->turn = turn;
	object->body = conduit_body_create();
	if (object->body == NULL) {
		free(object);
		return NULL;
	}
	if (conduit_object_has(object, "extra")) {
		read_extra(object, conduit_setting(turn, "extra"));
	}
	return object;
}

void conduit_object_destroy(struct conduit_object *object) {
	if (object == NULL) {
		return;
	}
	for (size_t i = 0; i < object->n_extra; i++) {
		free(object->extra[i].name);
		free(object->extra[i].json);
	}
	free(object->extra);
	conduit_body_destroy(object->body);
	free(object->after);
	fail_finish(&object->fail);
	free(object);
}

struct conduit_body *conduit_object_body(struct conduit_object *object) {
	return object != NULL ? object->body : NULL;
}

static void begin_member(struct conduit_object *object, const char *name) {
	conduit_body_text(object->body, object->begun ? "," : object->inside ? "" : "{");
	conduit_body_text(object->body, "\"");
	conduit_body_text(object->body, name);
	conduit_body_text(object->body, "\":");
	object->begun = true;
}

bool conduit_object_member(struct conduit_object *object, const char *name) {
	if (object == NULL) {
		return false;
	}
	for (size_t i = 0; i < object->n_extra && !object->inside; i++) {
		if (object->extra[i].name != NULL && strcmp(object->extra[i].name, name) == 0) {
			return false;
		}
	}
	begin_member(object, name);
	return true;
}

bool conduit_object_open(struct conduit_object *object, const char *name) {
	if (!conduit_object_member(object, name)) {
		return false;
	}
	conduit_body_text(object->body, "{");
	object->inside = true;
	object->begun = false;
	return true;
}

void conduit_object_close(struct conduit_object *object) {
	conduit_body_text(object->body, "}");
	object->inside = false;
	object->begun = true;
}

void conduit_object_wrap(struct conduit_object *object, const char *before, const char *after) {
	if (object == NULL) {
		return;
	}
	conduit_body_text(object->body, before);
	free(object->after);
	object->after = strdup(after);
	if (object->after == NULL) {
		no_memory(object);
	}
}

bool conduit_object_has(const struct conduit_object *object, const char *setting) {
	const char *value = object != NULL ? conduit_setting(object->turn, setting) : NULL;
	return value != NULL && !is_blank(value);
}

void conduit_object_setting(struct conduit_object *object, const char *setting, const char *name,
		enum conduit_form form) {
	if (!conduit_object_has(object, setting) || object->fail.code != 0) {
		return;
	}
	const char *value = conduit_setting(object->turn, setting);
	/* Lines keep the blanks that the user wrote. */
	cleanup_free char *text = form == CONDUIT_FORM_LINES ? strdup(value)
							     : trimmed(value, strlen(value));
	if (text == NULL) {
		no_memory(object);
	} else if (conduit_object_member(object, name)) {
		form_put(object->body, form, setting, text, &object->fail);
	}
}

void conduit_object_leave_out(struct conduit_object *object, struct conduit_job *job,
		const char *service, const char *const *names) {
	for (; names != NULL && *names != NULL; names++) {
		if (conduit_object_has(object, *names)) {
			conduit_log(job, "the setting %s isn't sent: %s has none", *names, service);
		}
	}
}

void conduit_object_refuse(struct conduit_object *object, const char *format, ...) {
	if (object == NULL || object->fail.code != 0) {
		return;
	}
	va_list args;
	va_start(args, format);
	fail_vset(&object->fail, EINVAL, format, args);
	va_end(args);
}

static void fail(struct conduit_job *job, enum conduit_kind kind, const char *words) {
	conduit_fail(job, &(struct conduit_failure){.kind = kind, .words = words});
}

void conduit_object_send(struct conduit_object *object, struct conduit_job *job,
		const struct conduit_request *request) {
	if (object == NULL) {
		fail(job, CONDUIT_FAIL_OTHER, "memory is short");
		return;
	}
	if (object->fail.code != 0) {
		bool refused = object->fail.code == EINVAL;
		fail(job, refused ? CONDUIT_FAIL_INVALID : CONDUIT_FAIL_OTHER,
				fail_words(&object->fail));
		return;
	}
	for (size_t i = 0; i < object->n_extra; i++) {
		begin_member(object, object->extra[i].name);
		conduit_body_text(object->body, object->extra[i].json);
	}
	conduit_body_text(object->body, object->begun ? "}" : "{}");
	conduit_body_text(object->body, object->after != NULL ? object->after : "");
	conduit_body_send(object->body, job, request);
}
