/* Limits of models: see model_limits.h. */
#include "core/engine/model_limits.h"

#include <errno.h>
#include <math.h>
#include <string.h>

bool limits_of(struct engine *engine, const struct place *model, int index, struct limit *ret) {
	const struct model_record *record = model != NULL ? catalogue_record(engine->catalogue,
									    model)
							  : NULL;
	if (record == NULL) {
		return false;
	}
	const char *name = setting_specs[index].name;
	const struct limit *stated = limits_find(&record->limits, name);
	if (stated != NULL) {
		*ret = *stated;
		return true;
	}
	*ret = (struct limit){.name = name,
			.least = -INFINITY,
			.most = (double)record->max_output,
			.choices = "",
			.standard = "",
			.help = ""};
	return record->max_output > 0 && strcmp(name, "max_tokens") == 0;
}

const char *limits_shown(struct engine *engine, struct place *place, int index) {
	const char *value = engine_setting_of(engine, place, place, index);
	struct limit limit;
	return value[0] == '\0' && limits_of(engine, place_model(place), index, &limit)
			       ? limit.standard
			       : value;
}

static bool takes(const struct limit *limit, int index, const char *value, struct fail *fail) {
	cleanup_free char *kept = setting_check_within(index, limit, value, strlen(value), fail);
	return kept != NULL;
}

/* The limits that the model stated; no other is held against what comes from above. */
static const struct limits *stated(struct engine *engine, const struct place *model) {
	const struct model_record *record = model != NULL ? catalogue_record(engine->catalogue,
									    model)
							  : NULL;
	return record != NULL ? &record->limits : NULL;
}

bool limits_pass(struct engine *engine, struct place *place, struct place *model,
		struct fail *fail) {
	const struct limits *limits = stated(engine, model);
	for (size_t i = 0; limits != NULL && i < limits->n; i++) {
		const struct limit *limit = &limits->list[i];
		int index = setting_find(limit->name);
		const char *value = index >= 0 ? engine_setting_of(engine, place, model, index)
					       : "";
		cleanup_fail struct fail why = {0};
		if (value[0] == '\0' || takes(limit, index, value, &why)) {
			continue;
		}
		const struct provider *provider = engine_provider(engine, model);
		cleanup_free char *where = values_where(engine->values, place, model,
				provider != NULL ? provider->config : NULL, index);
		return fail_set(fail, why.code,
				"%s, as %s has it: write one that this model takes to its "
				"config/%s",
				fail_words(&why), where != NULL ? where : "config/", limit->name);
	}
	return true;
}

bool limits_pass_kept(struct engine *engine, const struct place *model, char *const *values,
		struct fail *fail) {
	const struct limits *limits = stated(engine, model);
	for (size_t i = 0; limits != NULL && i < limits->n; i++) {
		const struct limit *limit = &limits->list[i];
		int index = setting_find(limit->name);
		cleanup_fail struct fail why = {0};
		if (index >= 0 && values[index] != NULL &&
				!takes(limit, index, values[index], &why)) {
			return fail_set(fail, ERANGE, "%s", fail_words(&why));
		}
	}
	return true;
}
