/* Prices: see price.h. */
#include "core/engine/money/price.h"

#include "core/base/text.h"
#include "core/base/usd.h"

#include <math.h>
#include <string.h>

static bool is_local(const struct provider *provider) {
	return provider->version != NULL && provider->version->local;
}

/* Of the kind that only ever runs on this machine: its 0 is no rounding and no relay's. */
static bool is_of_local_kind(const struct provider *provider) {
	const struct version *version = provider->version;
	return is_local(provider) && version->manifest.local && !version->foreign;
}

static bool is_foreign(const struct provider *provider) {
	return provider->version != NULL && provider->version->foreign;
}

/* Whether a list such as "text,image" has the member. */
static bool lists(const char *list, const char *member) {
	size_t length = strlen(member);
	for (; *list != '\0'; list += strspn(list, ", ")) {
		size_t size = strcspn(list, ", ");
		if (size == length && memcmp(list, member, length) == 0) {
			return true;
		}
		list += size;
	}
	return false;
}

/* The stated price; above a number of prompt tokens it may be another: "prompt@200000". The dearest
 * that applies, -1 when it isn't stated or is variable. */
static double stated(const struct model_record *record, const char *name, int64_t prompt_tokens) {
	double price = -1;
	size_t length = strlen(name);
	if (!model_price(record, name, &price) || price < 0) {
		return -1;
	}
	for (size_t i = 0; i < record->n_prices; i++) {
		const struct model_price *tier = &record->prices[i];
		int64_t above = 0;
		if (strncmp(tier->name, name, length) == 0 && tier->name[length] == '@' &&
				parse_int64(tier->name + length + 1, &above) &&
				prompt_tokens >= above) {
			price = fmax(price, tier->usd);
		}
	}
	return price;
}

/* The dearest of several that are stated, at least `least`. */
static double dearest(const struct model_record *record, const char *const *names, size_t n,
		int64_t prompt_tokens, double least) {
	for (size_t i = 0; i < n; i++) {
		least = fmax(least, stated(record, names[i], prompt_tokens));
	}
	return least;
}

/* Whether the stated prices bound an answer: those of text by prompt and completion, images and
 * sound by a price of their own tokens, speech and embeddings by what goes in. For what else there
 * is (video, transcription …) a price of 0 says nothing. */
static bool bounds_output(const struct model_record *record, double prompt) {
	const char *output = record->output_modalities;
	if (lists(output, "video") || lists(output, "transcription") || lists(output, "rerank")) {
		return false;
	}
	if (lists(output, "image") && stated(record, "image_output", 0) < 0) {
		return false;
	}
	if (lists(output, "audio") && stated(record, "audio_output", 0) < 0) {
		return false;
	}
	return prompt > 0 || (!lists(output, "speech") && !lists(output, "embeddings"));
}

/* "image" is what a picture costs. Where tokens have prices it is one that goes in, as OpenRouter
 * means it; where nothing else has, of a model that makes pictures alone, it is one that is made.
 */
static bool is_by_picture(const struct model_record *record) {
	static const char *const others[] = {"prompt", "completion", "image_output", "image_token"};
	double price = 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (model_price(record, others[i], &price)) {
			return false;
		}
	}
	return strcmp(record->output_modalities, "image") == 0 && stated(record, "image", 0) > 0;
}

