/* `conduitfs provider exchange`: makes a recorded exchange of a real turn. */
#include "core/base/plain.h"
#include "core/base/text.h"
#include "core/command/exchange_write.h"
#include "core/command/json_members.h"
#include "core/command/subcommand.h"
#include "core/provider/replay/exchange_line.h"
#include "core/wire/failure_kind.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

/* A member of a request that is longer says little. */
#define MEMBER_MOST 500
/* How the last word of a reply begins whose body went to a further result. */
#define RESULT "result"

/* ---- what was asked, and replied ---- */

/* The bytes of a reply that went to a further result: they are in its file. */
static bool read_result(struct writing *writing, const char *size, struct buf *ret) {
	int64_t number = 0;
	const struct exchange_line *line = NULL;
	if (parse_int64(size + strlen(RESULT), &number) && number > 0) {
		line = recorded_turn_line(writing->turn, "artifact", (size_t)number);
	}
	const char *name = line != NULL ? strchr(line->value, ' ') : NULL;
	if (name == NULL) {
		return fail_set(writing->fail, EINVAL,
				"the turn's exchange has a reply to a result that wasn't kept");
	}
	cleanup_buf struct buf path = {0};
	bool output = strcmp(name, " output") == 0;
	buf_add_format(&path, "%s%s", output ? "" : "artifacts/", name + 1);
	return recorded_turn_file(writing->turn, buf_string(&path), ret, writing->fail);
}

/* "200 text/event-stream 1503": the body goes to a file, which takes the size's place. */
static bool write_reply(struct writing *writing, const struct exchange_line *line) {
	char status[8];
	char type[128];
	char size[32];
	int64_t bytes = 0;
	const struct recorded_turn *turn = writing->turn;
	if (sscanf(line->value, "%7s %127s %31s", status, type, size) != 3) {
		return fail_set(writing->fail, EINVAL, "the turn's exchange has a reply '%s'",
				line->value);
	}
	cleanup_buf struct buf result = {0};
	bool whole = strcmp(size, "output") == 0 || starts_with(size, RESULT);
	const struct buf *from = strcmp(size, "output") == 0 ? &turn->output
				 : whole		     ? &result
							     : &turn->response;
	size_t at = whole ? 0 : writing->read;
	if (from == &result && !read_result(writing, size, &result)) {
		return false;
	}
	if (whole) {
		bytes = (int64_t)from->size;
	} else if (!parse_int64(size, &bytes) || bytes < 0 || (size_t)bytes > from->size - at) {
		return fail_set(writing->fail, EINVAL,
				"the turn's response has %zu bytes, and a reply of it %s: it "
				"wasn't kept whole",
				from->size, size);
	}
	writing->read += whole ? 0 : (size_t)bytes;
	cleanup_buf struct buf name = {0};
	cleanup_buf struct buf ending = {0};
	writing->replies++;
	if (writing->replies > 1) {
		buf_add_format(&ending, "-%zu", writing->replies);
	}
	buf_add_format(&ending, ".%s", extension_of(type));
	if (!write_beside(writing, buf_string(&ending), buf_string(from) + at, (size_t)bytes,
			    &name)) {
		return false;
	}
	return buf_add_format(&writing->text, "reply %s %s %s\n", status, type, buf_string(&name));
}

/* The prompt, and what went along with it. */
static bool write_prompt(struct writing *writing) {
	const struct recorded_turn *turn = writing->turn;
	const struct exchange_line *line = recorded_turn_line(turn, "asked", 1);
	if (line != NULL && !write_file(writing, "attach", line->value, "prompt", 0, "prompt")) {
		return false;
	}
	if (line == NULL && !write_text(writing, "prompt", &turn->prompt, "text/plain")) {
		return false;
	}
	while ((line = recorded_turn_line(turn, "attach", writing->attached + 1)) != NULL) {
		cleanup_buf struct buf path = {0};
		size_t size = strcspn(line->value, " ");
		cleanup_free char *type = strndup(line->value, size);
		buf_add_format(&path, "attachments/%s", line->value + size + 1);
		if (type == NULL || !write_file(writing, "attach", type, "attach",
						    ++writing->attached, buf_string(&path))) {
			return false;
		}
	}
	return true;
}

/* What the provider was handed, then the replies. */
static bool write_asked(struct writing *writing) {
	static const char *const handed[] = {"base_url", "turn", "set", "system"};
	const struct exchange_lines *lines = &writing->turn->lines;
	for (size_t i = 0; i < lines->n; i++) {
		const struct exchange_line *line = &lines->lines[i];
		for (size_t j = 0; j < sizeof(handed) / sizeof(handed[0]); j++) {
			if (strcmp(line->key, handed[j]) == 0) {
				exchange_line_write(&writing->text, line->key, line->value,
						strlen(line->value));
			}
		}
	}
	buf_add(&writing->text, buf_string(&writing->turn->conversation),
			writing->turn->conversation.size);
	if (!write_prompt(writing)) {
		return false;
	}
	for (size_t i = 0; i < lines->n; i++) {
		if (strcmp(lines->lines[i].key, "reply") == 0 &&
				!write_reply(writing, &lines->lines[i])) {
			return false;
		}
	}
	return true;
}

