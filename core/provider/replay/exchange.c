/* Recorded exchanges, read and replayed: see exchange.h. */
#include "core/provider/replay/exchange.h"

#include "core/base/text.h"
#include "core/provider/replay/recorded.h"

#include <errno.h>
#include <string.h>

/* What all cuts of one exchange may feed together: a few seconds' worth. */
#define FED_MOST ((size_t)1 << 30)

void exchange_destroy(struct exchange *exchange) {
	if (exchange != NULL) {
		exchange_lines_finish(&exchange->lines);
		free(exchange->path);
		free(exchange->base_url);
		free(exchange);
	}
}

void exchange_report_finish(struct exchange_report *report) {
	buf_finish(&report->faults);
	buf_finish(&report->notes);
	buf_finish(&report->requests);
	buf_finish(&report->view);
}

static bool wrong(const struct exchange *exchange, const struct exchange_line *line,
		struct fail *fail, const char *what) {
	return fail_set(fail, EINVAL, "%s:%d: %s %s: %s", exchange->path, line->number, line->key,
			line->value, what);
}

/* ---- what is asked, and replied ---- */

/* Cuts a value after its first word; the rest, or NULL when there is none. */
static char *cut_word(char *value) {
	char *blank = strchr(value, ' ');
	if (blank != NULL) {
		*blank = '\0';
	}
	return blank != NULL && blank[1] != '\0' ? blank + 1 : NULL;
}

static bool take_reply(struct exchange *exchange, struct exchange_line *line, struct fail *fail) {
	int64_t status = 0;
	cleanup_free char *value = strdup(line->value);
	char *type = value != NULL ? cut_word(value) : NULL;
	if (type == NULL || cut_word(type) == NULL || !parse_int64(value, &status) || status < 0 ||
			status > 599) {
		return wrong(exchange, line, fail, "takes a status, a type and a file beside it");
	}
	/* "200 text/plain name": the type lies in the line's own memory. */
	char *own_type = cut_word(line->value);
	cut_word(own_type);
	exchange->replies[exchange->script.n_exchanges++] = (struct replay_exchange){
			.status = (int)status,
			.content_type = own_type,
			.body = buf_string(&line->file),
			.size = line->file.size,
	};
	return true;
}

static bool take_setting(struct exchange *exchange, struct exchange_line *line, struct fail *fail) {
	char *value = cut_word(line->value);
	if (value == NULL) {
		return wrong(exchange, line, fail, "takes a name and a value");
	}
	exchange->settings[exchange->turn.n_settings++] = (struct conduit_setting){
			.name = line->value,
			.value = value,
			.size = strlen(value),
	};
	return true;
}

static bool take_turn(struct exchange *exchange, struct exchange_line *line, struct fail *fail) {
	char *blank = strrchr(line->value, ' ');
	if (blank == NULL) {
		return wrong(exchange, line, fail, "takes a model and a capability");
	}
	*blank = '\0';
	exchange->turn.model = line->value;
	exchange->turn.capability = blank + 1;
	return true;
}

static void take_message(
		struct exchange *exchange, enum conduit_role role, const char *bytes, size_t size) {
	size_t n = exchange->turn.n_messages++;
	exchange->files[n] = (struct replay_file){bytes, size};
	exchange->parts[n] = (struct conduit_part){
			.file = (uint32_t)n, .type = "text/plain", .name = "", .bytes = size};
	exchange->messages[n] = (struct conduit_message){role, &exchange->parts[n], 1};
}

static bool take_line(struct exchange *exchange, struct exchange_line *line, struct fail *fail) {
	static const struct {
		const char *key;
		enum conduit_role role;
	} roles[] = {{"system", CONDUIT_SYSTEM}, {"user", CONDUIT_USER},
			{"assistant", CONDUIT_ASSISTANT}};
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(line->key, roles[i].key) == 0) {
			take_message(exchange, roles[i].role, line->value, strlen(line->value));
			return true;
		}
	}
	if (strcmp(line->key, "reply") == 0) {
		return take_reply(exchange, line, fail);
	}
	if (strcmp(line->key, "set") == 0) {
		return take_setting(exchange, line, fail);
	}
	if (strcmp(line->key, "turn") == 0) {
		return take_turn(exchange, line, fail);
	}
	if (strcmp(line->key, "base_url") == 0) {
		exchange->script.base_url = line->value;
	} else if (strcmp(line->key, "discover") == 0) {
		exchange->is_discovery = true;
	} else if (strcmp(line->key, "look_up") == 0) {
		exchange->is_discovery = true;
		exchange->look_up = line->value;
	}
	return true;
}

/* The prompt is the last message wherever its line stands. */
static void take_prompt(struct exchange *exchange) {
	const char *bytes = "";
	size_t size = 0;
	for (size_t i = 0; i < exchange->lines.n; i++) {
		const struct exchange_line *line = &exchange->lines.lines[i];
		if (strcmp(line->key, "prompt") == 0) {
			bytes = line->value;
			size = strlen(bytes);
		} else if (strcmp(line->key, "prompt_file") == 0) {
			bytes = buf_string(&line->file);
			size = line->file.size;
		}
	}
	take_message(exchange, CONDUIT_USER, bytes, size);
}

/* What goes along with the prompt, in the order of its lines. */
static bool take_attachments(struct exchange *exchange, struct fail *fail) {
	size_t n = exchange->turn.n_messages;
	struct conduit_message *prompt = &exchange->messages[n - 1];
	for (size_t i = 0; i < exchange->lines.n; i++) {
		struct exchange_line *line = &exchange->lines.lines[i];
		if (strcmp(line->key, "attach") != 0) {
			continue;
		}
		const char *name = cut_word(line->value);
		if (name == NULL || strchr(line->value, '/') == NULL) {
			return wrong(exchange, line, fail, "takes a type and a file beside it");
		}
		exchange->files[n] = (struct replay_file){buf_string(&line->file), line->file.size};
		exchange->parts[n] = (struct conduit_part){.file = (uint32_t)n,
				.type = line->value,
				.name = name,
				.bytes = line->file.size};
		prompt->n_parts++;
		n++;
	}
	exchange->script.n_files = n;
	return true;
}

