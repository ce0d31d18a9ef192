/* Finding a model that converts: see converter.h. */
#include "core/engine/attach/converter.h"

#include "core/config/capability.h"
#include "core/engine/attach/media.h"
#include "core/engine/engine.h"
#include "core/engine/route/route.h"
#include "core/store/annex.h"

#include <string.h>

/* What a capability "audio-to-text" makes of such a file; NULL when that isn't what it is for. */
static const char *made_of(const char *capability, const char *modality) {
	size_t length = strlen(modality);
	static const char to[] = "-to-";
	bool from = strncmp(capability, modality, length) == 0 &&
		    strncmp(capability + length, to, strlen(to)) == 0;
	return from ? capability + length + strlen(to) : NULL;
}

/* Whether a route would ask somebody for this now, and whom. */
static bool find(struct engine *engine, int capability, struct route_choice *ret) {
	static const struct route_wish anybody = {.in_back_off = true, .with_full_queue = true};
	struct place *route = annex_find(catalogue_root(engine->catalogue), PLACE_ROUTE,
			capability_name(capability));
	return route != NULL && route_choose(engine, route, &anybody, ret, NULL);
}

static bool tell(const struct route_choice *choice, const char *what, const char *made,
		const char *rest, struct buf *out) {
	cleanup_buf struct buf path = {0};
	return place_path(choice->model, &path) &&
	       buf_add_format(out, "providers/%s/models/%s %s %s%s", choice->provider->name,
			       buf_string(&path), what, media_said(made), rest);
}

bool converter_find(struct engine *engine, const struct model_record *record, const char *type,
		struct buf *out) {
	const char *modality = media_modality(type);
	struct route_choice choice;
	for (int i = 0; i < n_capabilities; i++) {
		const char *made = made_of(capability_name(i), modality);
		if (made != NULL && strcmp(made, modality) != 0 &&
				media_lists(record->input_modalities, made) &&
				find(engine, i, &choice)) {
			return tell(&choice, "makes", made, " of it", out);
		}
	}
	for (int i = 0; i < n_capabilities; i++) {
		const char *made = made_of(capability_name(i), modality);
		if (made != NULL && media_lists(record->output_modalities, made) &&
				find(engine, i, &choice)) {
			return tell(&choice, "takes it and makes", made, "", out);
		}
	}
	return false;
}
