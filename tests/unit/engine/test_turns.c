/* A turn from its submission to its record. */
#include "tests/unit/engine/world.h"

#include <errno.h>
#include <sys/stat.h>

static void a_turn_is_answered_and_recorded(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "hello\n");
	assert_int_equal(turn->row.number, 1);
	wait_over(world, turn);
	assert_output(turn, "hello\n");
	assert_string_equal(turn->row.finish, "stop");
	assert_string_equal(turn->row.model, "the-one");
	assert_string_equal(turn->row.provider, "local");
	assert_int_equal(turn->row.http_status, 200);
	assert_int_equal(turn->row.prompt_tokens, 3);
	assert_int_equal(turn->row.completion_tokens, 2);
	assert_int_equal(turn->row.cost, 250000000000);
	assert_string_equal(turn->row.cost_source, "reported");
	assert_true(turn->row.started >= turn->row.submitted && turn->row.submitted > 0);
	assert_true(turn->row.first_byte >= turn->row.started);
	assert_true(turn->row.finished >= turn->row.first_byte);
	assert_int_equal(world->engine->turns_done, 1);
}

static void request_and_response_are_kept_beside_the_turn(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("key: sk-very-secret"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/maker/echo", "keep \"this\"\n");
	wait_over(world, turn);
	cleanup_free char *request = text_of(turn, TURN_REQUEST);
	cleanup_free char *response = text_of(turn, TURN_RESPONSE);
	assert_holds(request, "\"model\":\"maker/echo\"");
	assert_holds(request, "keep \\\"this\\\"");
	assert_null(strstr(request, "sk-very-secret"));
	assert_holds(response, "data: [DONE]");
}

static void what_the_provider_was_handed_and_asked_is_kept_beside_the_turn(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("key: sk-very-secret, config: {stop: \"a\\nb\"}"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/maker/echo", "keep this\n");
	wait_over(world, turn);
	cleanup_free char *exchange = text_of(turn, TURN_EXCHANGE);
	char reply[64];
	snprintf(reply, sizeof(reply), "\nreply 200 text/event-stream %llu\n",
			(unsigned long long)turn_file_size(turn, TURN_RESPONSE));
	assert_holds(exchange, "base_url http://127.0.0.1:");
	assert_holds(exchange, "\nturn maker/echo text-to-text\n");
	assert_holds(exchange, "\nset \"stop a\\nb\"\n");
	assert_holds(exchange, "\nset max_tokens ");
	assert_holds(exchange, "\nrequest POST http://127.0.0.1:");
	assert_holds(exchange, reply);
	assert_null(strstr(exchange, "sk-very-secret"));
}

static void a_turn_outlives_a_remount(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	struct turn *turn = ask(world, "local/echo", "remember");
	wait_over(world, turn);
	int64_t id = turn->row.id;
	turn_release(turn);
	world_close(world);
	world_open(world);
	cleanup_turn struct turn *again = turn_get(world->engine->turns, id);
	assert_non_null(again);
	assert_output(again, "remember\n");
	assert_int_equal(turn_newest(world->engine->turns, again->row.place), id);
}

static void a_prompt_that_isnt_utf8_is_einval_and_never_sent(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", "text \xff text", 11);
	engine_submit(world->engine, turn);
	wait_over(world, turn);
	assert_failed(turn, EINVAL, "byte 5 isn't UTF-8");
	assert_int_equal(server_count("echo"), 0);
}

static void a_character_that_is_cut_at_the_end_is_einval(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", "caf\xc3", 4);
	engine_submit(world->engine, turn);
	wait_over(world, turn);
	assert_failed(turn, EINVAL, "byte 3 isn't UTF-8");
}

/* 2 MiB and a bit of two-byte characters, so that pieces are cut inside of them. */
static char *large_prompt(size_t size) {
	char *prompt = malloc(size);
	for (size_t i = 0; i < size; i++) {
		prompt[i] = i == 0 ? 'x' : (i % 2 == 1 ? (char)0xc3 : (char)0xa9);
	}
	return prompt;
}

#define LARGE (((size_t)2 << 20) + 1)

static void a_large_prompt_is_checked_behind_and_sent(void **state) {
	struct world *world = *state;
	cleanup_free char *prompt = large_prompt(LARGE);
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", prompt, LARGE);
	engine_submit(world->engine, turn);
	assert_int_equal(turn->row.state, TURN_QUEUED);
	wait_over(world, turn);
	assert_string_equal(turn->row.words, "");
	assert_int_equal(turn->row.output_size, LARGE + 1);
}

static void a_large_prompt_that_isnt_utf8_names_the_byte(void **state) {
	struct world *world = *state;
	cleanup_free char *prompt = large_prompt(LARGE);
	prompt[1500001] = (char)0xfe;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", prompt, LARGE);
	engine_submit(world->engine, turn);
	wait_over(world, turn);
	assert_failed(turn, EINVAL, "byte 1500001 isn't UTF-8");
}

static void a_large_prompt_can_be_cancelled_while_it_is_checked(void **state) {
	struct world *world = *state;
	cleanup_free char *prompt = large_prompt(LARGE);
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = begin(world, "local/echo", prompt, LARGE);
	engine_submit(world->engine, turn);
	assert_true(engine_cancel(world->engine, turn, NULL));
	assert_int_equal(turn->row.state, TURN_CANCELLED);
	cleanup_turn struct turn *next = ask(world, "local/echo", "next");
	wait_over(world, next);
	assert_output(next, "next\n");
	assert_int_equal(server_count("echo"), 1);
}

static void the_engine_may_close_while_a_large_prompt_is_checked(void **state) {
	struct world *world = *state;
	cleanup_free char *prompt = large_prompt(LARGE);
	config_write(world, LOCAL);
	world_open(world);
	struct turn *turn = begin(world, "local/echo", prompt, LARGE);
	int64_t id = turn->row.id;
	engine_submit(world->engine, turn);
	turn_release(turn);
	world_close(world);
	world_open(world);
	cleanup_turn struct turn *again = turn_get(world->engine->turns, id);
	assert_int_equal(again->row.state, TURN_INTERRUPTED);
}

static void an_empty_answer_is_a_success_without_output(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/silent", "say nothing");
	wait_over(world, turn);
	assert_output(turn, "");
	assert_string_equal(turn->row.finish, "length");
}

static void a_conversation_is_sent_whole_and_in_order(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/echo", "one\n");
	cleanup_turn struct turn *second = ask_on(world, "local/echo", "two\n");
	cleanup_turn struct turn *third = ask_on(world, "local/echo", "three\n");
	assert_int_equal(second->row.previous, first->row.id);
	assert_int_equal(third->row.previous, second->row.id);
	assert_int_equal(second->row.state, TURN_QUEUED);
	assert_int_equal(third->row.state, TURN_QUEUED);
	wait_over(world, third);
	assert_output(third, "three\n");
	cleanup_free char *request = text_of(third, TURN_REQUEST);
	assert_holds(request, "[{\"role\":\"user\",\"content\":\"one\"},"
			      "{\"role\":\"assistant\",\"content\":\"one\"},"
			      "{\"role\":\"user\",\"content\":\"two\"},"
			      "{\"role\":\"assistant\",\"content\":\"two\"},"
			      "{\"role\":\"user\",\"content\":\"three\"}]");
}

static void a_new_conversation_holds_nothing_of_the_one_before(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/echo", "one\n");
	cleanup_turn struct turn *second = ask(world, "local/echo", "two\n");
	wait_over(world, first);
	wait_over(world, second);
	cleanup_free char *request = text_of(second, TURN_REQUEST);
	assert_null(strstr(request, "one"));
}

static void a_conversation_goes_on_after_an_empty_answer(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/silent", "one\n");
	wait_over(world, first);
	cleanup_turn struct turn *second = ask_on(world, "local/silent", "two\n");
	wait_over(world, second);
	assert_output(second, "");
	cleanup_free char *request = text_of(second, TURN_REQUEST);
	assert_holds(request, "[{\"role\":\"user\",\"content\":\"one\"},"
			      "{\"role\":\"user\",\"content\":\"two\"}]");
}

static void a_failed_turn_is_no_part_of_the_conversation(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("retries: 0"));
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/busy-once", "one\n");
	wait_over(world, first);
	assert_failed(first, EBUSY, "429");
	cleanup_turn struct turn *second = ask_on(world, "local/busy-once", "two\n");
	wait_over(world, second);
	assert_output(second, "two\n");
	cleanup_free char *request = text_of(second, TURN_REQUEST);
	assert_null(strstr(request, "one"));
}

