/* A run: a turn from its place in the queue to its end, over as many attempts as it takes. Private
 * to the files of this folder. */
#ifndef CORE_ENGINE_RUN_RUN_H
#define CORE_ENGINE_RUN_RUN_H

#include "core/engine/money/budget.h"
#include "core/engine/route/route.h"
#include "core/engine/run/exchange.h"
#include "core/engine/run/record.h"
#include "core/engine/run/results.h"
#include "core/turn/turn.h"

/* What the run is in the books: see books.h. */
struct run_terms {
	char *model; /* path of the model that answers, below its provider's models/ */
	int64_t reserved; /* pico-USD that the turn can't exceed; -1 unknown */
	int64_t elsewhere; /* of these, what models that failed it may have cost; -1 unknown */
	int64_t max_tokens;
	struct reservation reservation; /* of the budgets */
};

/* Models of the same provider that its service asks by itself when the one that is asked fails:
 * limits.fallback_models of its manifest. */
struct fallback {
	int64_t models[MANIFEST_FALLBACK_MOST]; /* ids of their places, without the first */
	size_t n;
	char *setting; /* all of them, as a JSON array; NULL for none */
	bool refused; /* the request with them was: it was sent again without */
};

struct run {
	struct list link; /* in the provider's queue or running list */
	struct provider *provider;
	struct turn *turn; /* held */
	int64_t model; /* id of the place that answers: the turn's own, or what a session or a
			  route leads to */
	bool routed; /* by a route: another may answer, see failover.c */
	int64_t tried[ROUTE_TRIES]; /* ids of the models that failed it */
	size_t n_tried;
	struct fallback fallback; /* of the attempt */
	char **settings; /* by the table's index, as they were at submission; NULL for none */
	struct exchange *exchange;
	struct fail failure; /* of what came in the middle of an attempt: the disk, a check */
	/* A job that was begun elsewhere is what it waits for: by this the provider picks it up.
	 * NULL: there is none, or it can't be. */
	char *token;
	bool submitted; /* a job was begun: no other model may be asked instead */
	int attempts;
	int64_t attempt_began;
	struct record record;
	struct results results;
	struct job_usage usage;
	bool has_usage;
	char *reply_head; /* its headers, a line each, where settle.h may want them; else NULL */
	bool charged; /* an attempt sent something that may cost */
	struct run_terms terms;
	bool text; /* text comes out: it ends with a newline */
	uv_timer_t timer; /* the wait between attempts; in an attempt, what need not be at once */
	struct text_check *check; /* of a large prompt, while it goes on */
	size_t n_checked; /* texts that were, see texts_pass */
	struct answer_work *answer_work; /* while a long conversation is read for `cache` */
	bool answer_read; /* and once it was */
};

/* What a turn hands to the provider; prepare.c makes it, run_prepared_finish frees it. */
struct prepared {
	struct job_turn turn;
	struct job_message *messages;
	struct job_part *parts;
	struct job_setting *settings;
	char max_tokens[32];
	char *capability;
	const char *wanted; /* the kind of result, where it isn't what the model makes first */
	struct exchange_file *files; /* taken over by the exchange */
	size_t n_files;
	struct attached *attached; /* names and types of the parts, a member a message */
	size_t n_attached;
	struct transfer_timeouts timeouts;
};

/* Where the prompt was written: a model, a session, a route; NULL once it is gone. */
struct place *run_place(const struct run *run);
/* The model that answers; NULL once it is gone from the catalogue. */
struct place *run_model(const struct run *run);

/* Keeps the settings that are in force now (design section 3.4); false without memory. */
bool run_keep_settings(struct run *run);
void run_drop_settings(struct run *run);
/* A setting as it was kept: "" for none, and as a number. */
const char *run_setting(const struct run *run, const char *name);
double run_number(const struct run *run, const char *name, double otherwise);

/* Gathers the conversation, the settings and the model's limits. False with words. */
bool prepare(struct run *run, struct prepared *ret, struct fail *fail);
/* The model's id and the capability, as a provider is told them; the caller frees both, also after
 * false: the model is gone, or memory is short. */
bool run_asks_for(const struct run *run, char **ret_model, char **ret_capability);
void prepared_finish(struct prepared *prepared);

/* Whether a finished output is what config/schema says it must be; EPROTO with words. */
bool output_conforms(struct run *run, const char *finish, struct fail *fail);

/* Puts a run into another provider's queue, for this model of it: nothing was answered yet. Both
 * queues are the caller's to pump. False with words (EDQUOT: the budgets don't let it): then it has
 * to be moved on or ended. */
bool run_move(struct run *run, struct provider *provider, struct place *model, struct fail *fail);

/* The model failed, or can't be asked: hands the prompt to the next that its route names, if that
 * is a failure which another may not meet and no byte of an answer came. False when it stays where
 * it is; else the run may be over when this returns. */
bool failover(struct run *run, int code, const char *words);
/* Keeps a line about the model beside the turn: that it was tried. */
void failover_note(struct run *run, int code, const char *words);
/* Before an attempt: hands it to another when the model costs money by now and nobody named it for
 * that, without another ends it; before the first also when the model is let be by now. */
bool failover_early(struct run *run);
/* Chooses the fallbacks of the next attempt: those that the route would ask next anyway, cost
 * nothing and have the same settings. */
void fallback_choose(struct run *run);
void fallback_drop(struct run *run);
/* The attempt failed: whether it is to be made once more, without the fallbacks that the service
 * may have refused it for. */
bool fallback_was_refused(struct run *run, int code);
/* The model that answered, by the name that the service gives it; NULL once it is gone. */
struct place *fallback_answered(struct run *run, const char *name);
/* A provider goes: its turns that a route brought go to the next, where there is one; those whose
 * job was begun don't. */
bool failover_unloaded(struct run *run);

/* Starts an attempt; ends through run_end. */
void attempt_begin(struct run *run);
/* Goes on with one that had to wait for something. */
void attempt_go_on(struct run *run);
/* Before it: whether all that is sent as text is UTF-8. False when there is no attempt to make now:
 * the run has ended, or attempt_begin is called when the check on the pool is through. */
bool texts_pass(struct run *run);
/* After it: waits and tries again, when the rules of design section 3.8 let it; false when they
 * don't. */
bool retry(struct run *run, const struct exchange_result *result);
/* We end, and the turn's job doesn't: the store has it as running, for a later start to pick up. */
void run_leave(struct run *run);
/* Ends the turn: state, words, usage, record; frees the run; the queue goes on. */
void run_end(struct run *run, enum turn_state state, int code, const char *words,
		const struct exchange_result *result);

#endif
