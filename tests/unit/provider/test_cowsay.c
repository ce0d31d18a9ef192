/* The cowsay provider: balloons. */
#include "tests/unit/provider/support.h"

#include <math.h>
#include <string.h>

static struct replay say(
		const char *model, const char *text, const char *width, enum replay_cut cut) {
	struct simple_turn simple;
	simple_turn_init(&simple, model, text);
	struct conduit_setting setting = {
			.name = "width", .value = width, .size = width != NULL ? strlen(width) : 0};
	simple.turn.settings = &setting;
	simple.turn.n_settings = width != NULL ? 1 : 0;
	struct replay_script script = {.files = &simple.file, .n_files = 1, .cut = cut};
	struct replay replay;
	replay_transform(&replay, load_provider("cowsay"), &script, &simple.turn);
	return replay;
}

static void assert_says(const char *text, const char *width, const char *balloon) {
	for (int cut = REPLAY_WHOLE; cut <= REPLAY_BYTES; cut++) {
		struct replay replay = say("cow", text, width, (enum replay_cut)cut);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_string_equal(replay.finish, "stop");
		assert_memory_equal(replay.output.data, balloon, strlen(balloon));
		assert_memory_equal(replay.output.data + strlen(balloon), "     \\\n", 7);
		replay_finish(&replay);
	}
}

static void one_line_stands_between_angles(void **state) {
	(void)state;
	assert_says("hi", NULL, " ____\n< hi >\n ----\n");
	assert_says("a\nb\n", NULL, " _____\n< a b >\n -----\n");
	assert_says("", NULL, " __\n<  >\n --\n");
}

static void words_wrap_at_the_width(void **state) {
	(void)state;
	assert_says("aa bb cc", "5", " _______\n/ aa bb \\\n\\ cc    /\n -------\n");
	assert_says("a bb cc dd", "2", " ____\n/ a  \\\n| bb |\n| cc |\n\\ dd /\n ----\n");
	assert_says("abcdef", "4", " ______\n/ abcd \\\n\\ ef   /\n ------\n");
}

static void a_character_counts_as_one_column_whatever_its_bytes(void **state) {
	(void)state;
	assert_says("äöü ß", "3", " _____\n/ äöü \\\n\\ ß   /\n -----\n");
}

static void control_bytes_never_reach_the_terminal(void **state) {
	(void)state;
	assert_says("a\x1b[2Jb\x07", NULL, " ________\n< a [2Jb >\n --------\n");
}

static void a_long_text_is_cut_with_an_ellipsis(void **state) {
	(void)state;
	static char text[200001];
	memset(text, 'x', sizeof(text) - 1);
	struct replay replay = say("cow", text, "100", REPLAY_WHOLE);
	assert_true(replay.finished);
	assert_non_null(strstr(replay.output.data, "x…"));
	assert_true(replay.output.size < 80000);
	replay_finish(&replay);
}

static void every_figure_is_a_free_model_that_answers(void **state) {
	(void)state;
	struct replay_script script = {0};
	struct replay found;
	replay_discover(&found, load_provider("cowsay"), &script);
	assert_null(found.broken);
	assert_true(found.finished);
	assert_true(found.n_models >= 2);
	for (size_t i = 0; i < found.n_models; i++) {
		assert_true(replay_is_free(&found.models[i]));
		struct replay replay = say(found.models[i].id, "hi", NULL, REPLAY_WHOLE);
		assert_true(replay.finished);
		assert_true(fpclassify(replay.usage.cost) == FP_ZERO);
		replay_finish(&replay);
	}
	replay_finish(&found);
}

static void what_cannot_be_said_fails_with_words(void **state) {
	(void)state;
	struct replay replay = say("dragon", "hi", NULL, REPLAY_WHOLE);
	assert_int_equal(replay.kind, CONDUIT_FAIL_GONE);
	replay_finish(&replay);
	replay = say("cow", "hi", "0", REPLAY_WHOLE);
	assert_int_equal(replay.kind, CONDUIT_FAIL_INVALID);
	assert_non_null(strstr(replay.words, "width"));
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(one_line_stands_between_angles),
			cmocka_unit_test(words_wrap_at_the_width),
			cmocka_unit_test(a_character_counts_as_one_column_whatever_its_bytes),
			cmocka_unit_test(control_bytes_never_reach_the_terminal),
			cmocka_unit_test(a_long_text_is_cut_with_an_ellipsis),
			cmocka_unit_test(every_figure_is_a_free_model_that_answers),
			cmocka_unit_test(what_cannot_be_said_fails_with_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
