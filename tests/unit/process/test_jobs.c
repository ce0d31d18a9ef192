/* Jobs of a provider that behaves: what goes there and what comes back. */
#include "core/base/limit.h"
#include "tests/unit/process/support.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void a_prompt_is_read_and_comes_back(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "echo");
	assert_int_equal(owner.code, 0);
	assert_string_equal(buf_string(&owner.output), "hello");
	assert_string_equal(owner.finish, "stop");
	assert_string_equal(owner.model, "");
	assert_int_equal(owner.usage.prompt_tokens, 10);
	assert_int_equal(owner.usage.completion_tokens, 20);
	assert_int_equal(owner.usage.cached_tokens, -1);
	assert_true(owner.usage.cost == 0.25);
	assert_int_equal(process_jobs(fixture.process), 0);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_request_arrives_whole_and_its_reply_goes_back(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_init(&owner, &fixture);
	owner_transform(&owner, "ask");
	run_until_count(&fixture, &owner.n_requests, 1);
	assert_string_equal(owner.method, "POST");
	assert_string_equal(owner.url, "https://service.example/v1/chat");
	assert_string_equal(owner.header, "Content-Type: application/json");
	assert_true(owner.submits);
	assert_int_equal(owner.delay_ms, 20);
	size_t literal = 0;
	unsigned files = 0;
	for (size_t i = 0; i < owner.body.n_parts; i++) {
		literal += owner.body.parts[i].size;
		files += owner.body.parts[i].kind == BODY_FILE_JSON;
	}
	assert_int_equal(literal, 150001);
	assert_int_equal(files, 1);
	assert_int_equal(owner.body.parts[owner.body.n_parts - 1].bytes[0], '}');
	const char *headers[] = {"content-length: 3", "x-kind:  fine", NULL};
	job_reply(owner.job, 200, "text/plain", headers);
	assert_true(job_data(owner.job, "abc", 3));
	job_body_end(owner.job);
	run_until(&fixture, &owner.ended);
	assert_int_equal(owner.code, 0);
	assert_string_equal(buf_string(&owner.output), "abc");
	assert_string_equal(buf_string(&owner.reasoning), "200 text/plain fine\n");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

/* Those of the first model are plain; of the second as many come as may. */
static void assert_limits(const struct owner *owner, const struct fixture *fixture) {
	struct limits limits;
	assert_true(limits_read(buf_string(&owner->limits), &limits));
	assert_int_equal(limits.n, LIMITS_MOST);
	assert_string_equal(limits.list[0].choices, "alloy\nn\xc3\xb6va ");
	assert_string_equal(limits.list[0].standard, "alloy");
	assert_true(limits.list[1].least == 1 && isinf(limits.list[1].most));
	assert_string_equal(limits.list[1].help, "How many.");
	limits_finish(&limits);
	size_t n = 0;
	for (const char *at = buf_string(&owner->limits); *at != '\0'; at++) {
		n += *at == '\n';
	}
	assert_int_equal(n, 4 * (2 + LIMITS_MOST));
	assert_non_null(strstr(buf_string(&fixture->log), "limit of the setting seed is left out"));
}

static void a_program_is_asked_for_and_its_exit_goes_back(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "run");
	assert_int_equal(owner.code, 0);
	assert_string_equal(buf_string(&owner.runs), "acme w:-i i:0 s:x.wav r:%06d.png <0");
	assert_string_equal(buf_string(&owner.output), "said");
	assert_string_equal(buf_string(&owner.reasoning), "3 text/plain no such thing\n");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_result_that_is_a_path_fails_its_turn_alone(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "run-outside");
	assert_int_equal(owner.code, EPROTO);
	assert_non_null(strstr(owner.words, "\"../prompt\""));
	assert_int_equal(owner.runs.size, 0);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_discovery_gives_plain_models_with_their_raw(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_init(&owner, &fixture);
	owner_discover(&owner);
	run_until(&fixture, &owner.ended);
	assert_int_equal(owner.code, 0);
	assert_int_equal(owner.n_models, 2);
	assert_string_equal(buf_string(&owner.models),
			"vendor/large|Large  \xef\xbf\xbd|two\nlines|text,image\nsmall|||\n");
	assert_int_equal(owner.raw_size, 200000);
	assert_int_equal(owner.n_prices, 2);
	assert_string_equal(owner.prices[0].name, "prompt");
	assert_true(owner.prices[0].usd == 0.000001);
	assert_true(owner.prices[1].usd == -1);
	assert_non_null(strstr(buf_string(&fixture.log), "a model is left out"));
	assert_limits(&owner, &fixture);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_long_conversation_arrives_in_order(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_init(&owner, &fixture);
	enum { MESSAGES = 300, PARTS = 150 };
	struct job_part parts[PARTS];
	struct job_message messages[MESSAGES];
	struct job_part none = {.file = 1 << 20, .type = "text/plain", .name = ""};
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = (struct job_part){
				.file = (uint32_t)i, .type = "image/png", .name = "a.png"};
	}
	for (size_t i = 0; i < MESSAGES; i++) {
		messages[i] = (struct job_message){i % 2 ? JOB_ASSISTANT : JOB_USER, &none, 1};
	}
	messages[7] = (struct job_message){JOB_USER, parts, PARTS};
	static char schema[60000];
	memset(schema, 's', sizeof(schema));
	struct job_setting settings[] = {{"schema", schema, sizeof(schema)},
			{"system", schema, sizeof(schema)}, {"temperature", "0.5", 3}};
	struct job_turn turn = {"describe", "text-to-text", messages, MESSAGES, settings, 3};
	owner.job = job_transform(fixture.process, &turn, &owner_events, &owner);
	run_until(&fixture, &owner.ended);
	assert_int_equal(owner.code, 0);
	assert_string_equal(buf_string(&owner.output),
			"describe text-to-text 300 messages 3 settings url "
			"https://base.example/v1\n"
			"150 parts in order, temperature 0.5, last role 2");
	assert_string_equal(owner.model, "another-model");
	assert_int_equal(owner.n_outputs, 1);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_setting_above_its_bound_fails_the_turn_with_words(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_init(&owner, &fixture);
	static char schema[70000];
	memset(schema, 's', sizeof(schema));
	struct job_setting setting = {"schema", schema, sizeof(schema)};
	struct job_turn turn = {"describe", "text-to-text", NULL, 0, &setting, 1};
	owner.job = job_transform(fixture.process, &turn, &owner_events, &owner);
	assert_false(owner.ended);
	run_until(&fixture, &owner.ended);
	assert_int_equal(owner.code, EMSGSIZE);
	assert_non_null(strstr(owner.words, "schema"));
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_failure_keeps_its_kind_status_and_output(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "quota");
	assert_int_equal(owner.code, EDQUOT);
	assert_int_equal(owner.status, 429);
	assert_true(owner.never_retry);
	assert_false(owner.crashed);
	assert_string_equal(owner.words, "limit reached \xef\xbf\xbd");
	assert_string_equal(buf_string(&owner.output), "some");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_provider_that_asks_for_nothing_fails_with_words(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "unheard-of");
	assert_int_equal(owner.code, EPROTO);
	assert_non_null(strstr(owner.words, "transform returned without"));
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void a_request_that_smuggles_lines_fails_its_turn_alone(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner url, header, good;
	fixture_init(&fixture, "good");
	owner_run(&url, &fixture, "bad-url");
	int pid = process_pid(fixture.process);
	assert_int_equal(url.code, EPROTO);
	assert_int_equal(url.n_requests, 0);
	owner_run(&header, &fixture, "bad-header");
	assert_int_equal(header.code, EPROTO);
	assert_null(strchr(header.words, '\n'));
	owner_run(&good, &fixture, "echo");
	assert_int_equal(good.code, 0);
	assert_int_equal(process_pid(fixture.process), pid);
	owner_finish(&url);
	owner_finish(&header);
	owner_finish(&good);
	fixture_finish(&fixture);
}

static void libc_is_of_use_inside_the_sandbox(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "libc");
	assert_int_equal(owner.code, 0);
	assert_string_equal(buf_string(&owner.output),
			"2024-07-18 UTC 1.500 No such file or directory 1");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void log_lines_and_stderr_reach_the_log(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_run(&owner, &fixture, "log");
	assert_int_equal(owner.code, 0);
	run_until_logged(&fixture, "a line on stderr\n");
	run_until_logged(&fixture, "a line about 42\n");
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void much_data_waits_for_the_provider_and_arrives_whole(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_init(&owner, &fixture);
	owner.answers = false;
	owner_transform(&owner, "echo");
	run_until_count(&fixture, &owner.n_reads, 1);
	static char chunk[100000];
	size_t sent = 0, refusals = 0, unasked = 0;
	while (sent < (size_t)16 << 20) {
		memset(chunk, 'a' + (int)(refusals % 26), sizeof(chunk));
		sent += sizeof(chunk);
		unasked += sizeof(chunk);
		/* False comes when 256 KiB wait, so after three such pieces at the latest, when
		 * nothing was acknowledged meanwhile: nothing was, the loop didn't turn. */
		if (!job_data(owner.job, chunk, sizeof(chunk))) {
			refusals++;
			assert_true(unasked <= 300000);
			unasked = 0;
			run_until_count(&fixture, &owner.n_resumes, owner.n_resumes + 1);
		}
	}
	job_body_end(owner.job);
	run_until(&fixture, &owner.ended);
	assert_int_equal(owner.code, 0);
	assert_int_equal(owner.output.size, sent);
	assert_true(refusals > 10);
	owner_finish(&owner);
	fixture_finish(&fixture);
}

static void many_jobs_at_once_keep_apart(void **state) {
	(void)state;
	struct fixture fixture;
	enum { JOBS = 200 };
	static struct owner owners[JOBS];
	static char answers[JOBS][32];
	fixture_init(&fixture, "good");
	for (int i = 0; i < JOBS; i++) {
		owner_init(&owners[i], &fixture);
		snprintf(answers[i], sizeof(answers[i]), "answer %d", i);
		owners[i].answer = answers[i];
		owner_transform(&owners[i], "echo");
	}
	assert_int_equal(process_jobs(fixture.process), JOBS);
	for (int i = 0; i < JOBS; i++) {
		run_until(&fixture, &owners[i].ended);
		assert_int_equal(owners[i].code, 0);
		assert_string_equal(buf_string(&owners[i].output), answers[i]);
		owner_finish(&owners[i]);
	}
	fixture_finish(&fixture);
}

static void a_cancelled_job_is_silent_and_others_go_on(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner cancelled, good;
	fixture_init(&fixture, "good");
	owner_init(&cancelled, &fixture);
	cancelled.answers = false;
	owner_transform(&cancelled, "echo");
	run_until_count(&fixture, &cancelled.n_reads, 1);
	job_data(cancelled.job, "late", 4);
	job_cancel(cancelled.job);
	owner_run(&good, &fixture, "echo");
	assert_int_equal(good.code, 0);
	assert_int_equal(cancelled.n_ends, 0);
	assert_int_equal(cancelled.n_outputs, 0);
	owner_finish(&cancelled);
	owner_finish(&good);
	fixture_finish(&fixture);
}

static void destroying_with_jobs_under_way_tells_nobody(void **state) {
	(void)state;
	struct fixture fixture;
	struct owner owner;
	fixture_init(&fixture, "good");
	owner_init(&owner, &fixture);
	owner.answers = false;
	owner_transform(&owner, "echo");
	run_until_count(&fixture, &owner.n_reads, 1);
	fixture_finish(&fixture);
	assert_int_equal(owner.n_ends, 0);
	owner_finish(&owner);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_prompt_is_read_and_comes_back),
			cmocka_unit_test(a_request_arrives_whole_and_its_reply_goes_back),
			cmocka_unit_test(a_program_is_asked_for_and_its_exit_goes_back),
			cmocka_unit_test(a_result_that_is_a_path_fails_its_turn_alone),
			cmocka_unit_test(a_discovery_gives_plain_models_with_their_raw),
			cmocka_unit_test(a_long_conversation_arrives_in_order),
			cmocka_unit_test(a_setting_above_its_bound_fails_the_turn_with_words),
			cmocka_unit_test(a_failure_keeps_its_kind_status_and_output),
			cmocka_unit_test(a_provider_that_asks_for_nothing_fails_with_words),
			cmocka_unit_test(a_request_that_smuggles_lines_fails_its_turn_alone),
			cmocka_unit_test(libc_is_of_use_inside_the_sandbox),
			cmocka_unit_test(log_lines_and_stderr_reach_the_log),
			cmocka_unit_test(much_data_waits_for_the_provider_and_arrives_whole),
			cmocka_unit_test(many_jobs_at_once_keep_apart),
			cmocka_unit_test(a_cancelled_job_is_silent_and_others_go_on),
			cmocka_unit_test(destroying_with_jobs_under_way_tells_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
