/* A model out of what /api/tags and /api/show say of it. */
#include "ollama.h"

#include <conduit/kit/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The settings that chat models take besides those that all take. */
#define PARAMETERS                                                                                 \
	"top_k,min_p,repetition_penalty,frequency_penalty,presence_penalty,num_ctx,response_"      \
	"format"

struct abilities {
	bool chat, embedding, vision, tools, thinking;
};

bool is_cloud(const struct conduit_job *job) {
	static const char cloud[] = "https://ollama.com";
	const char *base = conduit_base_url(job);
	size_t length = strlen(cloud);
	return strncmp(base, cloud, length) == 0 && (base[length] == '\0' || base[length] == '/');
}

static void take_ability(struct abilities *abilities, const char *word) {
	struct {
		const char *word;
		bool *able;
	} const words[] = {
			{"completion", &abilities->chat},
			{"embedding", &abilities->embedding},
			{"vision", &abilities->vision},
			{"tools", &abilities->tools},
			{"thinking", &abilities->thinking},
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (word != NULL && strcmp(word, words[i].word) == 0) {
			*words[i].able = true;
		}
	}
}

/* A server of before 0.6.4 names no capabilities: the family tells who embeds, and a projector who
 * sees. */
static struct abilities guess(const struct conduit_json *holder) {
	const char *family = conduit_json_string(holder, "details.family");
	struct abilities abilities = {
			.embedding = family != NULL && strstr(family, "bert") != NULL,
			.vision = conduit_json_type(holder, "projector_info") ==
				  CONDUIT_JSON_OBJECT,
	};
	const struct conduit_json *one = conduit_json_first(
			conduit_json_get(holder, "details.families"));
	for (; one != NULL; one = conduit_json_next(one)) {
		const char *word = conduit_json_string(one, NULL);
		abilities.vision = abilities.vision ||
				   (word != NULL && (strcmp(word, "clip") == 0 ||
								    strcmp(word, "mllama") == 0));
	}
	abilities.chat = !abilities.embedding;
	return abilities;
}

static struct abilities abilities_of(
		const struct conduit_json *entry, const struct conduit_json *shown) {
	const struct conduit_json *holder = shown != NULL ? shown : entry;
	if (conduit_json_type(holder, "capabilities") != CONDUIT_JSON_ARRAY) {
		return guess(holder);
	}
	struct abilities abilities = {0};
	const struct conduit_json *one = conduit_json_first(
			conduit_json_get(holder, "capabilities"));
	for (; one != NULL; one = conduit_json_next(one)) {
		take_ability(&abilities, conduit_json_string(one, NULL));
	}
	return abilities;
}

/* "llama.context_length": the member is called after the model's architecture. */
static int64_t context_length(const struct conduit_json *shown) {
	static const char end[] = ".context_length";
	const struct conduit_json *one = conduit_json_first(conduit_json_get(shown, "model_info"));
	for (; one != NULL; one = conduit_json_next(one)) {
		const char *name = conduit_json_name(one);
		size_t length = name != NULL ? strlen(name) : 0;
		int64_t value = 0;
		if (length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0 &&
				conduit_json_int64(one, NULL, &value) && value > 0) {
			return value;
		}
	}
	return 0;
}

/* "llama, 3.2B, Q4_0". */
static void describe(const struct conduit_json *holder, char *ret, size_t size) {
	static const char *const paths[] = {
			"details.family", "details.parameter_size", "details.quantization_level"};
	size_t used = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *word = conduit_json_string(holder, paths[i]);
		if (word != NULL && word[0] != '\0' && used < size) {
			used += (size_t)snprintf(ret + used, size - used, "%s%.100s",
					used != 0 ? ", " : "", word);
		}
	}
}

/* What a server only passes on to the cloud. */
static bool is_remote(const struct conduit_json *entry, const struct conduit_json *shown) {
	const char *host = conduit_json_string(entry, "remote_host");
	if (host == NULL) {
		host = conduit_json_string(shown, "remote_host");
	}
	return host != NULL && host[0] != '\0';
}

static const char *outputs(const struct abilities *abilities) {
	return abilities->chat ? "text" : abilities->embedding ? "embeddings" : NULL;
}

void models_emit(struct conduit_job *job, const char *id, const struct conduit_json *entry,
		const struct conduit_json *shown) {
	/* What runs on the user's machine costs nothing; what the cloud runs, by a plan's limits.
	 */
	static const struct conduit_price nothing[] = {{"prompt", 0}, {"completion", 0}};
	static const struct conduit_price variable[] = {{"prompt", -1}, {"completion", -1}};
	bool in_cloud = is_cloud(job) || is_remote(entry, shown);
	struct abilities abilities = abilities_of(entry, shown);
	const struct conduit_json *holder = entry != NULL ? entry : shown;
	char description[512], parameters[512];
	int64_t created = 0;
	describe(holder, description, sizeof(description));
	conduit_time_rfc3339(conduit_json_string(holder, "modified_at"), &created);
	snprintf(parameters, sizeof(parameters), "%s%s%s",
			abilities.chat ? PARAMETERS : "lines,format",
			abilities.tools ? ",tools" : "",
			abilities.thinking ? ",reasoning_effort" : "");
	/* Of what is shown the licence and the template are long, and no facts. */
	char *raw = entry != NULL ? conduit_json_print(entry) : NULL;
	conduit_model(job, &(struct conduit_model){
					   .id = id,
					   .id_size = strlen(id),
					   .name = id,
					   .description = description,
					   .created = created > 0 ? created : 0,
					   .context_length = context_length(shown),
					   .input_modalities = abilities.vision ? "text,image"
										: "text",
					   .output_modalities = outputs(&abilities),
					   .parameters = parameters,
					   .prices = in_cloud ? variable : nothing,
					   .n_prices = 2,
					   .raw = raw,
					   .raw_size = raw != NULL ? strlen(raw) : 0,
			   });
	free(raw);
}
