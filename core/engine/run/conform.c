/* Holding an answer against config/schema once it is whole. Private: see run.h. */
#include "core/config/json_schema.h"
#include "core/engine/run/run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Structured answers are small; checking is done at once. */
#define CHECKED_MOST ((uint64_t)1 << 20)

bool output_conforms(struct run *run, const char *finish, struct fail *fail) {
	const char *schema = run_setting(run, "schema");
	uint64_t size = run->turn->row.output_size;
	/* Calls of tools have their own form; sound and pictures have none of this kind. */
	if (schema[0] == '\0' || !run->text || !results_plain(&run->results) ||
			strcmp(finish, "tool_calls") == 0) {
		return true;
	}
	if (size > CHECKED_MOST) {
		return fail_set(fail, EPROTO,
				"the output can't be checked against config/schema: it has %llu "
				"bytes, "
				"at most %llu are read",
				(unsigned long long)size, (unsigned long long)CHECKED_MOST);
	}
	cleanup_free char *text = malloc(size + 1);
	int fd = size > 0 ? turn_open_file(run->turn, TURN_OUTPUT, false) : -1;
	if (text == NULL || (size > 0 && pread(fd, text, size, 0) != (ssize_t)size)) {
		return fail_set(fail, EIO, "the output can't be read to be checked: %s",
				strerror(text == NULL ? ENOMEM : errno));
	}
	return json_schema_check(schema, text, size, fail);
}
