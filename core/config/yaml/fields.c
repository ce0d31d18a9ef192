/* Structs out of YAML maps: see fields.h. */
#include "core/config/yaml/fields.h"

#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/paths.h"

#include <string.h>

static void add_placed(struct faults *faults, const struct place *place,
		const struct yaml_node *node, const char *format, va_list args) {
	cleanup_buf struct buf text = {0};
	buf_add_vformat(&text, format, args);
	const char *name = node->name != NULL ? node->name : "";
	faults_add(faults, node->line, "%s%s%s%s%s", place->name,
			place->name[0] != '\0' && name[0] != '\0' ? "." : "", name,
			place->name[0] != '\0' || name[0] != '\0' ? ": " : "", buf_string(&text));
}

void place_fault(const struct place *place, const struct yaml_node *node, const char *format, ...) {
	va_list args;
	va_start(args, format);
	add_placed(place->faults, place, node, format, args);
	va_end(args);
}

void place_note(const struct place *place, const struct yaml_node *node, const char *format, ...) {
	va_list args;
	va_start(args, format);
	if (place->notes != NULL) {
		add_placed(place->notes, place, node, format, args);
	}
	va_end(args);
}

const char *node_text(const struct place *place, const struct yaml_node *node) {
	if (node->kind != YAML_KIND_SCALAR) {
		place_fault(place, node, "must be a single value, not a %s",
				node->kind == YAML_KIND_MAP ? "map" : "list");
		return NULL;
	}
	if (yaml_node_is_null(node) || node->text[0] == '\0') {
		place_fault(place, node, "is empty: write a value or remove the line");
		return NULL;
	}
	return node->text;
}

void node_copy(const struct place *place, const char *text, char **ret) {
	free(*ret);
	*ret = strdup(text);
	if (*ret == NULL) {
		faults_add_no_memory(place->faults);
	}
}

bool node_bool(const struct place *place, const struct yaml_node *node, bool *ret) {
	static const char *const names[] = {"yes", "no", "true", "false", "on", "off"};
	const char *text = node_text(place, node);
	if (text == NULL) {
		return false;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(text, names[i]) == 0) {
			*ret = i % 2 == 0;
			return true;
		}
	}
	place_fault(place, node, "'%s' is neither yes nor no", text);
	return false;
}

bool node_int(const struct place *place, const struct yaml_node *node, int least, int most,
		int *ret) {
	const char *text = node_text(place, node);
	int64_t value = 0;
	if (text == NULL) {
		return false;
	}
	if (!parse_int64(text, &value) || value < least || value > most) {
		place_fault(place, node, "'%s' is not a whole number from %d to %d", text, least,
				most);
		return false;
	}
	*ret = (int)value;
	return true;
}

static void read_size(const struct place *place, const struct yaml_node *node,
		const struct field *field, uint64_t *ret) {
	const char *text = node_text(place, node);
	uint64_t value = 0;
	if (text == NULL) {
		return;
	}
	if (!parse_size(text, &value)) {
		place_fault(place, node, "'%s' is not a size: write bytes, or 64K, 256M, 16G",
				text);
	} else if ((double)value < field->least || (double)value > field->most) {
		place_fault(place, node, "'%s' is outside %.0f to %.0f bytes", text, field->least,
				field->most);
	} else {
		*ret = value;
	}
}

static void read_seconds(const struct place *place, const struct yaml_node *node,
		const struct field *field, double *ret) {
	const char *text = node_text(place, node);
	double value = 0;
	if (text == NULL) {
		return;
	}
	if (!parse_duration(text, &value)) {
		place_fault(place, node, "'%s' is not a time: write seconds, or 30s, 10m, 1h, 7d",
				text);
	} else if (value < field->least || value > field->most) {
		place_fault(place, node, "'%s' is outside %g to %g seconds", text, field->least,
				field->most);
	} else {
		*ret = value;
	}
}

