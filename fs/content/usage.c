/* What `usage` shows at the root and at a provider: sums of the ledger. */
#include "core/base/usd.h"
#include "core/store/ledger.h"
#include "fs/content/show.h"

#include <inttypes.h>
#include <string.h>

/* How far the lines a day and a month go back. */
#define DAYS_SHOWN 31
#define MONTHS_SHOWN 12

static bool period_lines(struct tree *tree, const char *provider, const char *prefix,
		int64_t period, struct buf *out) {
	struct usage_sum sum = {0};
	char key[64];
	if (!ledger_sum(tree->engine->store, provider, period, &sum)) {
		return false;
	}
	snprintf(key, sizeof(key), "%s_turns", prefix);
	show_count(out, key, sum.turns);
	snprintf(key, sizeof(key), "%s_prompt_tokens", prefix);
	show_count(out, key, sum.prompt_tokens);
	snprintf(key, sizeof(key), "%s_completion_tokens", prefix);
	show_count(out, key, sum.completion_tokens);
	snprintf(key, sizeof(key), "%s_cost", prefix);
	show_usd(out, key, sum.cost);
	/* Not called "cost…": a sum over keys with cost in them must not count these. */
	snprintf(key, sizeof(key), "%s_unpriced_turns", prefix);
	show_count(out, key, sum.unpriced);
	snprintf(key, sizeof(key), "%s_unpriced_most", prefix);
	return show_usd(out, key, sum.bound);
}

/* ---- lines of groups: "provider NAME turns=3 cost=0.01 …" ---- */

/* A name as /proc/mounts has it: blanks and backslashes in octal. */
static bool add_word(struct buf *out, const char *word) {
	for (; *word != '\0'; word++) {
		bool plain = *word != ' ' && *word != '\\';
		if (!(plain ? buf_add_byte(out, *word)
			    : buf_add_format(out, "\\%03o", (unsigned)*word))) {
			return false;
		}
	}
	return true;
}

static bool add_sum(struct buf *out, const struct usage_sum *sum) {
	return buf_add_format(out,
			       " turns=%" PRId64 " prompt_tokens=%" PRId64
			       " completion_tokens=%" PRId64 " cost=",
			       sum->turns, sum->prompt_tokens, sum->completion_tokens) &&
	       usd_add(out, sum->cost) &&
	       buf_add_format(out, " unpriced_turns=%" PRId64 "\n", sum->unpriced);
}

static void provider_usage(void *data, const struct ledger_line *line) {
	struct buf *out = data;
	buf_add_string(out, "provider ");
	add_word(out, line->provider);
	add_sum(out, &line->sum);
}

/* What was never given to a model isn't one's. */
static void model_usage(void *data, const struct ledger_line *line) {
	struct buf *out = data;
	if (line->model[0] != '\0') {
		buf_add_string(out, "model ");
		add_word(out, line->provider);
		buf_add_byte(out, '/');
		add_word(out, line->model);
		add_sum(out, &line->sum);
	}
}

static void day_usage(void *data, const struct ledger_line *line) {
	int64_t day = line->period;
	buf_add_format(data, "day %04" PRId64 "-%02" PRId64 "-%02" PRId64, day / 10000,
			day / 100 % 100, day % 100);
	add_sum(data, &line->sum);
}

static void month_usage(void *data, const struct ledger_line *line) {
	buf_add_format(data, "month %04" PRId64 "-%02" PRId64, line->period / 100,
			line->period % 100);
	add_sum(data, &line->sum);
}

/* So many months before one. */
static int64_t months_before(int64_t month, int64_t n) {
	int64_t count = month / 100 * 12 + month % 100 - 1 - n;
	return count / 12 * 100 + count % 12 + 1;
}

static bool usage(struct tree *tree, const char *provider, struct buf *out) {
	struct store *store = tree->engine->store;
	int64_t now = now_us(), today = ledger_day(now), month = ledger_month(today);
	int64_t first = ledger_day(now - (DAYS_SHOWN - 1) * INT64_C(86400000000));
	/* A clock that was set back has days to come. */
	return period_lines(tree, provider, "today", today, out) &&
	       period_lines(tree, provider, "month", month, out) &&
	       period_lines(tree, provider, "total", LEDGER_ALL, out) &&
	       (provider != NULL || ledger_each(store, LEDGER_BY_PROVIDER, NULL, LEDGER_ALL,
						    LEDGER_ALL, provider_usage, out)) &&
	       ledger_each(store, LEDGER_BY_MODEL, provider, LEDGER_ALL, LEDGER_ALL, model_usage,
			       out) &&
	       ledger_each(store, LEDGER_BY_PERIOD, provider,
			       months_before(month, MONTHS_SHOWN - 1), LEDGER_MONTH_LAST,
			       month_usage, out) &&
	       ledger_each(store, LEDGER_BY_PERIOD, provider, first, LEDGER_DAY_LAST, day_usage,
			       out) &&
	       !out->failed;
}

SHOW(show_root_usage) {
	(void)node, (void)tid;
	return usage(tree, NULL, out);
}

SHOW(show_provider_usage) {
	(void)tid;
	return usage(tree, node->provider->name, out);
}