/* ---- what must come of it ---- */

/* Files that go along have other names in the exchange. */
static bool names_attached(const struct recorded_turn *turn, const char *member, size_t size) {
	const struct exchange_line *line;
	for (size_t n = 1; (line = recorded_turn_line(turn, "attach", n)) != NULL; n++) {
		const char *name = strchr(line->value, ' ');
		if (name != NULL && memmem(member, size, name + 1, strlen(name + 1)) != NULL) {
			return true;
		}
	}
	return false;
}

static void write_member(void *data, const char *member, size_t size) {
	struct writing *writing = data;
	if (size <= MEMBER_MOST && memchr(member, '\n', size) == NULL &&
			!names_attached(writing->turn, member, size)) {
		buf_add_format(&writing->text, "body %.*s\n", (int)size, member);
	}
}

/* The requests, and of that whose body is known each member of its object. */
static void write_requests(struct writing *writing) {
	const struct recorded_turn *turn = writing->turn;
	const struct exchange_lines *lines = &turn->lines;
	const struct exchange_line *last = NULL, *line;
	for (size_t n = 1; (line = recorded_turn_line(turn, "body", n)) != NULL; n++) {
		last = line;
	}
	for (size_t i = 0; i < lines->n; i++) {
		line = &lines->lines[i];
		if (strcmp(line->key, "request") == 0) {
			exchange_line_write(&writing->text, "request", line->value,
					strlen(line->value));
		} else if (line == last) {
			json_members(buf_string(&turn->request), turn->request.size, write_member,
					writing);
		}
	}
}

static void write_fact(
		struct writing *writing, const struct buf *file, const char *key, const char *as) {
	cleanup_free char *value = flat_value(file, key);
	if (value != NULL && value[0] != '\0') {
		exchange_line_write(&writing->text, as, value, strlen(value));
	}
}

static void write_usage(struct writing *writing) {
	static const char *const counts[] = {
			"prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens"};
	const struct buf *usage = &writing->turn->usage;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		write_fact(writing, usage, counts[i], counts[i]);
	}
	/* A cost that was computed is none of the provider's. */
	cleanup_free char *source = flat_value(usage, "source");
	if (source != NULL && strcmp(source, "reported") == 0) {
		write_fact(writing, usage, "cost", "cost");
	}
}

/* "EBUSY: slow down (HTTP 429)". */
static bool write_failure(struct writing *writing) {
	const char *error = buf_string(&writing->turn->error);
	size_t size = strcspn(error, ":");
	for (unsigned kind = 0; kind < FAILURE_KINDS; kind++) {
		const char *name = errno_name(failure_kind_errno(kind));
		if (strlen(name) == size && strncmp(name, error, size) == 0) {
			const char *words = error + size + (error[size] == ':' ? 1 : 0);
			words += *words == ' ' ? 1 : 0;
			buf_add_format(&writing->text, "fail %s\n", failure_kind_name(kind));
			if (*words != '\0') {
				exchange_line_write(&writing->text, "words", words,
						strcspn(words, "\n"));
			}
			return true;
		}
	}
	return fail_set(writing->fail, EINVAL, "it failed, but not by what a provider says: %s",
			error);
}

static void write_answered_by(struct writing *writing) {
	cleanup_free char *model = flat_value(&writing->turn->status, "model");
	const struct exchange_lines *lines = &writing->turn->lines;
	for (size_t i = 0; model != NULL && i < lines->n; i++) {
		const char *value = lines->lines[i].value;
		size_t length = strlen(model);
		bool asked = strncmp(value, model, length) == 0 && value[length] == ' ' &&
			     strchr(value + length + 1, ' ') == NULL;
		if (strcmp(lines->lines[i].key, "turn") == 0 && !asked && length != 0) {
			exchange_line_write(&writing->text, "answered_by", model, length);
		}
	}
}

/* Whether its results are files that a program wrote: none is the provider's own word. */
static bool is_of_programs(const struct recorded_turn *turn) {
	const struct exchange_line *line;
	for (size_t n = 1; (line = recorded_turn_line(turn, "request", n)) != NULL; n++) {
		if (starts_with(line->value, "RUN ") && strstr(line->value, " {result ") != NULL) {
			return true;
		}
	}
	return false;
}

