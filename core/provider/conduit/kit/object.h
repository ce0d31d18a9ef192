/* Kit: a request's body as one JSON object, written member by member out of a turn.
 *
 *     struct conduit_object *object = conduit_object_create(turn);
 *     if (conduit_object_member(object, "model")) {
 *             conduit_body_string(conduit_object_body(object), turn->model, strlen(turn->model));
 *     }
 *     conduit_object_setting(object, "temperature", "temperature", CONDUIT_FORM_NUMBER);
 *     conduit_object_send(object, job, &(struct conduit_request){.method = "POST", .url = url});
 *     conduit_object_destroy(object);
 *
 * The members of the setting `extra`, a JSON object, are added as it is sent, digit for digit as
 * they were written, and win: a member that extra has is written by nobody else.
 *
 * What can't be sent (a setting that isn't what its form says, memory) is remembered and fails the
 * job when it is sent, with words that name it; nothing needs to be checked before. All of these
 * take a NULL object. */
#ifndef CONDUIT_KIT_OBJECT_H
#define CONDUIT_KIT_OBJECT_H

#include <conduit/kit/body.h>

struct conduit_object;

/* What a setting's text becomes. */
enum conduit_form {
	CONDUIT_FORM_NUMBER, /* digit for digit, where JSON allows it */
	CONDUIT_FORM_BOOL, /* true on yes 1, false off no 0 */
	CONDUIT_FORM_STRING,
	CONDUIT_FORM_LINES, /* an array of strings, one a line */
	CONDUIT_FORM_JSON, /* as it is */
	CONDUIT_FORM_JSON_OR_WORD, /* the same, or a bare lower-case word that becomes a string */
};

/* NULL without memory. The turn must outlive it. */
struct conduit_object *conduit_object_create(const struct conduit_turn *turn);
void conduit_object_destroy(struct conduit_object *object);

/* Writes a member's name; true when its value is to be written to conduit_object_body next. False:
 * extra has that member, and nothing was written. */
bool conduit_object_member(struct conduit_object *object, const char *name);
struct conduit_body *conduit_object_body(struct conduit_object *object);

/* Begins a member that is an object itself: what is written until conduit_object_close are its
 * members. False: extra has that member; it stands instead, and nothing is to be closed. Not within
 * another. */
bool conduit_object_open(struct conduit_object *object, const char *name);
void conduit_object_close(struct conduit_object *object);

/* Whether a setting is in force and more than blanks. */
bool conduit_object_has(const struct conduit_object *object, const char *setting);
/* Writes a setting that is in force as the member `name`. */
void conduit_object_setting(struct conduit_object *object, const char *setting, const char *name,
		enum conduit_form form);
/* The service has no such settings: those of them that are in force get a line in the log. `names`
 * ends with NULL; it may be NULL. */
void conduit_object_leave_out(struct conduit_object *object, struct conduit_job *job,
		const char *service, const char *const *names);
/* The turn can't be sent: EINVAL with these words. The first refusal stands. */
void conduit_object_refuse(struct conduit_object *object, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* Text before and after the whole object as it is sent: `{"version":"1","input":` and `}`. To be
 * said before the first member. */
void conduit_object_wrap(struct conduit_object *object, const char *before, const char *after);

/* Closes the object and makes the request with it as the body (its own `body` and `n_body` are
 * ignored), or fails the job. */
void conduit_object_send(struct conduit_object *object, struct conduit_job *job,
		const struct conduit_request *request);

#endif
