/* A recorded exchange as it was read: shared by what reads it, what replays it and what shows it.
 */
#ifndef CORE_PROVIDER_REPLAY_RECORDED_H
#define CORE_PROVIDER_REPLAY_RECORDED_H

#include "core/provider/replay/exchange.h"
#include "core/provider/replay/exchange_lines.h"
#include "core/provider/replay/replay.h"

struct exchange {
	char *path;
	char *base_url;
	struct exchange_lines lines;
	struct conduit_setting settings[EXCHANGE_LINES_MOST];
	struct replay_exchange replies[EXCHANGE_LINES_MOST];
	/* The conversation, the prompt last: message, part and file have the same place. Parts of
	 * the prompt that are attached follow. */
	struct replay_file files[EXCHANGE_LINES_MOST + 1];
	struct conduit_part parts[EXCHANGE_LINES_MOST + 1];
	struct conduit_message messages[EXCHANGE_LINES_MOST + 1];
	struct conduit_turn turn;
	bool is_discovery;
	const char *look_up; /* the one model that is looked up; else NULL */
	struct replay_script script;
};

/* Adds a line to `faults` for each line of the exchange that the replay doesn't bear out. */
void exchange_expect(
		const struct exchange *exchange, const struct replay *replay, struct buf *faults);
/* Answers the turn's first request with each HTTP status of the manual's table. */
void exchange_probe(const struct exchange *exchange, const struct conduit_provider *provider,
		struct exchange_report *report);
/* What a user of the tree would see of it. */
void exchange_show(const struct exchange *exchange, const struct replay *replay, bool whole,
		struct buf *view);

#endif