/* The output, and the further results in their order. */
static bool write_results(struct writing *writing) {
	const struct recorded_turn *turn = writing->turn;
	if (is_of_programs(turn)) {
		return true;
	}
	cleanup_free char *told = flat_value(&turn->status, "type");
	const struct exchange_line *line = recorded_turn_line(turn, "type", 1);
	if (told == NULL || !write_text(writing, "output", &turn->output,
					    told[0] != '\0' ? told : "text/plain")) {
		return false;
	}
	if (line != NULL) {
		exchange_line_write(&writing->text, "type", line->value, strlen(line->value));
	}
	for (size_t n = 1; (line = recorded_turn_line(turn, "artifact", n)) != NULL; n++) {
		size_t size = strcspn(line->value, " ");
		cleanup_free char *type = strndup(line->value, size);
		cleanup_buf struct buf path = {0};
		buf_add_format(&path, "artifacts/%s", line->value + size + 1);
		if (type == NULL) {
			return fail_set(writing->fail, ENOMEM, "no memory");
		}
		if (strcmp(line->value + size, " output") == 0) {
			exchange_line_write(&writing->text, "type", type, strlen(type));
		} else if (!write_file(writing, "artifact", type, "artifact", ++writing->artifacts,
					   buf_string(&path))) {
			return false;
		}
	}
	return true;
}

static bool write_outcome(struct writing *writing) {
	const struct recorded_turn *turn = writing->turn;
	cleanup_free char *state = flat_value(&turn->status, "state");
	bool failed = state != NULL && strcmp(state, "failed") == 0;
	if (!write_results(writing)) {
		return false;
	}
	if (turn->reasoning.size != 0 && turn->reasoning.size <= INLINE_MOST) {
		exchange_line_write(&writing->text, "reasoning", buf_string(&turn->reasoning),
				turn->reasoning.size);
	}
	write_usage(writing);
	if (failed) {
		return write_failure(writing);
	}
	write_fact(writing, &turn->status, "finish", "finish");
	write_answered_by(writing);
	return true;
}

/* ---- the whole ---- */

static bool write_exchange(struct writing *writing, const char *directory) {
	cleanup_free char *shown = plain_text(directory, strlen(directory), 4096, false);
	buf_add_format(&writing->text, "# Recorded: %s\n", shown != NULL ? shown : "");
	if (!write_asked(writing)) {
		return false;
	}
	write_requests(writing);
	cleanup_buf struct buf name = {0};
	return write_outcome(writing) &&
	       (!writing->text.failed || fail_set(writing->fail, ENOMEM, "no memory")) &&
	       write_beside(writing, ".exchange", writing->text.data, writing->text.size, &name);
}

static int record(const char *directory, const char *base) {
	cleanup_fail struct fail fail = {0};
	struct recorded_turn *turn = calloc(1, sizeof(*turn));
	if (turn == NULL) {
		fail_set(&fail, ENOMEM, "no memory");
		return failure(&fail);
	}
	struct writing writing = {.base = base, .turn = turn, .fail = &fail};
	bool good = recorded_turn_read(turn, directory, &fail) &&
		    write_exchange(&writing, directory);
	if (good) {
		printf("%s"
		       "Look through them before you publish them: prompts, answers and settings "
		       "are yours.\n",
				buf_string(&writing.written));
	} else {
		take_back(&writing);
	}
	buf_finish(&writing.text);
	buf_finish(&writing.written);
	recorded_turn_finish(turn);
	free(turn);
	return good ? COMMAND_DONE : failure(&fail);
}

static int run(const struct subcommand *subcommand, int argc, char **argv) {
	static const struct option longs[] = {{0}};
	int flag = getopt_long(argc, argv, ":", longs, NULL);
	if (flag != -1) {
		return option_error(subcommand, flag, argv);
	}
	if (argc - optind != 2) {
		return usage_error(subcommand, "takes a turn's directory and a name");
	}
	const char *base = argv[optind + 1];
	const char *slash = strrchr(base, '/');
	const char *name = slash != NULL ? slash + 1 : base;
	if (name[0] == '\0' || name[0] == '.' || strpbrk(name, " \n\t") != NULL) {
		return usage_error(subcommand, "'%s' can't be an exchange's name", base);
	}
	return record(argv[optind], base);
}

const struct subcommand subcommand_exchange = {
		.name = "exchange",
		.arguments = "TURN NAME",
		.summary = "Records a turn of the tree as an exchange that check replays",
		.help = "TURN is a turn's directory: "
			"mnt/providers/acme/models/small/turns/000003.\n"
			"Writes NAME.exchange, and beside it the replies that the service gave; a\n"
			"NAME such as tests/hello has them in that directory. Nothing is "
			"overwritten.\n",
		.run = run,
};
