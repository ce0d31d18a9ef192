/* What an owner may do from inside an event: cancel its job or another's, begin one, destroy the
 * process. */
#include "tests/unit/process/support.h"

#include <string.h>

/* What the events below do, once, and that they did. */
struct actor {
	struct fixture *fixture;
	struct job *job, *other;
	void (*act)(struct actor *actor);
	bool acted, ended;
	unsigned n_ends;
	struct owner next;
};

static void act(struct actor *actor) {
	if (!actor->acted) {
		actor->acted = true;
		actor->act(actor);
	}
}

static void on_read(void *data, uint32_t file) {
	(void)file;
	act(data);
}

static void on_output(void *data, const void *bytes, size_t size) {
	(void)bytes;
	(void)size;
	act(data);
}

static void on_model(void *data, const struct job_model *model) {
	(void)model;
	act(data);
}

static void on_end(void *data, const struct job_result *result) {
	(void)result;
	struct actor *actor = data;
	actor->n_ends++;
	actor->ended = true;
	act(actor);
}

static void on_request(void *data, struct job_request *request) {
	(void)request;
	act(data);
}

static const struct job_events events = {.request = on_request,
		.read = on_read,
		.model = on_model,
		.output = on_output,
		.end = on_end};

static struct job *begin(struct actor *actor, const char *model) {
	if (strcmp(model, "discover") == 0) {
		return job_discover(actor->fixture->process, &events, actor);
	}
	struct job_part part = {.type = "text/plain", .name = ""};
	struct job_message message = {.role = JOB_USER, .parts = &part, .n_parts = 1};
	struct job_turn turn = {model, "text-to-text", &message, 1, NULL, 0};
	return job_transform(actor->fixture->process, &turn, &events, actor);
}

/* Each of these models raises another event first: read, request, output, model, end. */
static const char *const models[] = {"echo", "ask", "quota", "discover", "log"};
#define N_MODELS (sizeof(models) / sizeof(models[0]))

static void run_each(void (*what)(struct actor *actor), unsigned n_ends, bool destroyed) {
	for (size_t i = 0; i < N_MODELS; i++) {
		struct fixture fixture;
		fixture_init(&fixture, "good");
		struct actor actor = {.fixture = &fixture, .act = what};
		actor.other = begin(&actor, models[i]);
		actor.job = begin(&actor, models[i]);
		run_until(&fixture, &actor.acted);
		if (!destroyed) {
			owner_run(&actor.next, &fixture, "echo");
			assert_int_equal(actor.next.code, 0);
			owner_finish(&actor.next);
		}
		/* The end event of "log" was itself the one that acted. */
		assert_true(actor.n_ends <= n_ends);
		fixture_finish(&fixture);
	}
}

static void cancel_first(struct actor *actor) {
	job_cancel(actor->other);
}

static void cancel_other(struct actor *actor) {
	job_cancel(actor->job);
}

static void destroy_all(struct actor *actor) {
	process_destroy(actor->fixture->process);
	actor->fixture->process = NULL;
}

static void begin_another(struct actor *actor) {
	assert_non_null(begin(actor, "log"));
}

static void an_event_may_cancel_its_own_job(void **state) {
	(void)state;
	run_each(cancel_first, 2, false);
}

static void an_event_may_cancel_another_job(void **state) {
	(void)state;
	run_each(cancel_other, 2, false);
}

static void an_event_may_destroy_the_process(void **state) {
	(void)state;
	run_each(destroy_all, 1, true);
}

static void an_event_may_begin_a_job(void **state) {
	(void)state;
	run_each(begin_another, 3, false);
}

/* All jobs of a crash end one after the other, and the first end may do anything. */
static void the_end_of_a_crash_may_destroy_the_process(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, "hostile");
	struct actor actor = {.fixture = &fixture, .act = destroy_all};
	begin(&actor, "segfault");
	begin(&actor, "segfault");
	run_until(&fixture, &actor.ended);
	assert_int_equal(actor.n_ends, 1);
	fixture_finish(&fixture);
}

static void the_end_of_a_crash_may_begin_again(void **state) {
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, "hostile");
	struct actor actor = {.fixture = &fixture, .act = begin_another};
	begin(&actor, "segfault");
	run_until(&fixture, &actor.ended);
	actor.ended = false;
	run_until(&fixture, &actor.ended);
	assert_int_equal(actor.n_ends, 2);
	fixture_finish(&fixture);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(an_event_may_cancel_its_own_job),
			cmocka_unit_test(an_event_may_cancel_another_job),
			cmocka_unit_test(an_event_may_destroy_the_process),
			cmocka_unit_test(an_event_may_begin_a_job),
			cmocka_unit_test(the_end_of_a_crash_may_destroy_the_process),
			cmocka_unit_test(the_end_of_a_crash_may_begin_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
