/* One model of the Hub: which task it is for, and whether anybody serves it. See look_up.h. */
#include "look_up.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/gather.h>
#include <conduit/kit/json.h>
#include <conduit/kit/openai.h>
#include <conduit/kit/time.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x68756221u /* not the kit's */
#define WHOLE_MOST ((size_t)4 << 20)
#define HUB "https://huggingface.co/api/models/"
#define EXPAND                                                                                     \
	"?expand%5B%5D=inferenceProviderMapping&expand%5B%5D=pipeline_tag&expand%5B%5D=createdAt"

struct look {
	unsigned magic;
	char id[1024];
	bool missing; /* the Hub says that there is no such repository, or a private one */
	struct conduit_gathered reply;
};

/* What the Hub calls tasks, as what goes in and comes out. */
static const struct {
	const char *task, *input, *output;
} tasks[] = {
		{"conversational", "text", "text"},
		{"text-generation", "text", "text"},
		{"feature-extraction", "text", "embeddings"},
		{"sentence-similarity", "text", "embeddings"},
		{"text-to-image", "text", "image"},
		{"automatic-speech-recognition", "audio", "transcription"},
};

static struct look *state_of(const struct conduit_job *job) {
	struct look *look = conduit_state(job);
	return look != NULL && look->magic == MAGIC ? look : NULL;
}

/* An id as a path; anything else but these is encoded. */
static bool add_path(char *url, size_t size, const char *id) {
	size_t used = strlen(url);
	for (; *id != '\0'; id++) {
		bool plain = isalnum((unsigned char)*id) || strchr("-._/", *id) != NULL;
		int length = snprintf(url + used, size - used, plain ? "%c" : "%%%02X",
				(unsigned char)*id);
		used += (size_t)length;
		if (used >= size) {
			return false;
		}
	}
	return true;
}

/* At an address of the user's own the Hub has no say: the model is taken as it is. */
void look_up(struct conduit_job *job, const char *id) {
	static const char router[] = "https://router.huggingface.co/";
	static const char *const headers[] = {"Accept: application/json", NULL};
	char url[4096] = HUB;
	/* "openai/gpt-oss-120b:cheapest": what follows the colon is the router's. */
	char bare[1024];
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(id, ":"), id);
	if (strncmp(conduit_base_url(job), router, strlen(router)) != 0) {
		conduit_finish(job, NULL, NULL);
		return;
	}
	struct look *look = calloc(1, sizeof(*look));
	if (look == NULL || !add_path(url, sizeof(url) - sizeof(EXPAND), bare)) {
		free(look);
		conduit_fail_with(job, CONDUIT_FAIL_OTHER, "memory is short, or the id too long");
		return;
	}
	look->magic = MAGIC;
	snprintf(look->id, sizeof(look->id), "%s", id);
	conduit_set_state(job, look);
	conduit_request(job, &(struct conduit_request){
					     .method = "GET",
					     .url = strcat(url, EXPAND),
					     .headers = headers,
			     });
}

void look_up_reply(struct conduit_job *job, const struct conduit_reply *reply) {
	struct look *look = state_of(job);
	if (look == NULL) {
		conduit_openai_reply(job, reply);
		return;
	}
	const char *code = conduit_header(reply, "x-error-code");
	conduit_gather_head(&look->reply, reply);
	look->missing = reply->status == 404 || (code != NULL && strcmp(code, "RepoNotFound") == 0);
}

void look_up_data(struct conduit_job *job, const void *bytes, size_t size) {
	struct look *look = state_of(job);
	if (look == NULL) {
		conduit_openai_data(job, bytes, size);
		return;
	}
	conduit_gather(&look->reply, bytes, size, WHOLE_MOST);
}

/* The task that a provider serves it for; NULL when none does. */
static const char *live_task(const struct conduit_json *model) {
	const struct conduit_json *one = conduit_json_first(
			conduit_json_get(model, "inferenceProviderMapping"));
	for (; one != NULL; one = conduit_json_next(one)) {
		const char *status = conduit_json_string(one, "status");
		const char *task = conduit_json_string(one, "task");
		if (status != NULL && strcmp(status, "live") == 0 && task != NULL) {
			return task;
		}
	}
	return NULL;
}

static void emit(struct conduit_job *job, const struct look *look, const struct conduit_json *model,
		const char *task) {
	const char *input = NULL, *output = NULL;
	const char *tag = conduit_json_string(model, "pipeline_tag");
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		if (strcmp(task, tasks[i].task) == 0) {
			input = tasks[i].input;
			output = tasks[i].output;
		}
	}
	if (tag != NULL && strcmp(tag, "image-text-to-text") == 0) {
		input = "text,image";
	}
	int64_t created = 0;
	conduit_time_rfc3339(conduit_json_string(model, "createdAt"), &created);
	bool embeds = output != NULL && strcmp(output, "embeddings") == 0;
	conduit_model(job, &(struct conduit_model){
					   .id = look->id,
					   .id_size = strlen(look->id),
					   .name = look->id,
					   .created = created > 0 ? created : 0,
					   .input_modalities = input,
					   .output_modalities = output,
					   .parameters = embeds ? "lines,format" : NULL,
					   .raw = look->reply.body,
					   .raw_size = look->reply.size,
			   });
	conduit_finish(job, NULL, NULL);
}

void look_up_end(struct conduit_job *job) {
	struct look *look = state_of(job);
	if (look == NULL) {
		conduit_openai_end(job);
		return;
	}
	if (look->missing) {
		conduit_fail_with(job, CONDUIT_FAIL_GONE,
				"the Hub has no such model, or a private one");
		return;
	}
	if (!conduit_gathered_good(&look->reply)) {
		conduit_gathered_failure(job, &look->reply);
		return;
	}
	struct conduit_json *model = conduit_json_parse(look->reply.body, look->reply.size);
	const char *task = live_task(model);
	if (conduit_json_string(model, "id") == NULL) {
		conduit_malformed(
				job, "what the Hub says of %.200s is cut short, or none", look->id);
	} else if (task == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_GONE, "no provider serves it at the moment");
	} else {
		emit(job, look, model, task);
	}
	conduit_json_free(model);
}

void look_up_release(struct conduit_job *job) {
	struct look *look = state_of(job);
	if (look == NULL) {
		conduit_openai_release(job);
		return;
	}
	conduit_gather_finish(&look->reply);
	free(look);
	conduit_set_state(job, NULL);
}
