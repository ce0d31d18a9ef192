/* The table that generates the tree: see table.h. */
#include "fs/tree/table.h"

#include "fs/content/accept.h"
#include "fs/content/conversation.h"
#include "fs/content/show.h"

#include <string.h>

#define DIRECTORY (S_IFDIR | 0755)
#define READ_ONLY (S_IFREG | 0444)
#define READ_WRITE (S_IFREG | 0644)
#define WRITE_ONLY (S_IFREG | 0200)
#define LINK (S_IFLNK | 0777)

/* A limit in USD. */
#define BUDGET_FILE(kind, period)                                                                  \
	{                                                                                          \
		kind, KIND_BUDGET, period, READ_WRITE, SPACE_PLACE, .show = show_budget,           \
								    .accept = accept_budget        \
	}

/* A provider's fact and a model's: stable until the next discovery. */
#define PROVIDER_FACT(number, fact)                                                                \
	{                                                                                          \
		KIND_PROVIDER_INFO_FILE + (number), KIND_PROVIDER_INFO, fact, READ_ONLY,           \
				SPACE_PLACE, .show = show_provider_info                            \
	}
#define MODEL_FACT(number, fact)                                                                   \
	{                                                                                          \
		KIND_MODEL_INFO_FILE + (number), KIND_MODEL_INFO, fact, READ_ONLY, SPACE_PLACE,    \
				.stable = true, .show = show_model_info                            \
	}

