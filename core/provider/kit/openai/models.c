/* Models out of a list: see models.h. */
#include "core/provider/kit/openai/models.h"

#include "core/base/text.h"
#include "core/provider/kit/openai/limits.h"
#include "core/provider/kit/openai/offers.h"
#include "core/provider/kit/openai/prices.h"
#include "core/provider/kit/openai/request.h"

#include <conduit/kit/failure.h>
#include <conduit/kit/time.h>
#include <math.h>
#include <string.h>

#define LOG_LIMIT 100

/* The first of the paths that holds a whole number above zero. */
static int64_t count_at(const struct conduit_json *entry, const char *const *paths) {
	for (; *paths != NULL; paths++) {
		int64_t count;
		if (conduit_json_int64(entry, *paths, &count) && count > 0) {
			return count;
		}
	}
	return 0;
}

static int64_t created_at(const struct conduit_json *entry) {
	int64_t created = 0;
	const char *text = conduit_json_string(entry, "created_at");
	if (conduit_json_int64(entry, "created", &created) && created > 0) {
		/* Beyond the year 5138 it counts milliseconds. */
		return created > 99999999999 ? created / 1000 : created;
	}
	return conduit_time_rfc3339(text, &created) && created > 0 ? created : 0;
}

/* An array of strings as a comma-separated list; NULL when it isn't one, or is empty. */
static const char *list_at(const struct conduit_json *entry, const char *path, struct buf *out) {
	const struct conduit_json *array = conduit_json_get(entry, path);
	if (conduit_json_type(array, NULL) != CONDUIT_JSON_ARRAY) {
		return NULL;
	}
	for (const struct conduit_json *element = conduit_json_first(array); element != NULL;
			element = conduit_json_next(element)) {
		const char *word = conduit_json_string(element, NULL);
		if (word == NULL || word[0] == '\0' || strlen(word) > 63 ||
				strpbrk(word, ", \t\r\n") != NULL) {
			continue;
		}
		buf_add_string(out, out->size != 0 ? "," : "");
		buf_add_string(out, word);
	}
	return out->size != 0 && !out->failed ? out->data : NULL;
}

static void leave_out(struct models *models, const char *why) {
	if (models->left_out == LOG_LIMIT) {
		conduit_log(models->job, "further entries are left out without a line each");
	} else if (models->left_out < LOG_LIMIT) {
		conduit_log(models->job, "an entry of the list is left out: %s", why);
	}
	models->left_out++;
}

static const char *string_at(const struct conduit_json *entry, const char *path, const char * or) {
	const char *string = conduit_json_string(entry, path);
	return string != NULL && string[0] != '\0' ? string : conduit_json_string(entry, or);
}

static const struct conduit_limit vector_limits[] = {
		{.name = "format", .choices = "json\nnpy", .standard = "json"}};

static bool makes_vectors(const struct conduit_model *model) {
	return model->output_modalities != NULL &&
	       strcmp(model->output_modalities, "embeddings") == 0;
}

/* What the list says of a model's settings is about chat, and so is what the dialect says. */
static const char *parameters_of(
		const struct conduit_openai *dialect, const struct conduit_model *model) {
	const char *output = model->output_modalities != NULL ? model->output_modalities : "";
	if (makes_vectors(model)) {
		return "lines,format";
	}
	return model->parameters != NULL	   ? model->parameters
	       : strncmp(output, "rerank", 6) == 0 ? NULL
						   : dialect->parameters;
}

