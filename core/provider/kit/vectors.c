/* Vectors as output: see vectors.h. NumPy's format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include "core/provider/kit/vectors.h"

#include "core/base/text.h"
#include "core/provider/kit/json/object_forms.h"

#include <conduit/kit/json_items.h>
#include <endian.h>
#include <string.h>

#define NPY_MAGIC "\x93NUMPY\x01\x00"
#define NPY_ALIGNMENT 64

bool vectors_begin(
		struct vectors *vectors, struct conduit_job *job, const struct conduit_turn *turn) {
	const char *format = conduit_setting(turn, "format");
	vectors->npy = format != NULL && strcmp(format, "npy") == 0;
	if (vectors->npy || format == NULL || format[0] == '\0' || strcmp(format, "json") == 0) {
		return true;
	}
	cleanup_buf struct buf words = {0};
	buf_add_format(&words,
			"the setting format is \"%.100s\", and vectors come as json or npy: "
			"correct config/format",
			format);
	conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_INVALID,
					  .words = buf_string(&words)});
	return false;
}

static void add_float(struct buf *out, double value) {
	float narrow = (float)value;
	uint32_t bits;
	memcpy(&bits, &narrow, sizeof(bits));
	bits = htole32(bits);
	buf_add(out, &bits, sizeof(bits));
}

/* A row under way. */
struct row {
	const struct vectors *vectors;
	struct buf *out;
	size_t columns;
	bool wrong;
	int64_t *index;
};

static void take_number(void *data, const char *json, size_t size) {
	struct row *row = data;
	double number;
	if (!form_is_number(json) || !parse_double(json, &number)) {
		row->wrong = true;
	} else if (row->vectors->npy) {
		add_float(row->out, number);
	} else {
		buf_add_byte(row->out, row->columns == 0 ? '[' : ',');
		buf_add(row->out, json, size);
	}
	row->columns++;
}

static void take_member(void *data, const char *name, const char *json, size_t size) {
	struct row *row = data;
	(void)size;
	if (strcmp(name, "index") == 0) {
		parse_int64(json, row->index);
	}
}

bool vectors_row(struct vectors *vectors, const char *json, size_t size, struct buf *out,
		int64_t *ret_index) {
	const char *const names[] = {vectors->member, NULL};
	struct row row = {.vectors = vectors, .out = out, .index = ret_index};
	struct conduit_json_items *items = conduit_json_items_create(&(
			struct conduit_json_items_calls){
			.names = names, .item = take_number, .member = take_member, .data = &row});
	out->failed = out->failed || items == NULL;
	bool whole = items != NULL && conduit_json_items_feed(items, json, size) &&
		     conduit_json_items_state(items) == CONDUIT_ITEMS_WHOLE;
	conduit_json_items_destroy(items);
	if (out->failed) {
		return true;
	}
	if (!whole || row.wrong || row.columns == 0 ||
			(vectors->columns != 0 && row.columns != vectors->columns)) {
		return false;
	}
	vectors->columns = row.columns;
	if (!vectors->npy) {
		buf_add_string(out, "]\n");
	}
	return true;
}

void vectors_head(const struct vectors *vectors, size_t rows, struct buf *out) {
	if (!vectors->npy) {
		return;
	}
	cleanup_buf struct buf head = {0};
	buf_add_format(&head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
			rows, vectors->columns);
	size_t before = strlen("\x93NUMPY") + 4;
	while ((before + head.size + 1) % NPY_ALIGNMENT != 0 && !head.failed) {
		buf_add_byte(&head, ' ');
	}
	buf_add_byte(&head, '\n');
	buf_add(out, NPY_MAGIC, sizeof(NPY_MAGIC) - 1);
	buf_add_byte(out, (char)(head.size & 0xff));
	buf_add_byte(out, (char)(head.size >> 8));
	buf_add(out, buf_string(&head), head.size);
}
