/* Structs filled in from a YAML map by a table: a row a field, with its type and range; what is
 * wrong with any of them is added to the faults, and reading goes on. */
#ifndef CORE_CONFIG_YAML_FIELDS_H
#define CORE_CONFIG_YAML_FIELDS_H

#include "core/config/yaml/faults.h"
#include "core/config/yaml/yaml_tree.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a map stands: "providers.local", for words; "" for the file itself. */
struct place {
	struct faults *faults;
	const char *name;
	struct faults *notes; /* what isn't wrong, but has no effect; NULL when nobody asks */
};

enum field_type {
	FIELD_TEXT, /* char *, not empty */
	FIELD_PATH, /* char *, absolute, ~ expanded */
	FIELD_VARIABLE, /* char *, the name of an environment variable */
	FIELD_BOOL, /* bool */
	FIELD_INT, /* int within [least, most] */
	FIELD_SIZE, /* uint64_t bytes within [least, most] */
	FIELD_SECONDS, /* double within [least, most] */
	FIELD_SPECIAL, /* what `read` makes of it */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset; /* of the member in the struct; not for FIELD_SPECIAL */
	double least, most;
	void (*read)(const struct place *place, const struct yaml_node *node, void *into);
};

/* What has no row is a fault, or a note. */
enum unknown_fields { UNKNOWN_REFUSED, UNKNOWN_NOTED };

/* Reads a map (nothing written counts as an empty one) into the struct `into`; strings there are
 * owned by it. Members that the map doesn't name are left as they are. `what` is a field's kind in
 * words: "setting". */
void fields_read(const struct place *place, const struct yaml_node *map, const struct field *fields,
		size_t n_fields, enum unknown_fields unknown, const char *what, void *into);

/* Adds "PLACE.NAME: …" with the node's line. */
void place_fault(const struct place *place, const struct yaml_node *node, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* The same among the notes. */
void place_note(const struct place *place, const struct yaml_node *node, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* The text of a scalar that says something, or NULL with a fault. A type's fault never repeats the
 * value. */
const char *node_text(const struct place *place, const struct yaml_node *node);
/* Replaces the string at `ret` by a copy. */
void node_copy(const struct place *place, const char *text, char **ret);
/* yes no true false on off, as YAML 1.1 has them. */
bool node_bool(const struct place *place, const struct yaml_node *node, bool *ret);
bool node_int(const struct place *place, const struct yaml_node *node, int least, int most,
		int *ret);
/* A list of texts (a single one counts as a list of one), handed to `add` one by one. */
void node_each_text(const struct place *place, const struct yaml_node *node,
		void (*add)(const struct place *place, const struct yaml_node *item,
				const char *text, void *into),
		void *into);
/* [A-Za-z_][A-Za-z0-9_]*, at most 255 bytes. */
bool is_variable_name(const char *text);

#define FIELDS(table) (table), sizeof(table) / sizeof((table)[0])

#endif
