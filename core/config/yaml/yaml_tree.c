/* libyaml's events made into a tree: see yaml_tree.h. */
#include "core/config/yaml/yaml_tree.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config/key/secret.h"

#include <string.h>
#include <yaml.h>

struct parse {
	yaml_parser_t parser;
	struct faults *faults;
	size_t n_nodes;
};

/* Frees an event; what it read may be a key. */
static void event_finish(yaml_event_t *event) {
	if (event->type == YAML_SCALAR_EVENT && event->data.scalar.value != NULL) {
		explicit_bzero(event->data.scalar.value, event->data.scalar.length);
	}
	yaml_event_delete(event);
}

#define cleanup_event cleanup(event_finish)

void yaml_tree_destroy(struct yaml_node *node) {
	while (node != NULL) {
		struct yaml_node *next = node->next;
		yaml_tree_destroy(node->first);
		secret_free_string(node->text);
		free(node->name);
		free(node);
		node = next;
	}
}

/* Frees a parser and wipes the buffers through which the text went. */
static void parser_finish(yaml_parser_t *parser) {
	if (parser->raw_buffer.start != NULL) {
		explicit_bzero(parser->raw_buffer.start,
				(size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	}
	if (parser->buffer.start != NULL) {
		explicit_bzero(parser->buffer.start,
				(size_t)(parser->buffer.end - parser->buffer.start));
	}
	yaml_parser_delete(parser);
}

static int line_of(const yaml_mark_t *mark) {
	return (int)mark->line + 1;
}

static bool next_event(struct parse *parse, yaml_event_t *ret) {
	yaml_parser_t *parser = &parse->parser;
	if (yaml_parser_parse(parser, ret)) {
		return true;
	}
	*ret = (yaml_event_t){0};
	const char *problem = parser->problem != NULL ? parser->problem : "not readable as YAML";
	if (parser->error == YAML_MEMORY_ERROR) {
		faults_add_no_memory(parse->faults);
	} else if (parser->error == YAML_READER_ERROR) {
		faults_add(parse->faults, 0, "not YAML: %s, at byte %zu", problem,
				parser->problem_offset);
	} else {
		faults_add(parse->faults, line_of(&parser->problem_mark), "not YAML: %s%s%s",
				problem, parser->context != NULL ? " " : "",
				parser->context != NULL ? parser->context : "");
	}
	return false;
}

/* Takes the bytes out of the event, so that there is no second copy. NULL with a fault for a NUL
 * among them, which would hide what follows it. */
static char *take_text(struct parse *parse, yaml_event_t *event) {
	char *text = (char *)event->data.scalar.value;
	if (strlen(text) != event->data.scalar.length) {
		faults_add(parse->faults, line_of(&event->start_mark), "a value holds a NUL byte");
		return NULL;
	}
	event->data.scalar.value = NULL;
	return text;
}

static struct yaml_node *read_node(struct parse *parse, yaml_event_t *event, int depth);

/* The member's value, after its name was read; NULL with a fault. */
static struct yaml_node *read_member(struct parse *parse, yaml_event_t *name_event, int depth) {
	int line = line_of(&name_event->start_mark);
	if (name_event->type != YAML_SCALAR_EVENT) {
		faults_add(parse->faults, line, "a name must be plain text");
		return NULL;
	}
	cleanup_free char *name = take_text(parse, name_event);
	if (name == NULL) {
		return NULL;
	}
	cleanup_event yaml_event_t event = {0};
	if (!next_event(parse, &event)) {
		return NULL;
	}
	struct yaml_node *node = read_node(parse, &event, depth);
	if (node != NULL) {
		node->line = line;
		node->name = take(name);
	}
	return node;
}

static int compare_names(const void *a, const void *b) {
	const struct yaml_node *one = *(const struct yaml_node *const *)a;
	const struct yaml_node *other = *(const struct yaml_node *const *)b;
	int order = strcmp(one->name, other->name);
	return order != 0 ? order : one->line - other->line;
}

/* Sorted, so that a map of ten thousand names takes no longer than one of ten, a thousand times. */
static bool names_differ(struct parse *parse, const struct yaml_node *map) {
	size_t n = 0;
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		n++;
	}
	cleanup_free const struct yaml_node **nodes = calloc(n + 1, sizeof(*nodes));
	if (nodes == NULL) {
		faults_add_no_memory(parse->faults);
		return false;
	}
	n = 0;
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		nodes[n++] = node;
	}
	qsort(nodes, n, sizeof(*nodes), compare_names);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(nodes[i - 1]->name, nodes[i]->name) == 0) {
			faults_add(parse->faults, nodes[i]->line,
					"'%s' stands here twice, first on line %d", nodes[i]->name,
					nodes[i - 1]->line);
			return false;
		}
	}
	return true;
}

