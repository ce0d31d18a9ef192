/* `conduitfs provider exchange`: makes a recorded exchange of a real turn. */
#include "core/base/plain.h"
#include "core/base/text.h"
#include "core/command/exchange_turn.h"
#include "core/command/files.h"
#include "core/command/json_members.h"
#include "core/command/subcommand.h"
#include "core/provider/replay/exchange_line.h"
#include "core/wire/failure_kind.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

/* Longer texts go to files beside the exchange. */
#define INLINE_MOST 2000
/* A member of a request that is longer says little. */
#define MEMBER_MOST 500

struct writing {
	const char *base; /* what all of its files begin with: "tests/hello" */
	const struct recorded_turn *turn;
	struct buf text; /* of the exchange */
	struct buf written; /* paths, a line each */
	size_t replies;
	size_t read; /* of the response */
	struct fail *fail;
};

/* ---- files beside ---- */

static const char *extension_of(const char *type) {
	static const struct {
		const char *type, *extension;
	} known[] = {
			{"text/event-stream", "sse"},
			{"application/json", "json"},
			{"application/x-ndjson", "ndjson"},
			{"text/plain", "txt"},
			{"text/html", "html"},
			{"image/png", "png"},
			{"image/jpeg", "jpg"},
			{"audio/mpeg", "mp3"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(type, known[i].type) == 0) {
			return known[i].extension;
		}
	}
	return "body";
}

/* Writes BASE and `ending`, and gives its name without directories into `ret_name`. */
static bool write_beside(struct writing *writing, const char *ending, const void *bytes,
		size_t size, struct buf *ret_name) {
	cleanup_buf struct buf path = {0};
	buf_add_format(&path, "%s%s", writing->base, ending);
	const char *slash = strrchr(buf_string(&path), '/');
	buf_add_string(ret_name, slash != NULL ? slash + 1 : buf_string(&path));
	if (!file_write_new(buf_string(&path), bytes, size, writing->fail)) {
		return false;
	}
	return buf_add_format(&writing->written, "%s\n", buf_string(&path)) ||
	       fail_set(writing->fail, ENOMEM, "no memory");
}

/* A text on the line itself, or in a file that `KEY_file` names. */
static bool write_text(struct writing *writing, const char *key, const struct buf *text) {
	if (text->size <= INLINE_MOST && utf8_valid(buf_string(text), text->size) &&
			memchr(buf_string(text), '\0', text->size) == NULL) {
		exchange_line_write(&writing->text, key, buf_string(text), text->size);
		return true;
	}
	cleanup_buf struct buf name = {0};
	cleanup_buf struct buf ending = {0};
	buf_add_format(&ending, "-%s.txt", key);
	if (!write_beside(writing, buf_string(&ending), text->data, text->size, &name)) {
		return false;
	}
	return buf_add_format(&writing->text, "%s_file %s\n", key, buf_string(&name));
}

/* ---- what was asked, and replied ---- */

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
	const struct buf *from = strcmp(size, "output") == 0 ? &turn->output : &turn->response;
	size_t at = from == &turn->response ? writing->read : 0;
	if (from == &turn->output) {
		bytes = (int64_t)from->size;
	} else if (!parse_int64(size, &bytes) || bytes < 0 || (size_t)bytes > from->size - at) {
		return fail_set(writing->fail, EINVAL,
				"the turn's response has %zu bytes, and a reply of it %s: it "
				"wasn't kept whole",
				from->size, size);
	}
	writing->read += from == &turn->response ? (size_t)bytes : 0;
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
	if (!write_text(writing, "prompt", &writing->turn->prompt)) {
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

static void write_member(void *data, const char *member, size_t size) {
	struct writing *writing = data;
	if (size <= MEMBER_MOST && memchr(member, '\n', size) == NULL) {
		buf_add_format(&writing->text, "body %.*s\n", (int)size, member);
	}
}

/* The requests, and of the last one's body each member of its object. */
static void write_requests(struct writing *writing) {
	const struct exchange_lines *lines = &writing->turn->lines;
	bool any = false;
	for (size_t i = 0; i < lines->n; i++) {
		if (strcmp(lines->lines[i].key, "request") == 0) {
			any = true;
			exchange_line_write(&writing->text, "request", lines->lines[i].value,
					strlen(lines->lines[i].value));
		}
	}
	if (any) {
		const struct buf *request = &writing->turn->request;
		json_members(buf_string(request), request->size, write_member, writing);
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

static bool write_outcome(struct writing *writing) {
	const struct recorded_turn *turn = writing->turn;
	cleanup_free char *state = flat_value(&turn->status, "state");
	bool failed = state != NULL && strcmp(state, "failed") == 0;
	if (!write_text(writing, "output", &turn->output)) {
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

static void take_back(const struct writing *writing) {
	const char *at = buf_string(&writing->written);
	while (*at != '\0') {
		size_t size = strcspn(at, "\n");
		cleanup_free char *path = strndup(at, size);
		if (path != NULL) {
			unlink(path);
		}
		at += size + 1;
	}
}

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
