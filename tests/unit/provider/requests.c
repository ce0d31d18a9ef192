/* Prints what the bundled providers send, a JSON object a line, for requests.py to judge: every way
 * of asking, by every provider that has an official document.
 *
 *     {"provider":"mistral","case":"schema","method":"POST","url":"…","headers":"…","body":"…"} */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A provider and the address that its manifest names. */
static const struct {
	const char *name;
	const char *base_url;
	const char *model;
} services[] = {
		{"openai", "https://api.openai.com/v1", "gpt-x"},
		{"openrouter", "https://openrouter.ai/api/v1", "acme/model"},
		{"anthropic", "https://api.anthropic.com", "claude-x"},
		{"mistral", "https://api.mistral.ai/v1", "mistral-x"},
		{"together", "https://api.together.xyz/v1", "acme/model"},
		{"groq", "https://api.groq.com/openai/v1", "acme/model"},
		{"huggingface", "https://router.huggingface.co/v1", "acme/model"},
};

#define SET(setting, text)                                                                         \
	{ .name = setting, .value = text, .size = sizeof(text) - 1 }
#define SETTINGS(...)                                                                              \
	(const struct conduit_setting[]) {                                                         \
		__VA_ARGS__, {                                                                     \
			0                                                                          \
		}                                                                                  \
	}

#define SCHEMA                                                                                     \
	"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]," \
	"\"additionalProperties\":false}"
#define TOOLS                                                                                      \
	"[{\"type\":\"function\",\"function\":{\"name\":\"look\",\"description\":\"Looks.\","      \
	"\"parameters\":" SCHEMA "}}]"

static const struct replay_file files[] = {{"Say \"hi\"\nthere \x01 é", 19},
		{"\xff\xd8\xff\xe0", 4}, {"%PDF-1.7", 8}, {"RIFF", 4}, {"one\ntwo", 7},
		{"Hello!", 6}, {"query\nfirst\nsecond", 18}};

#define TEXT                                                                                       \
	{ 0, "text/plain", "", 19 }
#define PARTS(...)                                                                                 \
	.parts = (const struct conduit_part[]) {                                                   \
		__VA_ARGS__                                                                        \
	}

static const struct conduit_message plain[] = {{CONDUIT_USER, PARTS(TEXT), .n_parts = 1}};
static const struct conduit_message conversation[] = {
		{CONDUIT_SYSTEM, PARTS({5, "text/plain", "", 6}), .n_parts = 1},
		{CONDUIT_USER, PARTS(TEXT), .n_parts = 1},
		{CONDUIT_ASSISTANT, PARTS({5, "text/plain", "", 6}), .n_parts = 1},
		{CONDUIT_USER, PARTS(TEXT), .n_parts = 1}};
static const struct conduit_message image[] = {
		{CONDUIT_USER, PARTS({1, "image/jpeg", "a.jpg", 4}, TEXT), .n_parts = 2}};
static const struct conduit_message pdf[] = {
		{CONDUIT_USER, PARTS({2, "application/pdf", "a.pdf", 8}, TEXT), .n_parts = 2}};
static const struct conduit_message audio[] = {
		{CONDUIT_USER, PARTS({3, "audio/x-wav", "a.wav", 4}, TEXT), .n_parts = 2}};
static const struct conduit_message lines[] = {
		{CONDUIT_USER, PARTS({4, "text/plain", "", 7}), .n_parts = 1}};
static const struct conduit_message ranking[] = {
		{CONDUIT_USER, PARTS({6, "text/plain", "", 18}), .n_parts = 1}};

