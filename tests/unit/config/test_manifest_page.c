/* docs/manifest.md against the code: every field that is read stands there, with a type and an
 * example that is accepted; nothing else stands there. */
#include "core/config/manifest/manifest_fields.h"

#include "core/base/file.h"
#include "core/base/strings.h"
#include "core/base/text.h"
#include "tests/unit/config/scratch.h"

static struct buf page;

static int read_page(void **state) {
	(void)state;
	return file_read(PAGE, 1 << 20, &page, NULL) ? 0 : -1;
}

static int free_page(void **state) {
	(void)state;
	buf_finish(&page);
	return 0;
}

struct row {
	char field[128], type[128], example[256];
};

/* What stands between the next two backquotes; where it ends. */
static const char *quoted(const char *at, char *ret, size_t size) {
	const char *from = strchr(at, '`');
	assert_non_null(from);
	const char *to = strchr(from + 1, '`');
	assert_non_null(to);
	assert_true((size_t)(to - from) < size);
	snprintf(ret, size, "%.*s", (int)(to - from - 1), from + 1);
	return to + 1;
}

/* The next row of a table of fields at or after `*at`; false when there is none. */
static bool next_row(const char **at, struct row *ret) {
	const char *line = strstr(*at, "\n| `");
	if (line == NULL) {
		return false;
	}
	line++;
	const char *end = strchr(line, '\n');
	assert_non_null(end);
	cleanup_free char *text = strndup(line, (size_t)(end - line));
	const char *rest = quoted(text, ret->field, sizeof(ret->field));
	const char *type = strstr(rest, "| ") + 2;
	snprintf(ret->type, sizeof(ret->type), "%.*s", (int)(strstr(type, " |") - type), type);
	const char *example = strrchr(text, '`');
	while (example[-1] != '`') {
		example--;
	}
	quoted(example - 1, ret->example, sizeof(ret->example));
	*at = end;
	return true;
}

static bool stands_on_page(const char *field, struct row *ret) {
	const char *at = buf_string(&page);
	while (next_row(&at, ret)) {
		if (strcmp(ret->field, field) == 0) {
			return true;
		}
	}
	return false;
}

static const char *type_words(enum field_type type) {
	return type == FIELD_BOOL	? "yes or no"
	       : type == FIELD_INT	? "number"
	       : type == FIELD_VARIABLE ? "variable"
	       : type == FIELD_TEXT	? "text"
					: "";
}

static void every_field_stands_on_the_page_with_its_type(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifest_tables; i++) {
		const struct manifest_table *table = &manifest_tables[i];
		for (size_t j = 0; j < table->n_fields; j++) {
			const struct field *field = &table->fields[j];
			char name[128];
			struct row row;
			snprintf(name, sizeof(name), "%s%s%s", table->place,
					table->place[0] != '\0' ? "." : "", field->name);
			if (!stands_on_page(name, &row)) {
				fail_msg("%s isn't in docs/manifest.md", name);
			}
			if (!starts_with(row.type, type_words(field->type))) {
				fail_msg("%s is called '%s'", name, row.type);
			}
			char bounds[64];
			snprintf(bounds, sizeof(bounds), "number, %.0f to %.0f", field->least,
					field->most);
			if (field->type == FIELD_INT) {
				assert_string_equal(row.type, bounds);
			}
		}
	}
}

static bool is_read(const char *name) {
	for (size_t i = 0; i < n_manifest_tables; i++) {
		const struct manifest_table *table = &manifest_tables[i];
		size_t length = strlen(table->place);
		const char *rest = length == 0 ? name : name + length + 1;
		if (length > 0 && (!starts_with(name, table->place) || name[length] != '.')) {
			continue;
		}
		for (size_t j = 0; j < table->n_fields; j++) {
			if (strcmp(table->fields[j].name, rest) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void every_field_on_the_page_is_read(void **state) {
	(void)state;
	const char *at = buf_string(&page);
	struct row row;
	size_t n = 0;
	while (next_row(&at, &row)) {
		n++;
		if (!is_read(row.field)) {
			fail_msg("'%s' of docs/manifest.md isn't read", row.field);
		}
	}
	assert_true(n > 40);
}

static void assert_accepted(const char *text) {
	struct manifest manifest;
	struct fail fail = {0};
	struct buf notes = {0};
	if (!manifest_read_noting(&manifest, scratch_write("m.yml", text), &notes, &fail)) {
		fail_msg("%s\n%s", text, fail_words(&fail));
	}
	assert_string_equal(buf_string(&notes), "");
	manifest_finish(&manifest);
}

static void every_example_is_accepted(void **state) {
	(void)state;
	static const char *const base[] = {"id: x", "capabilities: [text-to-text]",
			"driver: openai", "models: [a]", NULL};
	const char *at = buf_string(&page);
	struct row row;
	while (next_row(&at, &row)) {
		struct buf text = {0};
		size_t length = strcspn(row.example, ":");
		if (strncmp(row.field, row.example, strcspn(row.field, ".[")) != 0) {
			fail_msg("the example of %s is of another field", row.field);
		}
		buf_add_format(&text, "%s\n", row.example);
		for (size_t i = 0; base[i] != NULL; i++) {
			bool same = strncmp(base[i], row.example, length + 1) == 0;
			bool driver = starts_with(base[i], "driver") &&
				      starts_with(row.example, "sources");
			buf_add_format(&text, "%s\n", same || driver ? "" : base[i]);
		}
		assert_accepted(buf_string(&text));
		buf_finish(&text);
	}
}

static void every_manifest_on_the_page_is_accepted(void **state) {
	(void)state;
	size_t n = 0;
	for (const char *at = buf_string(&page); (at = strstr(at, "```yaml\n")) != NULL; n++) {
		at += strlen("```yaml\n");
		const char *end = strstr(at, "```");
		assert_non_null(end);
		cleanup_free char *text = strndup(at, (size_t)(end - at));
		assert_accepted(text);
		at = end;
	}
	assert_int_equal(n, 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_field_stands_on_the_page_with_its_type),
			cmocka_unit_test(every_field_on_the_page_is_read),
			with_scratch(every_example_is_accepted),
			with_scratch(every_manifest_on_the_page_is_accepted),
	};
	return cmocka_run_group_tests(tests, read_page, free_page);
}
