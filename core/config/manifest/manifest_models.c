/* The models that a manifest lists: a list of maps (or of ids), a map of them by id, or, for a
 * service whose models are found, a map that says what they have in common. */
#include "core/config/manifest/manifest_fields.h"

#include "core/base/limit.h"
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/config/settings.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define ID_MOST 1023

static void model_finish(struct manifest_model *model) {
	free(model->id);
	free(model->name);
	free(model->description);
	strings_free(model->capabilities);
	free(model->input_modalities);
	free(model->output_modalities);
	free(model->parameters);
	free(model->limits);
}

void manifest_models_finish(struct manifest *manifest) {
	for (size_t i = 0; i < manifest->n_models; i++) {
		model_finish(&manifest->models[i]);
	}
	free(manifest->models);
}

/* ---- "text,image" ---- */

static bool is_listed(const char *list, const char *name) {
	size_t length = strlen(name);
	for (const char *at = list; at != NULL && at[0] != '\0';) {
		size_t size = strcspn(at, ",");
		if (size == length && strncmp(at, name, length) == 0) {
			return true;
		}
		at += size + (at[size] == ',');
	}
	return false;
}

/* Adds a name to a list with commas, once. */
static void list_name(const struct place *place, char **list, const char *name) {
	char *longer = NULL;
	if (is_listed(*list, name)) {
		return;
	}
	bool first = *list == NULL || (*list)[0] == '\0';
	if (asprintf(&longer, "%s%s%s", first ? "" : *list, first ? "" : ",", name) < 0) {
		faults_add_no_memory(place->faults);
		return;
	}
	free(*list);
	*list = longer;
}

/* "image/png", "Image" and "images" are an image; NULL for what isn't known. */
static const char *modality(const char *text, size_t length) {
	static const char *const names[] = {"text", "image", "audio", "video", "file", "3d",
			"embeddings", "embedding", "rerank", "speech", "transcription", "string",
			"document", "images", NULL};
	static const char *const canonical[] = {"text", "image", "audio", "video", "file", "3d",
			"embeddings", "embeddings", "rerank", "speech", "transcription", "text",
			"file", "image"};
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strlen(names[i]) == length && strncasecmp(names[i], text, length) == 0) {
			return canonical[i];
		}
	}
	return NULL;
}

static void add_type(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	const char *name = modality(text, strcspn(text, "/"));
	if (name != NULL) {
		list_name(place, into, name);
	} else if (place->notes != NULL) {
		faults_add(place->notes, item->line,
				"models: the type '%s' has no effect: known are text, image, "
				"audio, "
				"video, file and 3d",
				text);
	}
}

/* ---- one model ---- */

static void read_id(const struct place *place, const struct yaml_node *node, void *into) {
	const char *text = node_text(place, node);
	if (text != NULL && strlen(text) > ID_MOST) {
		place_fault(place, node, "has %zu bytes, at most %d are accepted", strlen(text),
				ID_MOST);
	} else if (text != NULL) {
		node_copy(place, text, &((struct manifest_model *)into)->id);
	}
}

static void read_name(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_line(place, node, &((struct manifest_model *)into)->name);
}

static void read_description(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_words(place, node, &((struct manifest_model *)into)->description);
}

static void read_capabilities(const struct place *place, const struct yaml_node *node, void *into) {
	manifest_read_capabilities(place, node, &((struct manifest_model *)into)->capabilities);
}

static void read_input(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest_model *model = into;
	node_each_text(place, node, add_type, &model->input_modalities);
}

static void read_output(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest_model *model = into;
	node_each_text(place, node, add_type, &model->output_modalities);
}

/* maxTokens, MaxTokens and max_tokens are the setting max_tokens: its index, or -1. */
static int parameter_setting(const struct place *place, const struct yaml_node *node,
		const char *text, char **list) {
	char name[64] = "";
	size_t length = 0;
	for (const char *at = text; *at != '\0' && length < sizeof(name) - 2; at++) {
		if (isupper((unsigned char)*at) && at > text) {
			name[length++] = '_';
		}
		name[length++] = *at == '-' ? '_' : (char)tolower((unsigned char)*at);
	}
	name[length] = '\0';
	int index = setting_find(name);
	if (index >= 0) {
		list_name(place, list, name);
	} else if (place->notes != NULL) {
		faults_add(place->notes, node->line,
				"models: the parameter '%s' has no effect: it is no setting of "
				"config/",
				text);
	}
	return index;
}