static const struct entry entries[] = {
		{KIND_ROOT, 0, NULL, DIRECTORY, SPACE_NONE},
		{KIND_README, KIND_ROOT, "README.md", READ_ONLY, SPACE_NONE, .stable = true,
				.show = show_readme},
		{KIND_ROOT_STATUS, KIND_ROOT, "status", READ_ONLY, SPACE_NONE,
				.show = show_root_status},
		{KIND_ROOT_CTL, KIND_ROOT, "ctl", READ_WRITE, SPACE_NONE, .stable = true,
				.show = show_root_ctl, .accept = accept_root_ctl},
		{KIND_ROOT_USAGE, KIND_ROOT, "usage", READ_ONLY, SPACE_NONE,
				.show = show_root_usage},
		{KIND_ROOT_ERROR, KIND_ROOT, "error", READ_ONLY, SPACE_NONE,
				.show = show_root_error},
		{KIND_CONFIG, KIND_ROOT, "config", DIRECTORY, SPACE_PLACE},
		{KIND_BUDGET, KIND_ROOT, "budget", DIRECTORY, SPACE_PLACE},
		{KIND_CAPABILITIES, KIND_ROOT, "capabilities", DIRECTORY, SPACE_NONE},
		{KIND_PROVIDERS, KIND_ROOT, "providers", DIRECTORY, SPACE_NONE},
		{KIND_GROUPS, KIND_ROOT, "groups", DIRECTORY, SPACE_NONE},
		{KIND_USER_LINK, KIND_ROOT, NULL, LINK, SPACE_LINK},

		{KIND_GROUP, KIND_GROUPS, NULL, DIRECTORY, SPACE_PLACE},
		{KIND_GROUP_INPUT, KIND_GROUP, "input", READ_WRITE, SPACE_PLACE, .stable = true},
		{KIND_GROUP_OUTPUT, KIND_GROUP, "output", DIRECTORY, SPACE_PLACE},
		{KIND_GROUP_STATUS, KIND_GROUP, "status", READ_ONLY, SPACE_PLACE, .polls = true,
				.show = show_group_status},
		{KIND_GROUP_ANSWER, KIND_GROUP_OUTPUT, NULL, LINK, SPACE_LINK,
				.show = show_group_answer},

		{KIND_PROVIDER, KIND_PROVIDERS, NULL, DIRECTORY, SPACE_PLACE},
		{KIND_PROVIDER_MANIFEST, KIND_PROVIDER, "manifest.yml", READ_ONLY, SPACE_PLACE,
				.show = show_manifest},
		{KIND_PROVIDER_STATUS, KIND_PROVIDER, "status", READ_ONLY, SPACE_PLACE,
				.show = show_provider_status},
		{KIND_PROVIDER_USAGE, KIND_PROVIDER, "usage", READ_ONLY, SPACE_PLACE,
				.show = show_provider_usage},
		{KIND_PROVIDER_ERROR, KIND_PROVIDER, "error", READ_ONLY, SPACE_PLACE,
				.show = show_provider_error},
		{KIND_PROVIDER_LOG, KIND_PROVIDER, "log", READ_ONLY, SPACE_PLACE,
				.show = show_provider_log},
		{KIND_PROVIDER_CTL, KIND_PROVIDER, "ctl", READ_WRITE, SPACE_PLACE, .stable = true,
				.show = show_provider_ctl, .accept = accept_provider_ctl},
		{KIND_PROVIDER_KEY, KIND_PROVIDER, "key", WRITE_ONLY, SPACE_PLACE,
				.accept = accept_key},
		{KIND_PROVIDER_SOURCE, KIND_PROVIDER, "source", READ_ONLY, SPACE_PLACE,
				.show = show_provider_source},
		{KIND_PROVIDER_MODELS_TSV, KIND_PROVIDER, "models.tsv", READ_ONLY, SPACE_PLACE,
				.show = show_models_tsv},
		{KIND_CONFIG, KIND_PROVIDER, "config", DIRECTORY, SPACE_PLACE},
		{KIND_BUDGET, KIND_PROVIDER, "budget", DIRECTORY, SPACE_PLACE},
		{KIND_PROVIDER_INFO, KIND_PROVIDER, "info", DIRECTORY, SPACE_PLACE},
		{KIND_FREE, KIND_PROVIDER, "free", DIRECTORY, SPACE_PLACE},
		{KIND_MODELS, KIND_PROVIDER, "models", DIRECTORY, SPACE_PLACE},

		BUDGET_FILE(KIND_BUDGET_DAY, "day"),
		BUDGET_FILE(KIND_BUDGET_MONTH, "month"),
		BUDGET_FILE(KIND_BUDGET_TOTAL, "total"),

		PROVIDER_FACT(0, "id"),
		PROVIDER_FACT(1, "package"),
		PROVIDER_FACT(2, "name"),
		PROVIDER_FACT(3, "description"),
		PROVIDER_FACT(4, "version"),
		PROVIDER_FACT(5, "type"),
		PROVIDER_FACT(6, "capabilities"),
		PROVIDER_FACT(7, "models"),
		PROVIDER_FACT(8, "free"),
		PROVIDER_FACT(9, "health"),
		PROVIDER_FACT(10, "last_error"),
		PROVIDER_FACT(11, "running"),
		PROVIDER_FACT(12, "queued"),

		{KIND_PLACE, KIND_MODELS, NULL, DIRECTORY, SPACE_PLACE},
		{KIND_FREE_PLACE, KIND_FREE, NULL, DIRECTORY, SPACE_PLACE},
		{KIND_FREE_LINK, KIND_FREE, NULL, LINK, SPACE_PLACE, .stable = true,
				.show = show_free_link},

		{KIND_INPUT, KIND_PLACE, "input", READ_WRITE, SPACE_PLACE, .stable = true},
		{KIND_RPC, KIND_PLACE, "rpc", READ_WRITE, SPACE_PLACE, .stable = true},
		{KIND_ESTIMATE, KIND_PLACE, "estimate", READ_WRITE, SPACE_PLACE, .stable = true,
				.show = show_estimate_help},
		{KIND_OUTPUT_LINK, KIND_PLACE, "output", LINK, SPACE_PLACE, .stable = true,
				.show = show_turn_link},
		{KIND_PROMPT_LINK, KIND_PLACE, "prompt", LINK, SPACE_PLACE, .stable = true,
				.show = show_turn_link},
		{KIND_USAGE_LINK, KIND_PLACE, "usage", LINK, SPACE_PLACE, .stable = true,
				.show = show_turn_link},
		{KIND_ERROR_LINK, KIND_PLACE, "error", LINK, SPACE_PLACE, .stable = true,
				.show = show_turn_link},
		{KIND_MODEL_STATUS, KIND_PLACE, "status", READ_ONLY, SPACE_PLACE, .polls = true,
				.show = show_model_status},
		{KIND_MODEL_CTL, KIND_PLACE, "ctl", READ_WRITE, SPACE_PLACE, .stable = true,
				.show = show_model_ctl, .accept = accept_model_ctl},
		{KIND_MODEL_INFO, KIND_PLACE, "info", DIRECTORY, SPACE_PLACE},
		{KIND_CONFIG, KIND_PLACE, "config", DIRECTORY, SPACE_PLACE},
		{KIND_BUDGET, KIND_PLACE, "budget", DIRECTORY, SPACE_PLACE},
		{KIND_ATTACH, KIND_PLACE, "attach", DIRECTORY, SPACE_PLACE},
		{KIND_ATTACHMENT, KIND_ATTACH, NULL, READ_WRITE, SPACE_ATTACHMENT},
		{KIND_ATTACHED_LINK, KIND_ATTACH, NULL, LINK, SPACE_ATTACHMENT,
				.show = show_attached_link},
		{KIND_TURNS, KIND_PLACE, "turns", DIRECTORY, SPACE_PLACE},
		{KIND_SESSIONS, KIND_PLACE, "sessions", DIRECTORY, SPACE_PLACE},
		{KIND_MESSAGES, KIND_PLACE, "messages.json", READ_WRITE, SPACE_PLACE,
				.show = show_conversation, .accept = accept_messages},
		{KIND_TRANSCRIPT, KIND_PLACE, "transcript.md", READ_ONLY, SPACE_PLACE,
				.show = show_conversation},
		{KIND_ROUTE_FILE, KIND_PLACE, "route", READ_WRITE, SPACE_PLACE, .show = show_route,
				.accept = accept_route},
		{KIND_ROUTE_MODELS, KIND_PLACE, "models", DIRECTORY, SPACE_ROUTE},
		{KIND_ROUTE_LINK, KIND_ROUTE_MODELS, NULL, LINK, SPACE_ROUTE, .stable = true,
				.show = show_route_link},

		MODEL_FACT(0, "id"),
		MODEL_FACT(1, "name"),
		MODEL_FACT(2, "description"),
		MODEL_FACT(3, "context_length"),
		MODEL_FACT(4, "max_output"),
		MODEL_FACT(5, "price_prompt"),
		MODEL_FACT(6, "price_completion"),
		MODEL_FACT(7, "price_request"),
		MODEL_FACT(8, "price_image"),
		MODEL_FACT(9, "input_modalities"),
		MODEL_FACT(10, "output_modalities"),
		MODEL_FACT(11, "parameters"),
		MODEL_FACT(12, "free"),
		MODEL_FACT(13, "created"),
		MODEL_FACT(14, "raw.json"),
		MODEL_FACT(16, "voices"),
		MODEL_FACT(17, "formats"),
		{KIND_MODEL_INFO_FILE + 15, KIND_MODEL_INFO, "health", READ_ONLY, SPACE_PLACE,
				.show = show_model_health},

		{KIND_TURN, KIND_TURNS, NULL, S_IFDIR | 0555, SPACE_TURN},
		{KIND_LAST_LINK, KIND_TURNS, "last", LINK, SPACE_PLACE, .stable = true,
				.show = show_last_link},
		{KIND_TURN_PROMPT, KIND_TURN, "prompt", READ_ONLY, SPACE_TURN},
		{KIND_TURN_OUTPUT, KIND_TURN, "output", READ_ONLY, SPACE_TURN},
		{KIND_TURN_REASONING, KIND_TURN, "reasoning", READ_ONLY, SPACE_TURN},
		{KIND_TURN_STATUS, KIND_TURN, "status", READ_ONLY, SPACE_TURN, .polls = true,
				.show = show_turn_status},
		{KIND_TURN_USAGE, KIND_TURN, "usage", READ_ONLY, SPACE_TURN,
				.show = show_turn_usage},
		{KIND_TURN_ERROR, KIND_TURN, "error", READ_ONLY, SPACE_TURN,
				.show = show_turn_error},
		{KIND_TURN_REQUEST, KIND_TURN, "request.json", READ_ONLY, SPACE_TURN},
		{KIND_TURN_RESPONSE, KIND_TURN, "response", READ_ONLY, SPACE_TURN},
		{KIND_TURN_EXCHANGE, KIND_TURN, "exchange", READ_ONLY, SPACE_TURN},
		{KIND_TURN_ATTACHMENTS, KIND_TURN, "attachments", S_IFDIR | 0555, SPACE_TURN},
		{KIND_TURN_ATTACHMENT, KIND_TURN_ATTACHMENTS, NULL, READ_ONLY, SPACE_ATTACHMENT,
				.stable = true},
		{KIND_TURN_ARTIFACTS, KIND_TURN, "artifacts", S_IFDIR | 0555, SPACE_TURN},
		{KIND_ARTIFACT, KIND_TURN_ARTIFACTS, NULL, READ_ONLY, SPACE_ARTIFACT,
				.stable = true},
		{KIND_TURN_TYPED_LINK, KIND_TURN, NULL, LINK, SPACE_TURN,
				.show = show_turn_typed_link},
		{KIND_TYPED_LINK, KIND_PLACE, NULL, LINK, SPACE_PLACE, .show = show_typed_link},

		{KIND_ZERO, KIND_TURNS, NULL, S_IFDIR | 0555, SPACE_PLACE},
		{KIND_ZERO_PROMPT, KIND_ZERO, "prompt", READ_ONLY, SPACE_PLACE, .stable = true,
				.show = show_nothing},
		{KIND_ZERO_OUTPUT, KIND_ZERO, "output", READ_ONLY, SPACE_PLACE, .stable = true,
				.show = show_nothing},
		{KIND_ZERO_STATUS, KIND_ZERO, "status", READ_ONLY, SPACE_PLACE, .stable = true,
				.show = show_zero_status},
		{KIND_ZERO_USAGE, KIND_ZERO, "usage", READ_ONLY, SPACE_PLACE, .stable = true,
				.show = show_nothing},
		{KIND_ZERO_ERROR, KIND_ZERO, "error", READ_ONLY, SPACE_PLACE, .stable = true,
				.show = show_nothing},

		{KIND_SETTING, KIND_CONFIG, NULL, READ_WRITE, SPACE_PLACE, .show = show_setting,
				.accept = accept_setting},
		{KIND_SCRATCH, 0, NULL, READ_WRITE, SPACE_SCRATCH},
};

#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

const struct entry *entry_of(enum kind kind) {
	static const struct entry *by_kind[256];
	if (by_kind[KIND_ROOT] == NULL) {
		for (size_t i = 0; i < N_ENTRIES; i++) {
			by_kind[entries[i].kind] = &entries[i];
		}
		for (int i = KIND_SETTING; i <= KIND_SETTING_LAST; i++) {
			by_kind[i] = by_kind[KIND_SETTING];
		}
	}
	return (unsigned)kind < 256 ? by_kind[kind] : NULL;
}

const struct entry *entry_child(enum kind parent, size_t i) {
	for (size_t j = 0; j < N_ENTRIES; j++) {
		if (entries[j].parent == parent && entries[j].name != NULL && i-- == 0) {
			return &entries[j];
		}
	}
	return NULL;
}

const struct entry *entry_find(enum kind parent, const char *name) {
	for (size_t i = 0; i < N_ENTRIES; i++) {
		if (entries[i].parent == parent && entries[i].name != NULL &&
				strcmp(entries[i].name, name) == 0) {
			return &entries[i];
		}
	}
	return NULL;
}
