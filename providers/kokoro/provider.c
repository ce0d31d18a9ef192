/* Kokoro (text to speech) behind a Kokoro-FastAPI server: one model, many voices, which mix. */
#include <conduit/kit/failure.h>
#include <conduit/kit/object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "kokoro"

/* A list of voices: larger is none. */
#define BODY_MOST ((size_t)1 << 20)

struct state {
	bool is_turn;
	int status;
	char type[128];
	char *body; /* of a reply that isn't the result; a NUL follows */
	size_t size;
};

static struct state *make_state(struct conduit_job *job) {
	struct state *state = calloc(1, sizeof(*state));
	if (state == NULL || (state->body = calloc(1, 1)) == NULL) {
		free(state);
		conduit_fail(job, &(struct conduit_failure){.words = "memory is short"});
		return NULL;
	}
	conduit_set_state(job, state);
	return state;
}

/* ---- its voices ---- */

static void discover(struct conduit_job *job) {
	char url[2048];
	if (make_state(job) != NULL) {
		snprintf(url, sizeof(url), "%s/v1/audio/voices", conduit_base_url(job));
		conduit_request(job, &(struct conduit_request){.method = "GET", .url = url});
	}
}

/* Voices one a line: strings, or since 0.3 objects with an id. `to` has room for all of them, for
 * each takes more in JSON. How many there are. */
static size_t list_voices(const struct conduit_json *list, char *to) {
	size_t n = 0;
	const struct conduit_json *voice = conduit_json_first(conduit_json_get(list, "voices"));
	for (; voice != NULL; voice = conduit_json_next(voice)) {
		const char *id = conduit_json_string(voice, "id");
		id = id != NULL ? id : conduit_json_string(voice, NULL);
		if (id != NULL && id[0] != '\0') {
			to = stpcpy(stpcpy(to, id), "\n");
			n++;
		}
	}
	/* Mixes, as af_bella(2)+af_sky(1). */
	strcpy(to, "*");
	return n;
}

static void emit(struct conduit_job *job, const char *voices) {
	static const struct conduit_price prices[] = {{"prompt", 0}, {"completion", 0}};
	const struct conduit_limit limits[] = {
			{.name = "voice", .choices = voices, .standard = "af_heart"},
			{.name = "format",
					.choices = "mp3\nopus\naac\nflac\nwav\npcm",
					.standard = "mp3"},
			{.name = "speed", .least = 0.25, .most = 4, .standard = "1"},
			{.name = "language",
					.help = "A letter that says how words are spoken: a as in "
						"America, b as in Britain; unset, as the voice "
						"does."},
	};
	conduit_model(job, &(struct conduit_model){.id = ID,
					   .id_size = strlen(ID),
					   .name = "Kokoro",
					   .description = "Speaks what is written.",
					   .input_modalities = "text",
					   .output_modalities = "speech",
					   .prices = prices,
					   .n_prices = 2,
					   .limits = limits,
					   .n_limits = sizeof(limits) / sizeof(limits[0])});
	conduit_finish(job, NULL, NULL);
}

static void end_voices(struct conduit_job *job, const struct state *state) {
	struct conduit_json *list = state->status == 200
						    ? conduit_json_parse(state->body, state->size)
						    : NULL;
	char *voices = malloc(state->size + 2);
	if (voices != NULL && list_voices(list, voices) != 0) {
		emit(job, voices);
	} else {
		conduit_fail(job,
				&(struct conduit_failure){.kind = CONDUIT_FAIL_GONE,
						.words = "what answers there is no Kokoro server: "
							 "it names no voices"});
	}
	free(voices);
	conduit_json_free(list);
}

/* ---- a turn ---- */

static const struct conduit_part *find_text(const struct conduit_turn *turn) {
	const struct conduit_message *last = turn->n_messages != 0
							     ? &turn->messages[turn->n_messages - 1]
							     : NULL;
	for (size_t i = 0; last != NULL && i < last->n_parts; i++) {
		if (strncmp(last->parts[i].type, "text/", 5) == 0) {
			return &last->parts[i];
		}
	}
	return NULL;
}

static void put_text(struct conduit_object *object, const char *name, const char *text) {
	if (conduit_object_member(object, name)) {
		conduit_body_string(conduit_object_body(object), text, strlen(text));
	}
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct conduit_part *text = find_text(turn);
	struct state *state = make_state(job);
	char url[2048];
	if (state == NULL) {
		return;
	}
	state->is_turn = true;
	struct conduit_object *object = conduit_object_create(turn);
	struct conduit_body *body = conduit_object_body(object);
	put_text(object, "model", turn->model);
	if (text == NULL) {
		conduit_object_refuse(object, "only text can be spoken: write some");
	} else if (conduit_object_member(object, "input")) {
		conduit_body_text(body, "\"");
		conduit_body_file(body, CONDUIT_FILE_JSON, text->file);
		conduit_body_text(body, "\"");
	}
	conduit_object_setting(object, "voice", "voice", CONDUIT_FORM_STRING);
	if (!conduit_object_has(object, "format")) {
		put_text(object, "response_format", "mp3");
	}
	conduit_object_setting(object, "format", "response_format", CONDUIT_FORM_STRING);
	conduit_object_setting(object, "speed", "speed", CONDUIT_FORM_NUMBER);
	conduit_object_setting(object, "language", "lang_code", CONDUIT_FORM_STRING);
	snprintf(url, sizeof(url), "%s/v1/audio/speech", conduit_base_url(job));
	conduit_object_send(object, job,
			&(struct conduit_request){.method = "POST",
					.url = url,
					.headers = headers,
					.sink = CONDUIT_TO_OUTPUT});
	conduit_object_destroy(object);
}

/* ---- replies ---- */

static void reply(struct conduit_job *job, const struct conduit_reply *head) {
	struct state *state = conduit_state(job);
	state->status = head->status;
	snprintf(state->type, sizeof(state->type), "%s", head->content_type);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct state *state = conduit_state(job);
	size_t room = BODY_MOST - state->size;
	size = size < room ? size : room;
	char *grown = realloc(state->body, state->size + size + 1);
	if (grown != NULL) {
		memcpy(grown + state->size, bytes, size);
		state->body = grown;
		state->size += size;
		state->body[state->size] = '\0';
	}
}

static void end(struct conduit_job *job) {
	struct state *state = conduit_state(job);
	if (!state->is_turn) {
		end_voices(job, state);
	} else if (state->status >= 200 && state->status <= 299) {
		conduit_finish(job, "stop", NULL);
	} else {
		conduit_http_failure(job, state->status, state->type, state->body, state->size);
	}
}

static void release(struct conduit_job *job) {
	struct state *state = conduit_state(job);
	if (state != NULL) {
		free(state->body);
		free(state);
	}
}

CONDUIT_PROVIDER(.name = "kokoro", .version = "1.0.0", .discover = discover, .transform = transform,
		.reply = reply, .data = data, .end = end, .release = release)
