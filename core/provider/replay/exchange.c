/* Recorded exchanges: see exchange.h. */
#include "core/provider/replay/exchange.h"

#include "core/base/text.h"
#include "core/provider/replay/replay.h"

#include <conduit/kit/json.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define LINES_LIMIT 256
#define FILE_LIMIT ((size_t)16 << 20)

struct line {
	int number;
	char *key;
	char *value; /* "" when there is none */
};

struct exchange {
	const char *path;
	struct line lines[LINES_LIMIT];
	size_t n_lines;
	struct conduit_setting settings[LINES_LIMIT];
	struct replay_exchange replies[LINES_LIMIT];
	struct buf bodies[LINES_LIMIT];
	char *types[LINES_LIMIT];
	char *model;
	struct replay_file prompt;
	struct conduit_part part;
	struct conduit_message message;
	struct conduit_turn turn;
	bool is_discovery;
	struct replay_script script;
};

static void exchange_destroy(struct exchange *exchange) {
	for (size_t i = 0; i < exchange->n_lines; i++) {
		free(exchange->lines[i].key);
		free(exchange->lines[i].value);
	}
	for (size_t i = 0; i < exchange->script.n_exchanges; i++) {
		buf_finish(&exchange->bodies[i]);
		free(exchange->types[i]);
	}
	free(exchange->model);
	free(exchange);
}

static bool wrong(const struct exchange *exchange, const struct line *line, struct fail *fail,
		const char *what) {
	return fail_set(fail, EINVAL, "%s:%d: %s %s: %s", exchange->path, line->number, line->key,
			line->value, what);
}

static bool read_file(struct buf *out, const char *path, struct fail *fail) {
	cleanup_fclose FILE *file = fopen(path, "re");
	if (file == NULL) {
		return fail_set(fail, errno, "%s: %s", path, strerror(errno));
	}
	out->limit = FILE_LIMIT;
	char chunk[4096];
	size_t size;
	while ((size = fread(chunk, 1, sizeof(chunk), file)) != 0) {
		if (!buf_add(out, chunk, size)) {
			return fail_set(fail, EFBIG, "%s: larger than 16 MiB", path);
		}
	}
	return ferror(file) == 0 || fail_set(fail, EIO, "%s: can't be read", path);
}

/* A value as it stands, or decoded where it is a JSON string. NULL when it is a broken one. */
static char *decode(const char *value) {
	if (value[0] != '"') {
		return trimmed(value, strlen(value));
	}
	struct conduit_json *json = conduit_json_parse(value, strlen(value));
	const char *string = conduit_json_string(json, NULL);
	char *copy = string != NULL ? strdup(string) : NULL;
	conduit_json_free(json);
	return copy;
}

static bool add_line(struct exchange *exchange, int number, const char *text, size_t size,
		struct fail *fail) {
	if (size == 0 || text[0] == '#') {
		return true;
	}
	if (exchange->n_lines == LINES_LIMIT) {
		return fail_set(fail, EFBIG, "%s: more than %d lines", exchange->path, LINES_LIMIT);
	}
	const char *blank = memchr(text, ' ', size);
	size_t key_size = blank != NULL ? (size_t)(blank - text) : size;
	const char *value = blank != NULL ? blank + 1 : text + size;
	cleanup_free char *raw = strndup(value, size - (size_t)(value - text));
	struct line *line = &exchange->lines[exchange->n_lines];
	line->number = number;
	line->key = strndup(text, key_size);
	/* What a request must hold is JSON itself, and isn't decoded. */
	bool verbatim = line->key != NULL && strcmp(line->key, "body") == 0;
	line->value = raw == NULL ? NULL : verbatim ? strdup(raw) : decode(raw);
	exchange->n_lines++;
	return (line->key != NULL && line->value != NULL) ||
	       fail_set(fail, EINVAL, "%s:%d: the value isn't a JSON string", exchange->path,
			       number);
}

static bool read_lines(struct exchange *exchange, struct fail *fail) {
	cleanup_buf struct buf text = {0};
	if (!read_file(&text, exchange->path, fail)) {
		return false;
	}
	const char *at = buf_string(&text);
	for (int number = 1; *at != '\0'; number++) {
		size_t size = strcspn(at, "\n");
		if (!add_line(exchange, number, at, size, fail)) {
			return false;
		}
		at += size + (at[size] == '\n' ? 1 : 0);
	}
	return true;
}

/* ---- what is asked, and replied ---- */

