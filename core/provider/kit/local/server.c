/* A server of this machine: see conduit/kit/server.h. */
#include <conduit/kit/server.h>

#include "core/provider/kit/local/local.h"

#include <conduit/kit/failure.h>

const char *conduit_server_url(struct conduit_job *job, const char *path) {
	struct local *local = local_of(job);
	if (local == NULL) {
		return "";
	}
	buf_clear(&local->url);
	buf_add_format(&local->url, "%s%s", conduit_base_url(job), path);
	return buf_string(&local->url);
}

void conduit_server_get(struct conduit_job *job, const char *path, conduit_answered *then) {
	if (conduit_local_expect(job, then)) {
		conduit_request(job, &(struct conduit_request){.method = "GET",
						     .url = conduit_server_url(job, path)});
	}
}

void conduit_server_done(struct conduit_job *job, const struct conduit_answer *answer) {
	if (answer->status >= 200 && answer->status <= 299) {
		conduit_finish(job, "stop", NULL);
	} else {
		conduit_http_failure(job, answer->status, answer->type, answer->body, answer->size);
	}
}

void conduit_server_media_done(struct conduit_job *job, const struct conduit_answer *answer) {
	bool good = answer->status >= 200 && answer->status <= 299;
	if (!good || conduit_media_came(job, answer->type, "the result itself")) {
		conduit_server_done(job, answer);
	}
}

char *conduit_server_names(const struct conduit_json *array, const char *name, const char *more) {
	cleanup_buf struct buf lines = {0};
	const struct conduit_json *each = conduit_json_type(array, NULL) == CONDUIT_JSON_ARRAY
							  ? conduit_json_first(array)
							  : NULL;
	for (; each != NULL; each = conduit_json_next(each)) {
		const char *text = conduit_json_string(each, name);
		text = text != NULL ? text : conduit_json_string(each, NULL);
		if (text != NULL && text[0] != '\0') {
			buf_add_format(&lines, "%s\n", text);
		}
	}
	buf_add_string(&lines, more != NULL && lines.size != 0 ? more : "");
	return buf_take(&lines);
}