static void add_parameter_text(const struct place *place, const struct yaml_node *item,
		const char *text, void *into) {
	parameter_setting(place, item, text, into);
}

static double bound_of(const struct place *place, const struct yaml_node *map, const char *name) {
	const struct yaml_node *node = yaml_tree_get(map, name);
	double value = NAN;
	if (node != NULL && (node->kind != YAML_KIND_SCALAR || !parse_double(node->text, &value))) {
		faults_add(place->faults, node->line,
				"models: parameters: %s of %s must be a number", name, map->name);
		return NAN;
	}
	return value;
}

static void add_choice(const struct place *place, const struct yaml_node *item, const char *text,
		void *into) {
	(void)place, (void)item;
	buf_add_format(into, "%s\n", text);
}

/* What a parameter states of its setting: {min: 0, max: 1, enum: [a, b], default: a}. */
static void add_limit(const struct place *place, const struct yaml_node *map, int index,
		struct manifest_model *model) {
	const struct yaml_node *standard = yaml_tree_get(map, "default");
	const struct yaml_node *list = yaml_tree_get(map, "enum");
	cleanup_buf struct buf text = {.limit = LIMITS_BYTES_MOST}, choices = {0};
	if (list != NULL) {
		node_each_text(place, list, add_choice, &choices);
	}
	if (model->limits != NULL) {
		buf_add_string(&text, model->limits);
	}
	bool scalar = standard != NULL && standard->kind == YAML_KIND_SCALAR &&
		      !yaml_node_is_null(standard);
	const struct limit limit = {.name = setting_specs[index].name,
			.least = bound_of(place, map, "min"),
			.most = bound_of(place, map, "max"),
			.choices = buf_string(&choices),
			.standard = scalar ? standard->text : ""};
	if (!limits_add(&text, &limit)) {
		faults_add(place->faults, map->line,
				"models: parameters: more than 64 KiB of choices, or no memory");
		return;
	}
	free(model->limits);
	model->limits = buf_take(&text);
}

static void read_parameters(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest_model *model = into;
	if (node->kind != YAML_KIND_MAP) {
		node_each_text(place, node, add_parameter_text, &model->parameters);
		return;
	}
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		int index = parameter_setting(place, member, member->name, &model->parameters);
		if (index >= 0 && member->kind == YAML_KIND_MAP) {
			add_limit(place, member, index, model);
		}
	}
}

const struct field manifest_model_fields[] = {
		{"id", FIELD_SPECIAL, .read = read_id},
		{"name", FIELD_SPECIAL, .read = read_name},
		{"description", FIELD_SPECIAL, .read = read_description},
		{"capabilities", FIELD_SPECIAL, .read = read_capabilities},
		{"inputTypes", FIELD_SPECIAL, .read = read_input},
		{"outputTypes", FIELD_SPECIAL, .read = read_output},
		{"parameters", FIELD_SPECIAL, .read = read_parameters},
};

/* A map, or an id alone; in a map of models its name there is the id. */
static void read_model(const struct place *place, const struct yaml_node *node,
		struct manifest_model *model) {
	const struct place inside = {place->faults, "models", place->notes};
	if (node->name != NULL) {
		node_copy(place, node->name, &model->id);
	}
	if (node->kind == YAML_KIND_SCALAR && node->name == NULL) {
		read_id(&inside, node, model);
	} else {
		fields_read(&inside, node, FIELDS(manifest_model_fields), UNKNOWN_NOTED, "field",
				model);
	}
	if (model->id == NULL &&
			(node->kind != YAML_KIND_MAP || yaml_tree_get(node, "id") == NULL)) {
		faults_add(place->faults, node->line,
				"models: an entry needs an id, as the service names the model: "
				"{id: example-1}");
	}
}

/* ---- all of them ---- */

static void keep_parameters(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest_model unused = {0};
	(void)into;
	read_parameters(place, node, &unused);
	model_finish(&unused);
}