/* Reads members until the list or map ends. */
static bool read_members(struct parse *parse, struct yaml_node *into, int depth) {
	struct yaml_node **end = &into->first;
	for (;;) {
		cleanup_event yaml_event_t event = {0};
		if (!next_event(parse, &event)) {
			return false;
		}
		if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
			return into->kind == YAML_KIND_LIST || names_differ(parse, into);
		}
		*end = into->kind == YAML_KIND_MAP ? read_member(parse, &event, depth)
						   : read_node(parse, &event, depth);
		if (*end == NULL) {
			return false;
		}
		end = &(*end)->next;
	}
}

static bool node_allowed(struct parse *parse, const yaml_event_t *event, int depth) {
	int line = line_of(&event->start_mark);
	bool anchored = event->type == YAML_ALIAS_EVENT ||
			(event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor != NULL) ||
			(event->type == YAML_SEQUENCE_START_EVENT &&
					event->data.sequence_start.anchor != NULL) ||
			(event->type == YAML_MAPPING_START_EVENT &&
					event->data.mapping_start.anchor != NULL);
	if (anchored) {
		faults_add(parse->faults, line,
				"anchors (&) and aliases (*) are not accepted: write the value "
				"out, "
				"or put it in quotes");
		return false;
	}
	if (depth > YAML_DEPTH_MOST || ++parse->n_nodes > YAML_NODES_MOST) {
		faults_add(parse->faults, line, "%s: at most %d are accepted",
				depth > YAML_DEPTH_MOST ? "nested too deeply" : "too many values",
				depth > YAML_DEPTH_MOST ? YAML_DEPTH_MOST : YAML_NODES_MOST);
		return false;
	}
	return true;
}

static struct yaml_node *read_node(struct parse *parse, yaml_event_t *event, int depth) {
	if (!node_allowed(parse, event, depth)) {
		return NULL;
	}
	cleanup_yaml_tree struct yaml_node *node = calloc(1, sizeof(*node));
	if (node == NULL) {
		faults_add_no_memory(parse->faults);
		return NULL;
	}
	node->line = line_of(&event->start_mark);
	if (event->type == YAML_SCALAR_EVENT) {
		node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		node->text = take_text(parse, event);
		return node->text != NULL ? take(node) : NULL;
	}
	node->kind = event->type == YAML_MAPPING_START_EVENT ? YAML_KIND_MAP : YAML_KIND_LIST;
	return read_members(parse, node, depth + 1) ? take(node) : NULL;
}

/* From the stream's start to its end: nothing, or one document. */
static struct yaml_node *read_stream(struct parse *parse) {
	cleanup_yaml_tree struct yaml_node *root = NULL;
	bool begun = false;
	for (;;) {
		cleanup_event yaml_event_t event = {0};
		if (!next_event(parse, &event)) {
			return NULL;
		}
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (begun) {
				faults_add(parse->faults, line_of(&event.start_mark),
						"a second document ('---'): only one is accepted");
				return NULL;
			}
			begun = true;
			break;
		case YAML_STREAM_END_EVENT:
			return take(root);
		default:
			root = read_node(parse, &event, 1);
			if (root == NULL) {
				return NULL;
			}
			break;
		}
	}
}

struct yaml_node *yaml_tree_parse(const char *text, size_t size, struct faults *faults) {
	struct parse parse = {.faults = faults};
	if (size > YAML_BYTES_MOST) {
		faults_add(faults, 0, "%zu bytes, at most %zu are accepted", size, YAML_BYTES_MOST);
		return NULL;
	}
	if (!yaml_parser_initialize(&parse.parser)) {
		faults_add_no_memory(faults);
		return NULL;
	}
	yaml_parser_set_encoding(&parse.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parse.parser, (const unsigned char *)text, size);
	struct yaml_node *root = read_stream(&parse);
	parser_finish(&parse.parser);
	return root;
}

bool yaml_tree_read(const char *path, struct faults *faults, struct yaml_node **ret,
		struct fail *fail) {
	cleanup_secret_buf struct buf text = {0};
	if (!file_read(path, YAML_BYTES_MOST, &text, fail)) {
		return false;
	}
	*ret = yaml_tree_parse(buf_string(&text), text.size, faults);
	return true;
}

const struct yaml_node *yaml_tree_get(const struct yaml_node *map, const char *name) {
	if (map == NULL || map->kind != YAML_KIND_MAP) {
		return NULL;
	}
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		if (strcmp(node->name, name) == 0) {
			return node;
		}
	}
	return NULL;
}

bool yaml_node_is_null(const struct yaml_node *node) {
	if (node == NULL) {
		return true;
	}
	return node->kind == YAML_KIND_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
			       strcasecmp(node->text, "null") == 0);
}
