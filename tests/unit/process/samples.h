/* One message of each type of the wire, for tests of the codec and the fuzzer's first corpus. */
#ifndef TESTS_UNIT_PROCESS_SAMPLES_H
#define TESTS_UNIT_PROCESS_SAMPLES_H

#include "core/wire/wire.h"

static struct wire_message samples[] = {
		{.type = WIRE_HELLO, .hello = {1, "https://base.example/v1"}},
		{.type = WIRE_DISCOVER, .job = 1},
		{.type = WIRE_TURN, .job = 2, .turn = {"vendor/model", "text-to-text"}},
		{.type = WIRE_MESSAGE,
				.job = 2,
				.message = {.role = 1,
						.n_parts = 2,
						.parts = {{0, "text/plain", "", 10},
								{1, "image/png", "a.png", 20}}}},
		{.type = WIRE_SETTING, .job = 2, .setting = {"temperature", "0.5", 3}},
		{.type = WIRE_GO, .job = 2},
		{.type = WIRE_REPLY,
				.job = 2,
				.reply = {200, "text/plain", 2,
						{"content-length: 3", "x-kind: a"}}},
		{.type = WIRE_DATA, .job = 2, .bytes = {"data", 4}},
		{.type = WIRE_END, .job = 2},
		{.type = WIRE_CANCEL, .job = 2},
		{.type = WIRE_REFUSED, .words = {"no such symbol"}},
		{.type = WIRE_READY, .ready = {1, "acme", "1.0"}},
		{.type = WIRE_REQUEST_PART, .job = 2, .request_part = {0, 0, "{\"a\":", 5}},
		{.type = WIRE_REQUEST_PART, .job = 2, .request_part = {3, 7, NULL, 0}},
		{.type = WIRE_REQUEST,
				.job = 2,
				.request = {"POST", "https://a.example/", 1, {"X-A: b"}, true, true,
						100}},
		{.type = WIRE_READ, .job = 2, .read = {7}},
		{.type = WIRE_RAW, .job = 1, .bytes = {"{}", 2}},
		{.type = WIRE_MODEL,
				.job = 1,
				.model = {.id = "vendor/model",
						.id_size = 12,
						.name = "Model",
						.description = "words",
						.created = 1,
						.context_length = 2,
						.max_output = 3,
						.input_modalities = "text",
						.output_modalities = "text",
						.parameters = "top_p",
						.n_prices = 2,
						.prices = {{"prompt", 0.5}, {"completion", -1}}}},
		{.type = WIRE_OUTPUT, .job = 2, .bytes = {"out", 3}},
		{.type = WIRE_REASONING, .job = 2, .bytes = {"why", 3}},
		{.type = WIRE_USAGE, .job = 2, .usage = {1, 2, 3, -1, 0.5}},
		{.type = WIRE_FAIL, .job = 2, .fail = {6, 429, 1, "too much"}},
		{.type = WIRE_FINISH, .job = 2, .finish = {"stop", "vendor/model"}},
		{.type = WIRE_LOG, .job = 2, .words = {"a line"}},
		{.type = WIRE_ACK, .job = 2, .ack = {0}},
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

#endif