static bool prepare(struct exchange *exchange, struct fail *fail) {
	exchange->turn.messages = exchange->messages;
	exchange->turn.settings = exchange->settings;
	exchange->script.base_url = exchange->base_url;
	exchange->script.exchanges = exchange->replies;
	exchange->script.files = exchange->files;
	for (size_t i = 0; i < exchange->lines.n; i++) {
		if (!take_line(exchange, &exchange->lines.lines[i], fail)) {
			return false;
		}
	}
	take_prompt(exchange);
	if (!take_attachments(exchange, fail)) {
		return false;
	}
	return exchange->is_discovery || exchange->turn.model != NULL ||
	       fail_set(fail, EINVAL, "%s: neither \"turn\" nor \"discover\" nor \"look_up\"",
			       exchange->path);
}

struct exchange *exchange_read(const char *path, const char *base_url, struct fail *fail) {
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange != NULL) {
		exchange->path = strdup(path);
		exchange->base_url = strdup(base_url != NULL ? base_url : "");
	}
	if (exchange == NULL || exchange->path == NULL || exchange->base_url == NULL) {
		fail_set(fail, ENOMEM, "%s: no memory", path);
	} else if (exchange_lines_read(&exchange->lines, path, fail) &&
			exchange_lines_read_named(&exchange->lines, path, fail) &&
			prepare(exchange, fail)) {
		return exchange;
	}
	exchange_destroy(exchange);
	return NULL;
}

const char *exchange_base_url(const struct exchange *exchange) {
	return exchange->script.base_url;
}

const char *exchange_capability(const struct exchange *exchange) {
	return exchange->is_discovery ? NULL : exchange->turn.capability;
}

/* ---- replaying ---- */

static void run(const struct exchange *exchange, const struct conduit_provider *provider,
		enum replay_cut cut, size_t at, struct replay *ret) {
	struct replay_script script = exchange->script;
	script.cut = cut;
	script.at = at;
	if (exchange->look_up != NULL) {
		replay_look_up(ret, provider, &script, exchange->look_up);
	} else if (exchange->is_discovery) {
		replay_discover(ret, provider, &script);
	} else {
		replay_transform(ret, provider, &script, &exchange->turn);
	}
}

/* The same again, cut: a fault's words say where. True when there was none. */
static bool run_cut(const struct exchange *exchange, const struct conduit_provider *provider,
		enum replay_cut cut, size_t at, struct exchange_report *report) {
	struct replay replay;
	cleanup_buf struct buf faults = {0};
	run(exchange, provider, cut, at, &replay);
	exchange_expect(exchange, &replay, &faults);
	replay_finish(&replay);
	report->replays++;
	if (faults.size == 0) {
		return true;
	}
	size_t first = strcspn(buf_string(&faults), "\n");
	buf_add_format(&report->faults, "%.*s", (int)first, buf_string(&faults));
	if (cut == REPLAY_BYTES) {
		buf_add_string(&report->faults, " (when the replies come byte by byte)\n");
	} else {
		buf_add_format(&report->faults, " (when a reply comes in two pieces, cut at %zu)\n",
				at);
	}
	return false;
}

static void run_cuts(const struct exchange *exchange, const struct conduit_provider *provider,
		struct exchange_report *report) {
	size_t largest = 0, all = 1;
	for (size_t i = 0; i < exchange->script.n_exchanges; i++) {
		size_t size = exchange->replies[i].size;
		largest = size > largest ? size : largest;
		all += size;
	}
	size_t stride = 1 + largest * all / FED_MOST;
	if (stride > 1) {
		buf_add_format(&report->notes, "%s: a long reply, cut at every %zuth byte only\n",
				exchange->path, stride);
	}
	bool good = run_cut(exchange, provider, REPLAY_BYTES, 0, report);
	for (size_t at = 1; good && at < largest; at += stride) {
		good = run_cut(exchange, provider, REPLAY_AT, at, report);
	}
}

bool exchange_replay(const struct exchange *exchange, const struct conduit_provider *provider,
		bool long_view, struct exchange_report *ret) {
	struct replay replay;
	run(exchange, provider, REPLAY_WHOLE, 0, &replay);
	ret->replays++;
	exchange_expect(exchange, &replay, &ret->faults);
	exchange_show(exchange, &replay, long_view, &ret->view);
	for (size_t i = 0; i < replay.n_requests; i++) {
		buf_add_format(&ret->requests, "%s %s\n", replay.requests[i].method,
				replay.requests[i].url);
	}
	bool asks = replay.n_requests != 0 && strcmp(replay.requests[0].method, "RUN") != 0;
	replay_finish(&replay);
	if (ret->faults.size == 0) {
		run_cuts(exchange, provider, ret);
	}
	if (ret->faults.size == 0 && asks && !exchange->is_discovery) {
		exchange_probe(exchange, provider, ret);
	}
	return ret->faults.size == 0;
}

bool exchange_check(const struct conduit_provider *provider, const char *path, struct fail *fail) {
	struct exchange *exchange = exchange_read(path, NULL, fail);
	if (exchange == NULL) {
		return false;
	}
	struct exchange_report report = {0};
	bool good = exchange_replay(exchange, provider, false, &report) ||
		    fail_set(fail, EINVAL, "%s", buf_string(&report.faults));
	exchange_report_finish(&report);
	exchange_destroy(exchange);
	return good;
}
