/* What the files of a model show, and its settings. */
#include "core/base/text.h"
#include "core/engine/model_limits.h"
#include "core/engine/models_table.h"
#include "core/engine/run/queue.h"
#include "fs/content/show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

SHOW(show_model_status) {
	size_t running = 0, queued = 0;
	struct engine *engine = tree->engine;
	int64_t id = engine_newest(engine, node->place, tid, false);
	cleanup_turn struct turn *turn = id != 0 ? turn_get(engine->turns, id) : NULL;
	queue_count(engine, node->place->id, &running, &queued);
	show_turn_lines(node->place, turn, out);
	show_count(out, "running", (int64_t)running);
	show_count(out, "queued", (int64_t)queued);
	return show_known(tree, node->place, out) && show_tried(turn, out) &&
	       show_next(tree, "next", node->place, out);
}

SHOW(show_model_ctl) {
	(void)tree, (void)node, (void)tid;
	return buf_add_string(out,
			"# cancel          end your newest turn here; closes its connection\n"
			"# retry           send your newest prompt again, as a new turn\n"
			"# reset           begin a new conversation: what was said before isn't "
			"sent\n"
			"#                 any more; the turns stay\n"
			"# fork NAME       make the session NAME with the conversation so far\n"
			"# submit          send what an open input holds, or a prompt whose "
			"writer\n"
			"#                 was ended by a signal\n");
}

/* Prices of tokens are shown in USD for a million; all others for one unit. */
static bool add_price(struct buf *out, const struct model_record *record, const char *price) {
	static const char *const per_unit[] = {"request", "image", "web_search", "second"};
	double usd;
	if (!model_price(record, price, &usd)) {
		return true;
	}
	if (usd < 0) {
		return buf_add_string(out, "variable\n");
	}
	for (size_t i = 0; i < sizeof(per_unit) / sizeof(per_unit[0]); i++) {
		if (strcmp(price, per_unit[i]) == 0) {
			return add_decimal(out, usd) && buf_add_byte(out, '\n');
		}
	}
	return add_decimal(out, usd * 1e6) && buf_add_byte(out, '\n');
}

static bool add_list(struct buf *out, const char *list) {
	while (*list != '\0') {
		size_t length = strcspn(list, ",");
		if (!buf_add(out, list, length) || !buf_add_byte(out, '\n')) {
			return false;
		}
		list += length + (list[length] == ',');
	}
	return true;
}

/* Those that the model names, and those it says a range or choices of. */
static bool add_parameters(struct buf *out, const struct model_record *record) {
	bool added = add_list(out, record->parameters);
	for (size_t i = 0; i < record->limits.n; i++) {
		int index = setting_find(record->limits.list[i].name);
		if (index >= 0 && !setting_listed(index, record->parameters)) {
			added = buf_add_format(out, "%s\n", setting_specs[index].name);
		}
	}
	return added;
}

static bool add_choices(struct buf *out, const struct model_record *record, const char *setting) {
	const struct limit *limit = limits_find(&record->limits, setting);
	const char *at = limit != NULL ? limit->choices : "", *choice;
	size_t length;
	while (limit_choice(&at, &choice, &length)) {
		buf_add_format(out, "%.*s\n", (int)length, choice);
	}
	return !out->failed;
}

static bool add_number(struct buf *out, int64_t number) {
	return number <= 0 || buf_add_format(out, "%" PRId64 "\n", number);
}

static bool add_text(struct buf *out, const char *text) {
	return text[0] == '\0' || buf_add_format(out, "%s\n", text);
}

SHOW(show_model_info) {
	(void)tid;
	const char *name = node->entry->name;
	const struct model_record *record = catalogue_record(tree->engine->catalogue, node->place);
	if (record == NULL) {
		return false;
	}
	if (starts_with(name, "price_")) {
		return add_price(out, record, name + strlen("price_"));
	}
	if (strcmp(name, "id") == 0) {
		return add_text(out, record->id);
	} else if (strcmp(name, "name") == 0) {
		return add_text(out, record->name);
	} else if (strcmp(name, "description") == 0) {
		return add_text(out, record->description);
	} else if (strcmp(name, "context_length") == 0) {
		return add_number(out, record->context_length);
	} else if (strcmp(name, "max_output") == 0) {
		return add_number(out, record->max_output);
	} else if (strcmp(name, "created") == 0) {
		return add_number(out, record->created);
	} else if (strcmp(name, "free") == 0) {
		return buf_add_string(out, record->free ? "yes\n" : "no\n");
	} else if (strcmp(name, "input_modalities") == 0) {
		return add_list(out, record->input_modalities);
	} else if (strcmp(name, "output_modalities") == 0) {
		return add_list(out, record->output_modalities);
	} else if (strcmp(name, "parameters") == 0) {
		return add_parameters(out, record);
	} else if (strcmp(name, "voices") == 0) {
		return add_choices(out, record, "voice");
	} else if (strcmp(name, "formats") == 0) {
		return add_choices(out, record, "format");
	} else if (strcmp(name, "raw.json") == 0) {
		/* Not every service says more than the facts. */
		return !catalogue_raw(tree->engine->catalogue, node->place, out) ||
		       buf_add_byte(out, '\n');
	}
	return false;
}

/* From free/<vendor>/<model> to models/<vendor>/<model>: as many steps up as the link lies deep. */
SHOW(show_free_link) {
	(void)tree, (void)tid;
	const struct place *path[64];
	size_t depth = 0;
	for (const struct place *place = node->place; place->kind == PLACE_COMPONENT && depth < 64;
			place = place->parent) {
		path[depth++] = place;
	}
	for (size_t i = 0; i < depth; i++) {
		buf_add_string(out, "../");
	}
	buf_add_string(out, "models");
	for (size_t i = depth; i-- > 0;) {
		buf_add_format(out, "/%s", path[i]->name);
	}
	return !out->failed;
}

SHOW(show_setting) {
	(void)tid;
	return add_text(out, limits_shown(tree->engine, node->place, node->setting));
}