static struct price stated_price(
		const struct model_record *record, int64_t prompt_tokens, bool most) {
	static const char *const in[] = {"input_cache_write"};
	static const char *const out[] = {"internal_reasoning", "image_output", "audio_output"};
	struct price price = {
			.prompt = stated(record, "prompt", prompt_tokens),
			.completion = stated(record, "completion", prompt_tokens),
			.request = fmax(stated(record, "request", prompt_tokens), 0),
	};
	double request = 0;
	bool variable = model_price(record, "request", &request) && request < 0;
	price.known = price.prompt >= 0 && price.completion >= 0 && !variable &&
		      bounds_output(record, price.prompt);
	/* As a bound: the tokens of a picture may be all that it costs. */
	price.image_in = most ? fmax(stated(record, "image", 0), 0) : 0;
	if (is_by_picture(record)) {
		price.known = !variable;
		price.prompt = price.completion = 0;
		price.image_out = stated(record, "image", 0);
	} else if (most) {
		price.prompt = dearest(record, in, 1, prompt_tokens, price.prompt);
		price.completion = dearest(record, out, 3, prompt_tokens, price.completion);
	} else if (lists(record->output_modalities, "image") ||
			lists(record->output_modalities, "audio")) {
		/* How many of the tokens were which isn't known. */
		price.known = false;
	}
	return price;
}

struct price price_of(const struct provider *provider, const struct model_record *record,
		int64_t prompt_tokens, bool most) {
	const struct config_price *own = provider->config != NULL ? &provider->config->price : NULL;
	bool has_own = own != NULL && own->stated;
	if (!has_own || !is_foreign(provider)) {
		bool unpriced = is_of_local_kind(provider)
						? !record_is_priced(record)
						: is_local(provider) && record->n_prices == 0;
		if (record->free || (unpriced && !has_own)) {
			return (struct price){.known = true};
		}
		struct price price = stated_price(record, prompt_tokens, most);
		if (price.known || !has_own) {
			return price;
		}
	}
	return (struct price){
			.known = true,
			.prompt = own->prompt,
			.completion = own->completion,
			.request = own->request,
	};
}

/* Whether the catalogue's prices say what a token costs: 0 does only where that makes it free.
 * Rankings, say, are listed at 0 and billed by the search. */
static bool says(const struct place *model) {
	return model->free || (model->price_prompt >= 0 && model->price_completion >= 0 &&
					      model->price_prompt + model->price_completion > 0);
}

/* What config.yml says of a model, where it counts; else NULL. */
static const struct config_price *own_price(
		const struct provider *provider, const struct place *model) {
	const struct config_price *own = provider->config != NULL ? &provider->config->price : NULL;
	bool counts = own != NULL && own->stated && (is_foreign(provider) || !says(model));
	return counts ? own : NULL;
}

void price_stated(const struct provider *provider, const struct place *model, double *ret_prompt,
		double *ret_completion) {
	const struct config_price *own = own_price(provider, model);
	bool varies = model->price_prompt < 0 || model->price_completion < 0;
	bool known = varies || says(model);
	*ret_prompt = own != NULL ? own->prompt : known ? (double)model->price_prompt : NAN;
	*ret_completion = own != NULL ? own->completion
			  : known     ? (double)model->price_completion
				      : NAN;
}

bool price_is_nothing(const struct provider *provider, const struct place *model) {
	const struct config_price *own = own_price(provider, model);
	if (own != NULL) {
		return own->prompt <= 0 && own->completion <= 0 && own->request <= 0;
	}
	bool stated = !isnan(model->price_prompt) || !isnan(model->price_completion);
	return model->free ||
	       (!model->priced && (is_of_local_kind(provider) || (is_local(provider) && !stated)));
}

void price_add_images(struct price *price, size_t in, int64_t out) {
	price->request += price->image_in * (double)in + price->image_out * (double)out;
}

bool price_is_zero(const struct price *price) {
	return price->known && price->prompt <= 0 && price->completion <= 0 &&
	       price->request <= 0 && price->image_in <= 0 && price->image_out <= 0;
}

int64_t price_cost(const struct price *price, int64_t prompt_tokens, int64_t completion_tokens) {
	if (!price->known) {
		return -1;
	}
	/* A count that isn't known doesn't matter where a token costs nothing. */
	double prompt = price->prompt > 0 ? price->prompt * (double)prompt_tokens : 0;
	double completion = price->completion > 0 ? price->completion * (double)completion_tokens
						  : 0;
	if (prompt < 0 || completion < 0) {
		return -1;
	}
	return usd_from_up(prompt + completion + price->request);
}
