/* models.tsv: whole, in slices, and made anew when the catalogue changes. */
#include "tests/unit/engine/world.h"

static size_t lines(const struct buf *text) {
	size_t n = 0;
	for (size_t i = 0; i < text->size; i++) {
		n += text->data[i] == '\n';
	}
	return n;
}

static const struct buf *table_of(struct world *world, const char *provider) {
	return models_table_text(provider_of(world, provider)->models);
}

static void a_small_table_is_whole_at_once(void **state) {
	struct world *world = *state;
	config_write(world, LOCAL);
	world_open(world);
	const struct buf *text = table_of(world, "local");
	assert_int_equal(lines(text), 14);
	assert_holds(buf_string(text), "id\tfree\tcontext_length\t");
	assert_holds(buf_string(text), "\nmaker/echo\tno\t8000\t\t\t\ttext\t\t");
}

static void a_table_of_3000_models_comes_in_slices(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/3000"));
	world_open(world);
	unsigned rounds = 0;
	/* Nobody waits for it: until it is whole the one before is shown, here the empty one. */
	assert_true(lines(table_of(world, "odd")) < 3001);
	while (lines(table_of(world, "odd")) < 3001 && rounds < 100000) {
		world_turn(world);
		rounds++;
	}
	const struct buf *text = table_of(world, "odd");
	assert_int_equal(lines(text), 3001);
	assert_true(rounds >= 3000 / 200);
	assert_holds(buf_string(text), "\nmany/m00000\t");
	assert_holds(buf_string(text), "\nmany/m02999\t");
}

static void a_catalogue_that_changes_in_the_middle_gives_a_table_of_the_new_one(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/3000"));
	world_open(world);
	struct provider *odd = provider_of(world, "odd");
	table_of(world, "odd");
	for (int i = 0; i < 5; i++) {
		world_turn(world);
	}
	assert_true(catalogue_remove(
			world->engine->catalogue, place_of(world, "odd/many/m00001"), NULL));
	assert_true(catalogue_remove(
			world->engine->catalogue, place_of(world, "odd/many/m02000"), NULL));
	WAIT(world, lines(models_table_text(odd->models)) == 2999);
	const char *text = buf_string(models_table_text(odd->models));
	assert_null(strstr(text, "many/m00001\t"));
	assert_null(strstr(text, "many/m02000\t"));
	assert_holds(text, "\nmany/m02999\t");
}

static void a_whole_table_is_shown_until_the_next_one_is_whole(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/3000"));
	world_open(world);
	WAIT(world, lines(table_of(world, "odd")) == 3001);
	assert_true(catalogue_remove(
			world->engine->catalogue, place_of(world, "odd/many/m00001"), NULL));
	bool whole = true;
	for (int i = 0; i < 100000 && lines(table_of(world, "odd")) != 3000; i++) {
		whole = whole && lines(table_of(world, "odd")) == 3001;
		world_turn(world);
	}
	assert_true(whole);
	assert_int_equal(lines(table_of(world, "odd")), 3000);
}

static void the_engine_may_close_while_a_table_is_made(void **state) {
	struct world *world = *state;
	config_write(world, ODD("/3000"));
	world_open(world);
	table_of(world, "odd");
	world_turn(world);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
			TEST(a_small_table_is_whole_at_once),
			TEST(a_table_of_3000_models_comes_in_slices),
			TEST(a_catalogue_that_changes_in_the_middle_gives_a_table_of_the_new_one),
			TEST(a_whole_table_is_shown_until_the_next_one_is_whole),
			TEST(the_engine_may_close_while_a_table_is_made),
	};
	return cmocka_run_group_tests(tests, server_start, server_stop);
}
