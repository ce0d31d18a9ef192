/* What the store's tests share: a state directory of their own, a loop whose every wait ends, and
 * models made of a line. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "core/store/catalogue.h"

#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
	char directory[64];
	uv_loop_t loop;
	struct store *store;
	struct catalogue *catalogue;
	/* What the watcher heard since the last look. */
	size_t n_heard;
	int64_t heard[4096];
	/* What the last refresh_commit said. */
	bool committed;
	size_t came, went, total;
};

static inline double seconds_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *path) {
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void heard(void *data, struct place *place) {
	struct fixture *f = data;
	assert_true(f->n_heard < 4096);
	f->heard[f->n_heard++] = place->id;
}

static inline size_t times_heard(const struct fixture *f, const struct place *place) {
	size_t times = 0;
	for (size_t i = 0; i < f->n_heard; i++) {
		times += f->heard[i] == place->id;
	}
	return times;
}

static inline void open_store(struct fixture *f) {
	cleanup_fail struct fail fail = {0};
	f->store = store_open(&f->loop, f->directory, &fail);
	if (f->store == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
}

static inline void open_catalogue(struct fixture *f) {
	cleanup_fail struct fail fail = {0};
	open_store(f);
	f->catalogue = catalogue_open(f->store, &fail);
	if (f->catalogue == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
	catalogue_watch(f->catalogue, heard, f);
}

/* Closes both and lets libuv free its handles. */
static inline void close_all(struct fixture *f) {
	catalogue_close(f->catalogue);
	store_close(f->store);
	f->catalogue = NULL;
	f->store = NULL;
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static inline int setup(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	strcpy(f->directory, "/tmp/conduitfs-store-XXXXXX");
	if (mkdtemp(f->directory) == NULL || uv_loop_init(&f->loop) != 0) {
		free(f);
		return -1;
	}
	*state = f;
	return 0;
}

static inline int setup_store(void **state) {
	int result = setup(state);
	if (result == 0) {
		open_store(*state);
	}
	return result;
}

static inline int setup_catalogue(void **state) {
	int result = setup(state);
	if (result == 0) {
		open_catalogue(*state);
	}
	return result;
}

static inline int teardown(void **state) {
	struct fixture *f = *state;
	close_all(f);
	int left = uv_loop_close(&f->loop);
	remove_tree(f->directory);
	free(f);
	return left;
}

static inline void deadline_passed(uv_timer_t *timer) {
	*(bool *)timer->data = true;
}

/* Runs the loop until `flag`, at most so long; true when the flag came. */
static inline bool run_until(struct fixture *f, const bool *flag, unsigned milliseconds) {
	bool late = false;
	uv_timer_t timer;
	uv_timer_init(&f->loop, &timer);
	timer.data = &late;
	uv_timer_start(&timer, deadline_passed, milliseconds, 0);
	while (!*flag && !late) {
		uv_run(&f->loop, UV_RUN_ONCE);
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	return *flag;
}

/* What is due when the loop comes round is done: timers run in the order they are due. */
static inline void run_round(struct fixture *f) {
	bool never = false;
	uv_update_time(&f->loop);
	run_until(f, &never, 2);
}

static inline void committed(void *data, size_t came, size_t went, size_t total) {
	struct fixture *f = data;
	f->committed = true;
	f->came = came;
	f->went = went;
	f->total = total;
}

static inline void commit(struct fixture *f, struct refresh *refresh) {
	f->committed = false;
	refresh_commit(refresh, committed, f);
	assert_false(f->committed); /* never from inside the call */
	assert_true(run_until(f, &f->committed, 60000));
}

/* A free text model; strings not named are unknown. */
static inline struct job_model model_of(const char *id) {
	static const struct job_price prices[] = {{"prompt", 0}, {"completion", 0}};
	return (struct job_model){
			.id = id,
			.id_size = strlen(id),
			.name = "A name",
			.description = "",
			.input_modalities = "text",
			.output_modalities = "text",
			.parameters = "temperature",
			.prices = prices,
			.n_prices = 2,
			.raw = "{}",
			.raw_size = 2,
	};
}

static inline void add(struct refresh *refresh, const char *id) {
	struct job_model model = model_of(id);
	refresh_add(refresh, &model);
}

/* A whole refresh with these ids. */
static inline void refresh_with(
		struct fixture *f, struct place *provider, size_t n, const char *const *ids) {
	struct refresh *refresh = refresh_begin(f->catalogue, provider);
	assert_non_null(refresh);
	for (size_t i = 0; i < n; i++) {
		add(refresh, ids[i]);
	}
	commit(f, refresh);
}

#define refresh_list(f, provider, ...)                                                             \
	refresh_with(f, provider,                                                                  \
			sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *),         \
			(const char *const[]){__VA_ARGS__})

static inline struct place *provider_of(struct fixture *f, const char *name) {
	struct place *provider = catalogue_provider(f->catalogue, name, NULL);
	assert_non_null(provider);
	return provider;
}

/* The place at a path of file names below `top`, or NULL. */
static inline struct place *at(struct place *top, const char *path) {
	cleanup_free char *copy = strdup(path);
	char *rest = copy;
	for (char *name; top != NULL && (name = strsep(&rest, "/")) != NULL;) {
		top = place_child(top, name);
	}
	return top;
}

/* Runs SQL on the database file while no store has it open. */
static inline void run_sql(const struct fixture *f, const char *sql) {
	char path[128];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
		fail_msg("%s", why);
	}
	sqlite3_close(db);
}

static inline int64_t sql_number(const struct fixture *f, const char *sql) {
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *statement;
	snprintf(path, sizeof(path), "%s/conduitfs.db", f->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

struct seen {
	size_t n;
	char text[256];
};

/* For store_settings_each. */
static inline void see_setting(void *data, int64_t place, const char *name, const char *value) {
	struct seen *seen = data;
	size_t used = strlen(seen->text);
	snprintf(seen->text + used, sizeof(seen->text) - used, "%lld %s=%s;", (long long)place,
			name, value);
	seen->n++;
}

#endif
