/* A provider that does what the model's id says, for the tests of the engine: some of it is odd. */
#include <conduit/provider.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *id;
	int64_t context_length, max_output;
} models[] = {{"crash", 0, 0}, {"crash-first", 0, 0}, {"early", 0, 0}, {"poll", 0, 0},
		{"straight", 0, 0}, {"submits", 0, 0}, {"settings", 4000, 0},
		{"settings-unbounded", 0, 0}, {"settings-1000", 100000, 1000},
		{"settings-100", 100000, 100}};

static void list(struct conduit_job *job, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) {
		char id[32];
		snprintf(id, sizeof(id), "many/m%05zu", i);
		conduit_model(job, &(struct conduit_model){.id = id, .id_size = strlen(id)});
	}
}

static void request(struct conduit_job *job, struct conduit_request request, const char *path) {
	char url[512];
	snprintf(url, sizeof(url), "%s/%s", conduit_base_url(job), path);
	request.url = url;
	request.method = request.method != NULL ? request.method : "GET";
	conduit_request(job, &request);
}

/* The address says which list: http://host/COUNT, http://host/straight, or the models above. */
static void discover(struct conduit_job *job) {
	const char *name = strrchr(conduit_base_url(job), '/') + 1;
	size_t count = strtoul(name, NULL, 10);
	if (strcmp(name, "straight") == 0) {
		request(job, (struct conduit_request){.sink = CONDUIT_TO_OUTPUT}, "text");
		return;
	}
	list(job, 0, count);
	for (size_t i = 0; count == 0 && i < sizeof(models) / sizeof(models[0]); i++) {
		conduit_model(job, &(struct conduit_model){.id = models[i].id,
						   .id_size = strlen(models[i].id),
						   .context_length = models[i].context_length,
						   .max_output = models[i].max_output,
						   .parameters = "top_k"});
	}
	conduit_finish(job, NULL, NULL);
}

static void reflect(struct conduit_job *job, const struct conduit_turn *turn) {
	for (size_t i = 0; i < turn->n_settings; i++) {
		const struct conduit_setting *setting = &turn->settings[i];
		conduit_output(job, setting->name, strlen(setting->name));
		conduit_output(job, "=", 1);
		conduit_output(job, setting->value, setting->size);
		conduit_output(job, "\n", 1);
	}
	conduit_finish(job, "stop", NULL);
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	conduit_set_state(job, strdup(turn->model));
	if (strncmp(turn->model, "settings", 8) == 0) {
		reflect(job, turn);
	} else if (strcmp(turn->model, "straight") == 0) {
		request(job, (struct conduit_request){.sink = CONDUIT_TO_OUTPUT}, "text");
	} else if (strcmp(turn->model, "submits") == 0) {
		struct conduit_body_part body = {.bytes = "{}", .size = 2};
		request(job,
				(struct conduit_request){.method = "POST",
						.submits = true,
						.body = &body,
						.n_body = 1},
				"job");
	} else {
		conduit_output(job, "half ", strcmp(turn->model, "crash") == 0 ? 5 : 0);
		request(job, (struct conduit_request){0},
				strcmp(turn->model, "early") == 0 ? "slow" : "poll");
		if (strcmp(turn->model, "early") == 0) {
			conduit_finish(job, "stop", NULL);
		}
	}
}

static void reply(struct conduit_job *job, const struct conduit_reply *reply) {
	const char *model = conduit_state(job);
	if (model != NULL && strncmp(model, "crash", 5) == 0) {
		abort();
	}
	if (reply->status >= 400) {
		conduit_fail(job, &(struct conduit_failure){.kind = CONDUIT_FAIL_UPSTREAM,
						  .status = reply->status,
						  .words = "refused"});
	}
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	(void)job;
	(void)bytes;
	(void)size;
}

static void end(struct conduit_job *job) {
	const char *model = conduit_state(job);
	if (model != NULL && strcmp(model, "poll") == 0) {
		request(job, (struct conduit_request){.delay_ms = 20}, "poll");
		return;
	}
	if (model == NULL) {
		conduit_model(job, &(struct conduit_model){.id = "one", .id_size = 3});
	}
	conduit_finish(job, model != NULL ? "stop" : NULL, NULL);
}

static void release(struct conduit_job *job) {
	free(conduit_state(job));
}

CONDUIT_PROVIDER(.name = "odd", .version = "0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