static void read_path(const struct place *place, const struct yaml_node *node, char **ret) {
	const char *text = node_text(place, node);
	cleanup_fail struct fail fail = {0};
	if (text == NULL) {
		return;
	}
	cleanup_free char *path = path_expand(text, &fail);
	if (path == NULL) {
		place_fault(place, node, "%s", fail_words(&fail));
		return;
	}
	free(*ret);
	*ret = take(path);
}

bool is_variable_name(const char *text) {
	static const char letters[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
	size_t length = strlen(text);
	return length > 0 && length <= 255 && (text[0] < '0' || text[0] > '9') &&
	       strspn(text, letters) == length;
}

static void read_variable(const struct place *place, const struct yaml_node *node, char **ret) {
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	if (!is_variable_name(text)) {
		/* Not repeated: a key is easily put here by mistake. */
		place_fault(place, node,
				"must be the name of an environment variable, such as "
				"EXAMPLE_API_KEY");
		return;
	}
	node_copy(place, text, ret);
}

static void read_field(const struct place *place, const struct yaml_node *node,
		const struct field *field, void *into) {
	void *member = (char *)into + field->offset;
	const char *text = NULL;
	switch (field->type) {
	case FIELD_TEXT:
		text = node_text(place, node);
		if (text != NULL) {
			node_copy(place, text, member);
		}
		break;
	case FIELD_PATH:
		read_path(place, node, member);
		break;
	case FIELD_VARIABLE:
		read_variable(place, node, member);
		break;
	case FIELD_BOOL:
		node_bool(place, node, member);
		break;
	case FIELD_INT:
		node_int(place, node, (int)field->least, (int)field->most, member);
		break;
	case FIELD_SIZE:
		read_size(place, node, field, member);
		break;
	case FIELD_SECONDS:
		read_seconds(place, node, field, member);
		break;
	case FIELD_SPECIAL:
		field->read(place, node, into);
		break;
	}
}

#define FIELDS_MOST 64

static void add_unknown(struct faults *faults, const struct place *place,
		const struct yaml_node *node, const struct field *fields, size_t n_fields,
		const char *what) {
	const char *names[FIELDS_MOST];
	size_t n = n_fields < FIELDS_MOST ? n_fields : FIELDS_MOST;
	for (size_t i = 0; i < n; i++) {
		names[i] = fields[i].name;
	}
	faults_add_unknown(faults, node->line, what, node->name, place->name, names, n);
}

void fields_read(const struct place *place, const struct yaml_node *map, const struct field *fields,
		size_t n_fields, enum unknown_fields unknown, const char *what, void *into) {
	if (yaml_node_is_null(map)) {
		return;
	}
	if (map->kind != YAML_KIND_MAP) {
		faults_add(place->faults, map->line, "%s%smust be a map: a line `name: value` each",
				place->name, place->name[0] != '\0' ? ": " : "");
		return;
	}
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		const struct field *found = NULL;
		for (size_t i = 0; i < n_fields && found == NULL; i++) {
			found = strcmp(fields[i].name, node->name) == 0 ? &fields[i] : NULL;
		}
		if (found != NULL) {
			read_field(place, node, found, into);
		} else if (unknown == UNKNOWN_REFUSED) {
			add_unknown(place->faults, place, node, fields, n_fields, what);
		} else if (place->notes != NULL) {
			add_unknown(place->notes, place, node, fields, n_fields, what);
		}
	}
}

void node_each_text(const struct place *place, const struct yaml_node *node,
		void (*add)(const struct place *place, const struct yaml_node *item,
				const char *text, void *into),
		void *into) {
	if (node->kind != YAML_KIND_LIST) {
		const char *text = node->kind == YAML_KIND_SCALAR ? node_text(place, node) : NULL;
		if (text != NULL) {
			add(place, node, text, into);
		} else if (node->kind == YAML_KIND_MAP) {
			place_fault(place, node, "must be a list: [one, two]");
		}
		return;
	}
	for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
		const char *text = node_text(place, item);
		if (text != NULL) {
			add(place, item, text, into);
		}
	}
}