static void emit(struct models *models, const struct conduit_json *entry, const char *raw,
		size_t raw_size) {
	static const char *const contexts[] = {"context_length", "top_provider.context_length",
			"max_context_length", "context_window", "max_model_len", "meta.n_ctx_train",
			NULL};
	static const char *const outputs[] = {"top_provider.max_completion_tokens",
			"max_completion_tokens", "max_output_tokens", NULL};
	cleanup_buf struct buf input = {0};
	cleanup_buf struct buf output = {0};
	cleanup_buf struct buf parameters = {0};
	cleanup_openai_limits struct openai_limits limits = {0};
	struct openai_prices prices = {0};
	const char *id = conduit_json_string(entry, "id");
	struct conduit_model model = {
			.id = id,
			.id_size = strlen(id),
			.name = string_at(entry, "name", "display_name"),
			.description = conduit_json_string(entry, "description"),
			.created = created_at(entry),
			.context_length = count_at(entry, contexts),
			.max_output = count_at(entry, outputs),
			.input_modalities = list_at(entry, "architecture.input_modalities", &input),
			.output_modalities = list_at(
					entry, "architecture.output_modalities", &output),
			.parameters = list_at(entry, "supported_parameters", &parameters),
			.raw = raw,
			.raw_size = raw_size,
	};
	if (models->dialect->prices) {
		openai_prices_read(entry, &prices);
		model.prices = prices.prices;
		model.n_prices = prices.n;
	}
	if (models->dialect->model != NULL && !models->dialect->model(entry, &model)) {
		return;
	}
	model.parameters = parameters_of(models->dialect, &model);
	media_offer(models->dialect->media, &model);
	sound_offer(entry, models->dialect, &model);
	openai_limits_add(entry, &model, &limits);
	if (makes_vectors(&model)) {
		model.limits = vector_limits;
		model.n_limits = 1;
	}
	conduit_model(models->job, &model);
	models->emitted++;
}

static void take_item(void *data, const char *json, size_t size) {
	struct models *models = data;
	struct conduit_json *entry = conduit_json_parse(json, size);
	const char *id = conduit_json_string(entry, "id");
	if (entry == NULL) {
		leave_out(models, "it isn't JSON");
	} else if (id == NULL || id[0] == '\0') {
		leave_out(models, "it has no id");
	} else if (strstr(id, "\xef\xbf\xbd") != NULL) {
		leave_out(models, "its id holds a character that can't be sent back (U+0000)");
	} else {
		emit(models, entry, json, size);
	}
	conduit_json_free(entry);
}

static void take_member(void *data, const char *name, const char *json, size_t size) {
	struct models *models = data;
	if (models->failed) {
		return;
	}
	if (openai_error_member(models->job, name, json, size)) {
		models->failed = true;
		return;
	}
	if (strcmp(name, "links") != 0) {
		return;
	}
	struct conduit_json *links = conduit_json_parse(json, size);
	const char *next = conduit_json_string(links, "next");
	if (next != NULL) {
		free(models->next);
		models->next = strdup(next);
	}
	conduit_json_free(links);
}

bool models_begin_page(struct models *models) {
	static const char *const names[] = {"data", NULL};
	struct conduit_json_items_calls calls = {
			.names = names, .item = take_item, .member = take_member, .data = models};
	conduit_json_items_destroy(models->items);
	models->items = conduit_json_items_create(&calls);
	free(take(models->next));
	return models->items != NULL;
}

void models_feed(struct models *models, const void *bytes, size_t size) {
	if (!models->failed) {
		conduit_json_items_feed(models->items, bytes, size);
	}
}

static const char *service(const struct models *models) {
	return models->dialect->service != NULL ? models->dialect->service : "the service";
}

bool models_end_page(struct models *models) {
	if (models->failed) {
		return false;
	}
	size_t skipped = conduit_json_items_skipped(models->items);
	if (skipped != 0) {
		conduit_log(models->job, "%zu entries of the list are left out: larger than 8 MiB",
				skipped);
	}
	enum conduit_json_items_state state = conduit_json_items_state(models->items);
	if (state == CONDUIT_ITEMS_WHOLE && conduit_json_items_found(models->items)) {
		return true;
	}
	const char *what = state == CONDUIT_ITEMS_CUT	      ? "was cut short"
			   : state == CONDUIT_ITEMS_MALFORMED ? "isn't JSON"
			   : state == CONDUIT_ITEMS_MEMORY    ? "doesn't fit into memory"
							      : "holds no \"data\" array";
	conduit_malformed(models->job, "%s's list of models %s, after %zu models", service(models),
			what, models->emitted);
	models->failed = true;
	return false;
}

void models_finish(struct models *models) {
	conduit_json_items_destroy(models->items);
	free(models->next);
}