static const struct {
	const char *name;
	const char *capability;
	const struct conduit_message *messages;
	size_t n_messages;
	const struct conduit_setting
			*settings; /* ended by one without a name; max_tokens is added */
} cases[] = {
		{"plain", "text-to-text", plain, 1, NULL},
		{"system", "text-to-text", plain, 1, SETTINGS(SET("system", "Be \"brief\"."))},
		{"conversation", "text-to-text", conversation, 4, NULL},
		{"common settings", "text-to-text", plain, 1,
				SETTINGS(SET("temperature", "0.5"), SET("top_p", "0.9"),
						SET("seed", "7"), SET("stop", "END\nSTOP"))},
		{"every setting", "text-to-text", plain, 1,
				SETTINGS(SET("temperature", "0.5"), SET("top_p", "0.9"),
						SET("top_k", "5"), SET("min_p", "0.1"),
						SET("top_a", "0.1"), SET("frequency_penalty", "1"),
						SET("presence_penalty", "1"),
						SET("repetition_penalty", "1"), SET("seed", "7"),
						SET("stop", "END"), SET("logit_bias", "{\"5\": 1}"),
						SET("logprobs", "yes"), SET("top_logprobs", "2"),
						SET("include_reasoning", "yes"),
						SET("verbosity", "low"), SET("tools", TOOLS),
						SET("tool_choice", "auto"),
						SET("parallel_tool_calls", "no"),
						SET("web_search_options", "{}"),
						SET("prediction", "{\"type\":\"content\","
								  "\"content\":\"x\"}"))},
		{"reasoning effort", "text-to-text", plain, 1,
				SETTINGS(SET("reasoning_effort", "high"))},
		{"reasoning", "text-to-text", plain, 1,
				SETTINGS(SET("reasoning", "{\"effort\":\"high\"}"))},
		{"schema", "text-to-text", plain, 1, SETTINGS(SET("schema", SCHEMA))},
		{"tools", "text-to-text", plain, 1,
				SETTINGS(SET("tools", TOOLS), SET("tool_choice", "required"))},
		{"image", "text-to-text", image, 1, NULL},
		{"pdf", "text-to-text", pdf, 1, NULL},
		{"audio", "text-to-text", audio, 1, NULL},
		{"sound", "text-to-text", plain, 1,
				SETTINGS(SET("voice", "alloy"), SET("format", "wav"))},
		{"embedding", "text-to-embedding", plain, 1, NULL},
		{"embeddings", "text-to-embedding", lines, 1, SETTINGS(SET("lines", "yes"))},
		{"ranking", "text-to-rerank", ranking, 1, NULL},
		{"picture", "text-to-image", plain, 1,
				SETTINGS(SET("size", "1024x1024"), SET("n", "2"),
						SET("quality", "high"))},
		{"edit", "text-to-image", image, 1, SETTINGS(SET("size", "1024x1024"))},
		{"speech", "text-to-audio", plain, 1,
				SETTINGS(SET("voice", "alloy"), SET("format", "mp3"))},
		{"transcript", "audio-to-text", audio, 1, SETTINGS(SET("language", "en"))},
		{"subtitles", "audio-to-text", audio, 1,
				SETTINGS(SET("format", "srt"), SET("language", "en"))},
		{"translation", "audio-to-text", audio, 1,
				SETTINGS(SET("task", "translate"), SET("language", "de"),
						SET("timestamps", "word"))},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void print_string(const char *name, const char *text, size_t size) {
	struct buf escaped = {0};
	json_escape(&escaped, text, size);
	printf(",\"%s\":\"%s\"", name, buf_string(&escaped));
	buf_finish(&escaped);
}

static void print_replay(const char *provider, const char *name, const struct replay *replay) {
	printf("{\"provider\":\"%s\",\"case\":\"%s\"", provider, name);
	if (replay->n_requests == 0) {
		print_string("refused", replay->words, strlen(replay->words));
	} else {
		const struct replay_request *request = &replay->requests[0];
		print_string("method", request->method, strlen(request->method));
		print_string("url", request->url, strlen(request->url));
		print_string("headers", request->headers, strlen(request->headers));
		print_string("body", request->body, request->size);
	}
	printf("}\n");
}

static void print_case(size_t service, size_t number) {
	static const struct replay_exchange none = {.status = 500, .body = ""};
	struct conduit_setting settings[32] = {SET("max_tokens", "300")};
	struct conduit_turn turn = {.model = services[service].model,
			.capability = cases[number].capability,
			.messages = cases[number].messages,
			.n_messages = cases[number].n_messages,
			.settings = settings,
			.n_settings = 1};
	const struct conduit_setting *more = cases[number].settings;
	for (; more != NULL && more->name != NULL; more++) {
		settings[turn.n_settings++] = *more;
	}
	struct replay_script script = {.base_url = services[service].base_url,
			.exchanges = &none,
			.n_exchanges = 1,
			.files = files,
			.n_files = LENGTH(files)};
	struct replay replay;
	replay_transform(&replay, load_provider(services[service].name), &script, &turn);
	print_replay(services[service].name, cases[number].name, &replay);
	replay_finish(&replay);
}

static void print_discovery(size_t service) {
	static const struct replay_exchange none = {.status = 500, .body = ""};
	struct replay_script script = {.base_url = services[service].base_url,
			.exchanges = &none,
			.n_exchanges = 1};
	struct replay replay;
	replay_discover(&replay, load_provider(services[service].name), &script);
	print_replay(services[service].name, "models", &replay);
	replay_finish(&replay);
}

int main(void) {
	for (size_t service = 0; service < LENGTH(services); service++) {
		print_discovery(service);
		for (size_t number = 0; number < LENGTH(cases); number++) {
			print_case(service, number);
		}
	}
	return 0;
}
