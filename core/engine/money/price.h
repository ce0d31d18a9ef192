/* What a model's tokens cost, from the prices that its service states or that config.yml gives. */
#ifndef CORE_ENGINE_MONEY_PRICE_H
#define CORE_ENGINE_MONEY_PRICE_H

#include "core/engine/provider.h"

/* USD for a token of the prompt, a token of the answer, a request; for a picture that goes in
 * (beside its tokens) and for one that is made. */
struct price {
	bool known;
	double prompt, completion, request;
	double image_in, image_out;
};

/* For a prompt of so many tokens: many services ask more for long ones. `most`: as a bound (what a
 * token may cost at most, of whatever comes out), else as what an answer in text will cost. What is
 * certainly free, and what is of this machine and states no price, costs nothing; nor, where its
 * manifest says `type: local`, does what states 0: at an address of this machine something may
 * answer that hands on, with the list of another.
 *
 * Stated prices count before config.yml's; for a provider from outside, whose word it is, after. */
struct price price_of(const struct provider *provider, const struct model_record *record,
		int64_t prompt_tokens, bool most);
/* The same of a token whatever the prompt's length, as routing goes by it: USD, NaN when it isn't
 * known, negative when it varies. */
void price_stated(const struct provider *provider, const struct place *model, double *ret_prompt,
		double *ret_completion);
/* Whether it certainly costs nothing: see price_of. */
bool price_is_nothing(const struct provider *provider, const struct place *model);
/* Counts so many pictures in and out into the price of the request. */
void price_add_images(struct price *price, size_t in, int64_t out);
/* Whether nothing that is asked could cost anything. */
bool price_is_zero(const struct price *price);
/* Pico-USD for so many tokens, rounded up; -1 when the price or a count isn't known. */
int64_t price_cost(const struct price *price, int64_t prompt_tokens, int64_t completion_tokens);

#endif