static void the_system_setting_leads_the_conversation(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL_WITH("config: {system: \"Be brief.\"}"));
	world_open(world);
	cleanup_turn struct turn *turn = ask(world, "local/echo", "one\n");
	wait_over(world, turn);
	cleanup_free char *request = text_of(turn, TURN_REQUEST);
	assert_holds(request, "[{\"role\":\"system\",\"content\":\"Be brief.\"},");
}

static void a_retry_is_a_new_turn_with_the_same_prompt(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/echo", "again\n");
	assert_false(engine_retry(world->engine, first, me(), &fail));
	assert_int_equal(fail.code, EBUSY);
	wait_over(world, first);
	assert_true(engine_retry(world->engine, first, me(), &fail));
	int64_t id = turn_newest(world->engine->turns, first->row.place);
	cleanup_turn struct turn *second = turn_get(world->engine->turns, id);
	assert_int_equal(second->row.number, 2);
	wait_over(world, second);
	assert_output(second, "again\n");
}

static void a_retry_that_is_refused_says_so(void **state) {
	struct world *world = *state;
	cleanup_fail struct fail fail = {0};
	config_write(world, LOCAL);
	world_open(world);
	cleanup_turn struct turn *first = ask(world, "local/echo", "again\n");
	wait_over(world, first);
	provider_of(world, "local")->queue_most = 0;
	provider_of(world, "local")->concurrent = 0;
	assert_false(engine_retry(world->engine, first, me(), &fail));
	assert_int_equal(fail.code, EBUSY);
	assert_holds(fail_words(&fail), "limits.queue");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_turn_is_answered_and_recorded),
			TEST(request_and_response_are_kept_beside_the_turn),
			TEST(what_the_provider_was_handed_and_asked_is_kept_beside_the_turn),
			TEST(a_turn_outlives_a_remount),
			TEST(a_prompt_that_isnt_utf8_is_einval_and_never_sent),
			TEST(a_character_that_is_cut_at_the_end_is_einval),
			TEST(a_large_prompt_is_checked_behind_and_sent),
			TEST(a_large_prompt_that_isnt_utf8_names_the_byte),
			TEST(a_large_prompt_can_be_cancelled_while_it_is_checked),
			TEST(the_engine_may_close_while_a_large_prompt_is_checked),
			TEST(an_empty_answer_is_a_success_without_output),
			TEST(a_conversation_is_sent_whole_and_in_order),
			TEST(a_new_conversation_holds_nothing_of_the_one_before),
			TEST(a_conversation_goes_on_after_an_empty_answer),
			TEST(a_failed_turn_is_no_part_of_the_conversation),
			TEST(the_system_setting_leads_the_conversation),
			TEST(a_retry_is_a_new_turn_with_the_same_prompt),
			TEST(a_retry_that_is_refused_says_so),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
