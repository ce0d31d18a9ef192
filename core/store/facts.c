/* What follows from a model's stated facts: whether it is free, whether text comes out. */
#include "core/store/catalogue.h"

#include "core/config/capability.h"

#include <math.h>
#include <string.h>

/* Walks a comma-separated list: how many members are "text", how many there are. */
static void count_text(const char *list, size_t *ret_text, size_t *ret_all) {
	*ret_text = *ret_all = 0;
	while (*(list += strspn(list, ", ")) != '\0') {
		size_t length = strcspn(list, ", ");
		*ret_text += length == strlen("text") && memcmp(list, "text", length) == 0;
		*ret_all += 1;
		list += length;
	}
}

static const char *output_of(const struct job_model *model) {
	return model->output_modalities != NULL ? model->output_modalities : "";
}

bool model_is_chat(const struct job_model *model) {
	size_t text, all;
	count_text(output_of(model), &text, &all);
	return text != 0;
}

bool model_is_free(const struct job_model *model) {
	static const char suffix[] = ":free";
	const size_t length = sizeof(suffix) - 1;
	bool prompt = false, completion = false;
	for (size_t i = 0; i < model->n_prices; i++) {
		const struct job_price *price = &model->prices[i];
		if (fpclassify(price->usd) != FP_ZERO) {
			return false; /* NaN and infinity too */
		}
		prompt = prompt || strncmp(price->name, "prompt", sizeof(price->name)) == 0;
		completion = completion ||
			     strncmp(price->name, "completion", sizeof(price->name)) == 0;
	}
	size_t text, all;
	count_text(output_of(model), &text, &all);
	bool named = model->id_size >= length &&
		     memcmp(model->id + model->id_size - length, suffix, length) == 0;
	return prompt && completion && ((all != 0 && text == all) || named);
}

bool model_is_priced(const struct job_model *model) {
	for (size_t i = 0; i < model->n_prices; i++) {
		if (fpclassify(model->prices[i].usd) != FP_ZERO) {
			return true;
		}
	}
	return false;
}

bool record_is_priced(const struct model_record *record) {
	for (size_t i = 0; i < record->n_prices; i++) {
		if (fpclassify(record->prices[i].usd) != FP_ZERO) {
			return true;
		}
	}
	return false;
}

uint32_t model_able(const struct job_model *model) {
	return capabilities_of(model->input_modalities != NULL ? model->input_modalities : "",
			output_of(model));
}

float model_token_price(const struct job_model *model, const char *name) {
	for (size_t i = 0; i < model->n_prices; i++) {
		const struct job_price *price = &model->prices[i];
		if (strncmp(price->name, name, sizeof(price->name)) == 0) {
			return price->usd < 0 ? -1 : (float)price->usd;
		}
	}
	return NAN;
}

bool model_price(const struct model_record *record, const char *name, double *ret) {
	for (size_t i = 0; i < record->n_prices; i++) {
		if (strcmp(record->prices[i].name, name) == 0) {
			*ret = record->prices[i].usd;
			return true;
		}
	}
	return false;
}