static bool take_reply(struct exchange *exchange, const struct line *line, struct fail *fail) {
	size_t n = exchange->script.n_exchanges;
	char name[256];
	char type[128];
	char code[8];
	int64_t status;
	if (sscanf(line->value, "%7s %127s %255s", code, type, name) != 3 ||
			!parse_int64(code, &status) || strchr(name, '/') != NULL) {
		return wrong(exchange, line, fail, "takes a status, a type and a file beside it");
	}
	const char *slash = strrchr(exchange->path, '/');
	cleanup_buf struct buf path = {0};
	buf_add(&path, exchange->path, slash != NULL ? (size_t)(slash - exchange->path) + 1 : 0);
	buf_add_string(&path, name);
	exchange->types[n] = strdup(type);
	exchange->script.n_exchanges++;
	if (exchange->types[n] == NULL ||
			!read_file(&exchange->bodies[n], buf_string(&path), fail)) {
		return false;
	}
	exchange->replies[n] = (struct replay_exchange){
			.status = (int)status,
			.content_type = exchange->types[n],
			.body = buf_string(&exchange->bodies[n]),
			.size = exchange->bodies[n].size,
	};
	return true;
}

static bool take_setting(struct exchange *exchange, const struct line *line, struct fail *fail) {
	char *blank = strchr(line->value, ' ');
	if (blank == NULL) {
		return wrong(exchange, line, fail, "takes a name and a value");
	}
	*blank = '\0';
	exchange->settings[exchange->turn.n_settings++] = (struct conduit_setting){
			.name = line->value,
			.value = blank + 1,
			.size = strlen(blank + 1),
	};
	return true;
}

static bool take_turn(struct exchange *exchange, const struct line *line, struct fail *fail) {
	exchange->model = strdup(line->value);
	char *blank = exchange->model != NULL ? strrchr(exchange->model, ' ') : NULL;
	if (blank == NULL) {
		return wrong(exchange, line, fail, "takes a model and a capability");
	}
	*blank = '\0';
	exchange->turn.model = exchange->model;
	exchange->turn.capability = blank + 1;
	return true;
}

static bool take_line(struct exchange *exchange, const struct line *line, struct fail *fail) {
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
	} else if (strcmp(line->key, "prompt") == 0) {
		exchange->prompt = (struct replay_file){line->value, strlen(line->value)};
		exchange->part.bytes = strlen(line->value);
	} else if (strcmp(line->key, "discover") == 0) {
		exchange->is_discovery = true;
	}
	return true;
}

static bool prepare(struct exchange *exchange, struct fail *fail) {
	exchange->prompt = (struct replay_file){"", 0};
	exchange->part = (struct conduit_part){.type = "text/plain", .name = ""};
	exchange->message = (struct conduit_message){CONDUIT_USER, &exchange->part, 1};
	exchange->turn.messages = &exchange->message;
	exchange->turn.n_messages = 1;
	exchange->turn.settings = exchange->settings;
	exchange->script.exchanges = exchange->replies;
	exchange->script.files = &exchange->prompt;
	exchange->script.n_files = 1;
	for (size_t i = 0; i < exchange->n_lines; i++) {
		if (!take_line(exchange, &exchange->lines[i], fail)) {
			return false;
		}
	}
	return exchange->is_discovery || exchange->turn.model != NULL ||
	       fail_set(fail, EINVAL, "%s: neither \"turn\" nor \"discover\"", exchange->path);
}

/* ---- what must come of it ---- */

struct check {
	const struct exchange *exchange;
	const struct line *line;
	const struct replay *replay;
	size_t requests; /* that were looked at: the last one is meant by header and body */
	struct fail *fail;
};

static bool is_text(const struct check *check, const char *was) {
	return strcmp(was != NULL ? was : "", check->line->value) == 0 ||
	       wrong(check->exchange, check->line, check->fail,
			       was != NULL ? was : "there is none");
}

static bool holds(const struct check *check, const char *was) {
	return (was != NULL && strstr(was, check->line->value) != NULL) ||
	       wrong(check->exchange, check->line, check->fail,
			       was != NULL ? was : "there is none");
}

static bool is_number(const struct check *check, double was) {
	char text[64];
	double expected;
	snprintf(text, sizeof(text), "it is %.10g", was);
	bool same = parse_double(check->line->value, &expected) &&
		    fabs(was - expected) <= 1e-9 * fabs(expected);
	return same || wrong(check->exchange, check->line, check->fail, text);
}

static const char *const kinds[] = {"OTHER", "NO_KEY", "BAD_KEY", "UPSTREAM", "FORBIDDEN",
		"MODERATED", "QUOTA", "BUSY", "TOO_LONG", "TIMED_OUT", "MALFORMED", "GONE",
		"INVALID"};

static bool check_request(struct check *check) {
	if (check->requests == check->replay->n_requests) {
		return wrong(check->exchange, check->line, check->fail, "no such request was made");
	}
	const struct replay_request *request = &check->replay->requests[check->requests++];
	cleanup_buf struct buf line = {0};
	buf_add_format(&line, "%s %s", request->method, request->url);
	return is_text(check, buf_string(&line));
}

