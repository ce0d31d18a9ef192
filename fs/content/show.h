/* What the files of the tree show, a function a kind of file; see fs/tree/table.c for which is
 * which. */
#ifndef FS_CONTENT_SHOW_H
#define FS_CONTENT_SHOW_H

#include "fs/tree/node.h"
#include "fs/tree/tree.h"

#define SHOW(name)                                                                                 \
	bool name(struct tree *tree, const struct node *node, int32_t tid, struct buf *out)

/* root.c */
SHOW(show_readme);
SHOW(show_root_status);
SHOW(show_root_ctl);
SHOW(show_root_error);

/* usage.c */
SHOW(show_root_usage);
SHOW(show_provider_usage);

/* estimate.c */
SHOW(show_estimate_help);

/* budget.c */
SHOW(show_budget);

/* provider.c */
SHOW(show_manifest);
SHOW(show_provider_status);
SHOW(show_provider_error);
SHOW(show_provider_log);
SHOW(show_provider_ctl);
SHOW(show_models_tsv);
SHOW(show_provider_info);

/* source.c */
SHOW(show_provider_source);
/* The lines of a provider's status about what is coming in from outside. */
bool show_load_lines(const struct load *load, struct buf *out);
/* What is asked for or went wrong with it, in lines. */
bool show_load_error(const struct load *load, struct buf *out);

/* model.c */
SHOW(show_model_status);
SHOW(show_model_ctl);
/* made.c */
bool show_known(struct tree *tree, struct place *place, struct buf *out);
SHOW(show_model_info);
SHOW(show_free_link);
SHOW(show_setting);

/* health.c */
SHOW(show_model_health);
/* The lines about a model or a provider that say how it does. */
bool show_health_lines(struct tree *tree, const struct place *place, struct buf *out);
/* "healthy", "degraded" or "down". */
const char *provider_health(struct provider *provider);

/* group.c */
SHOW(show_group_status);
SHOW(show_group_answer);

/* tree/route_node.c, route.c */
SHOW(show_route_link);
SHOW(show_route);
/* Of a route or a session of it: who would be asked now. */
bool show_next(struct tree *tree, const char *key, struct place *place, struct buf *out);
/* Whom a turn was sent to in vain, a line each. */
bool show_tried(struct turn *turn, struct buf *out);

/* attach.c */
SHOW(show_attached_link);

/* results.c */
SHOW(show_turn_typed_link);
SHOW(show_typed_link);
/* The MIME type of a turn's output; "" while it isn't known. */
bool show_type(struct turn *turn, struct buf *out);

/* turn.c */
SHOW(show_turn_link);
SHOW(show_last_link);
SHOW(show_turn_status);
SHOW(show_turn_usage);
SHOW(show_turn_error);
SHOW(show_zero_status);
SHOW(show_nothing);
/* "done"; "idle" for NULL. */
const char *turn_state_name(const struct turn *turn);
/* Appends the path of a model, a session or a route from the root. */
bool show_place_path(struct buf *out, const struct place *place);
/* The lines of a turn's status; NULL: of the one before the first. */
bool show_turn_lines(const struct place *place, struct turn *turn, struct buf *out);

/* Of several files: "key value" and a newline; a blank value is "-". */
bool show_line(struct buf *out, const char *key, const char *value);
bool show_count(struct buf *out, const char *key, int64_t value); /* below 0: "unknown" */
/* Pico-USD as a plain decimal: "0.00000034"; below 0: "unknown". */
bool show_usd(struct buf *out, const char *key, int64_t pico);
/* A time as RFC 3339 in UTC; 0: "-". */
bool show_time(struct buf *out, const char *key, int64_t us);

#endif