static void keep_capabilities(const struct place *place, const struct yaml_node *node, void *into) {
	char **unused cleanup_strings = NULL;
	(void)into;
	manifest_read_capabilities(place, node, &unused);
}

/* Of models that are found: the service lists them, and what it says counts. */
const struct field manifest_models_fields[] = {
		{"dynamic", FIELD_SPECIAL, .read = manifest_keep_text},
		{"capabilities", FIELD_SPECIAL, .read = keep_capabilities},
		{"parameters", FIELD_SPECIAL, .read = keep_parameters},
};

static bool describes_found_models(const struct yaml_node *map) {
	size_t n = sizeof(manifest_models_fields) / sizeof(manifest_models_fields[0]);
	for (size_t i = 0; map->kind == YAML_KIND_MAP && i < n; i++) {
		if (yaml_tree_get(map, manifest_models_fields[i].name) != NULL) {
			return true;
		}
	}
	return false;
}

static int compare_ids(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_ids(const struct place *place, const struct yaml_node *node,
		const struct manifest *manifest) {
	cleanup_free const char **ids = calloc(manifest->n_models + 1, sizeof(*ids));
	size_t n = 0;
	if (ids == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	for (size_t i = 0; i < manifest->n_models; i++) {
		if (manifest->models[i].id != NULL) {
			ids[n++] = manifest->models[i].id;
		}
	}
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(ids[i - 1], ids[i]) == 0) {
			place_fault(place, node, "the id '%s' stands here twice", ids[i]);
		}
	}
}

void manifest_read_models(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	size_t n = 0;
	if (yaml_node_is_null(node)) {
		return;
	}
	if (node->kind == YAML_KIND_SCALAR) {
		place_fault(place, node, "must be a list: a line `- id: example-1` each");
		return;
	}
	if (describes_found_models(node)) {
		const struct place inside = {place->faults, "models", place->notes};
		fields_read(&inside, node, FIELDS(manifest_models_fields), UNKNOWN_NOTED, "field",
				into);
		return;
	}
	for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
		n++;
	}
	manifest->models = calloc(n + 1, sizeof(struct manifest_model));
	if (manifest->models == NULL) {
		faults_add_no_memory(place->faults);
		return;
	}
	for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
		read_model(place, item, &manifest->models[manifest->n_models++]);
	}
	check_ids(place, node, manifest);
}

void manifest_read_discovery(const struct place *place, const struct yaml_node *node, void *into) {
	struct manifest *manifest = into;
	const char *text = node_text(place, node);
	if (text == NULL) {
		return;
	}
	manifest->models_static = strcmp(text, "static") == 0;
	if (!manifest->models_static && strcmp(text, "service") != 0) {
		place_fault(place, node,
				"'%s' is neither service (the service is asked for its models) nor "
				"static (they are those that `models` lists)",
				text);
	}
}

/* "text-to-image" → an image comes out, a text goes in. */
static void add_modalities(
		const struct place *place, const char *capability, bool input, char **list) {
	const char *to = strstr(capability, "-to-");
	const char *from = input ? capability : to + strlen("-to-");
	const char *name = modality(from, input ? (size_t)(to - from) : strlen(from));
	if (name != NULL) {
		list_name(place, list, name);
	}
}

static void complete(const struct place *place, char **capabilities, bool input, char **list) {
	if (*list != NULL) {
		return;
	}
	for (; capabilities != NULL && *capabilities != NULL; capabilities++) {
		add_modalities(place, *capabilities, input, list);
	}
	if (*list == NULL) {
		node_copy(place, "", list);
	}
}

void manifest_complete_models(const struct place *place, struct manifest *manifest) {
	for (size_t i = 0; i < manifest->n_models; i++) {
		struct manifest_model *model = &manifest->models[i];
		char **capabilities = model->capabilities != NULL ? model->capabilities
								  : manifest->capabilities;
		complete(place, capabilities, true, &model->input_modalities);
		complete(place, capabilities, false, &model->output_modalities);
		complete(place, NULL, true, &model->name);
		complete(place, NULL, true, &model->description);
		complete(place, NULL, true, &model->parameters);
	}
}