static bool has_model(const struct check *check) {
	for (size_t i = 0; i < check->replay->n_models; i++) {
		if (strcmp(check->replay->models[i].id, check->line->value) == 0) {
			return true;
		}
	}
	return wrong(check->exchange, check->line, check->fail, "it isn't among the models");
}

static bool has_price(const struct check *check) {
	char id[512];
	char name[64];
	char usd[64];
	double expected;
	if (sscanf(check->line->value, "%511s %63s %63s", id, name, usd) != 3 ||
			!parse_double(usd, &expected)) {
		return wrong(check->exchange, check->line, check->fail,
				"takes a model, a price's name and USD");
	}
	char text[64] = "it isn't among the models";
	for (size_t i = 0; i < check->replay->n_models; i++) {
		if (strcmp(check->replay->models[i].id, id) != 0) {
			continue;
		}
		double was = replay_price(&check->replay->models[i], name);
		if (fabs(was - expected) <= 1e-9 * fabs(expected)) {
			return true;
		}
		snprintf(text, sizeof(text), "it is %.10g", was);
	}
	return wrong(check->exchange, check->line, check->fail, text);
}

static bool check_line(struct check *check) {
	const struct replay *replay = check->replay;
	const struct replay_request *request =
			check->requests != 0 ? &replay->requests[check->requests - 1] : NULL;
	const struct conduit_usage *usage = &replay->usage;
	const struct {
		const char *key;
		double value;
	} numbers[] = {
			{"prompt_tokens", (double)usage->prompt_tokens},
			{"completion_tokens", (double)usage->completion_tokens},
			{"reasoning_tokens", (double)usage->reasoning_tokens},
			{"cached_tokens", (double)usage->cached_tokens},
			{"cost", usage->cost},
			{"models", (double)replay->n_models},
	};
	const struct {
		const char *key;
		const char *value;
		bool in_part;
	} texts[] = {
			{"output", buf_string(&replay->output), false},
			{"reasoning", buf_string(&replay->reasoning), false},
			{"finish", replay->finish, false},
			{"answered_by", replay->model, false},
			{"fail", replay->failed ? kinds[replay->kind] : NULL, false},
			{"words", replay->words, true},
			{"header", request != NULL ? request->headers : NULL, true},
			{"body", request != NULL ? request->body : NULL, true},
	};
	const char *key = check->line->key;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(key, numbers[i].key) == 0) {
			return is_number(check, numbers[i].value);
		}
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			return texts[i].in_part ? holds(check, texts[i].value)
						: is_text(check, texts[i].value);
		}
	}
	static const char *const asked[] = {
			"reply", "set", "turn", "base_url", "prompt", "discover"};
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (strcmp(key, asked[i]) == 0) {
			return true;
		}
	}
	return strcmp(key, "request") == 0 ? check_request(check)
	       : strcmp(key, "model") == 0 ? has_model(check)
	       : strcmp(key, "price") == 0 ? has_price(check)
					   : wrong(check->exchange, check->line, check->fail,
							     "there is no such line");
}

static bool check_replay(
		const struct exchange *exchange, const struct replay *replay, struct fail *fail) {
	if (replay->broken != NULL) {
		return fail_set(fail, EINVAL, "%s: %s", exchange->path, replay->broken);
	}
	struct check check = {.exchange = exchange, .replay = replay, .fail = fail};
	bool fails = false;
	for (size_t i = 0; i < exchange->n_lines; i++) {
		check.line = &exchange->lines[i];
		fails = fails || strcmp(check.line->key, "fail") == 0;
		if (!check_line(&check)) {
			return false;
		}
	}
	return fails == replay->failed ||
	       fail_set(fail, EINVAL, "%s: it failed: %s", exchange->path,
			       replay->words != NULL ? replay->words : "");
}

static bool replay_once(const struct exchange *exchange, const struct conduit_provider *provider,
		enum replay_cut cut, size_t at, struct fail *fail) {
	struct replay_script script = exchange->script;
	script.cut = cut;
	script.at = at;
	struct replay replay;
	if (exchange->is_discovery) {
		replay_discover(&replay, provider, &script);
	} else {
		replay_transform(&replay, provider, &script, &exchange->turn);
	}
	bool good = check_replay(exchange, &replay, fail);
	replay_finish(&replay);
	return good;
}

bool exchange_check(const struct conduit_provider *provider, const char *path, struct fail *fail) {
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL) {
		return fail_set(fail, ENOMEM, "memory is short");
	}
	exchange->path = path;
	bool good = read_lines(exchange, fail) && prepare(exchange, fail) &&
		    replay_once(exchange, provider, REPLAY_WHOLE, 0, fail) &&
		    replay_once(exchange, provider, REPLAY_BYTES, 0, fail);
	size_t size = exchange->replies[0].size;
	for (size_t at = 1; good && at < size; at++) {
		good = replay_once(exchange, provider, REPLAY_AT, at, fail);
	}
	exchange_destroy(exchange);
	return good;
}
