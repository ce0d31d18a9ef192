/* See world.h. */
#include "tests/unit/engine/world.h"

#include "core/base/file.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

int server_port;
static pid_t server_pid;
static int server_input = -1;

/* ---- the service ---- */

static void spawn_server(void) {
	int in[2], out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	char *argv[] = {"python3", SERVER, NULL};
	assert_int_equal(posix_spawnp(&server_pid, "python3", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	server_input = in[1];
	FILE *said = fdopen(out[0], "r");
	assert_non_null(said);
	assert_int_equal(fscanf(said, "%d", &server_port), 1);
	fclose(said);
}

int server_start(void **state) {
	(void)state;
	static const char *const unwanted[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
			"all_proxy", "ALL_PROXY", "OPENAI_API_KEY", "OPENAI_BASE_URL",
			"LOCAL_BASE_URL", "ODD_BASE_URL"};
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		unsetenv(unwanted[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	spawn_server();
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

int server_stop(void **state) {
	(void)state;
	close(server_input);
	waitpid(server_pid, NULL, 0);
	curl_global_cleanup();
	return 0;
}

char *server_ask(const char *path) {
	cleanup_buf struct buf reply = {0};
	struct sockaddr_in address = {.sin_family = AF_INET,
			.sin_port = htons((uint16_t)server_port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = 10};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(dprintf(fd, "GET %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", path) >
			0);
	ssize_t size;
	char *into;
	/* With a time-out a read isn't taken up again after the signal of a child's end. */
	while ((into = buf_reserve(&reply, 65536)) != NULL &&
			((size = read(fd, into, 65536)) > 0 || (size < 0 && errno == EINTR))) {
		reply.size += size > 0 ? (size_t)size : 0;
	}
	reply.data[reply.size] = '\0';
	const char *body = strstr(buf_string(&reply), "\r\n\r\n");
	assert_non_null(body);
	return strdup(body + 4);
}

int server_count(const char *name) {
	char path[128];
	snprintf(path, sizeof(path), "/count?%s", name);
	cleanup_free char *count = server_ask(path);
	return atoi(count);
}

/* ---- a world ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void link_provider(struct world *world, const char *from, const char *name) {
	char old[512], new[512];
	snprintf(old, sizeof(old), "%s/%s", from, name);
	snprintf(new, sizeof(new), "%s/%s", world->providers, name);
	assert_int_equal(symlink(old, new), 0);
}

static void on_listing(void *data, struct place *place) {
	struct world *world = data;
	(void)place;
	world->heard++;
}

int world_setup(void **state) {
	struct world *world = calloc(1, sizeof(*world));
	strcpy(world->directory, "/tmp/conduitfs-engine-XXXXXX");
	if (world == NULL || mkdtemp(world->directory) == NULL) {
		return -1;
	}
	snprintf(world->providers, sizeof(world->providers), "%s/providers", world->directory);
	snprintf(world->config_file, sizeof(world->config_file), "%s/config.yml", world->directory);
	mkdir(world->providers, 0700);
	link_provider(world, PROVIDERS, "openai.so");
	link_provider(world, PROVIDERS, "openai.yml");
	link_provider(world, OBJECTS, "odd.so");
	link_provider(world, SOURCES, "odd.yml");
	setenv("XDG_CONFIG_HOME", world->directory, 1);
	setenv("XDG_STATE_HOME", world->directory, 1);
	setenv("HOME", world->directory, 1);
	world->options = (struct engine_options){.config_file = world->config_file,
			.provider_directory = world->providers,
			.runner = RUNNER,
			.listing_changed = on_listing,
			.data = world};
	uv_loop_init(&world->loop);
	uv_timer_init(&world->loop, &world->tick);
	free(server_ask("/forget"));
	/* A wait that doesn't end despite everything ends the test. */
	alarm(120);
	*state = world;
	return 0;
}

int world_teardown(void **state) {
	struct world *world = *state;
	world_close(world);
	uv_close((uv_handle_t *)&world->tick, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	int left = uv_loop_close(&world->loop);
	nftw(world->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(world);
	alarm(0);
	return left;
}

void config_write(struct world *world, const char *format) {
	FILE *file = fopen(world->config_file, "we");
	assert_non_null(file);
	dprintf(fileno(file), format, server_port);
	fprintf(file, "  openai: off\n%s", strstr(format, "odd:") == NULL ? "  odd: off\n" : "");
	fclose(file);
}

void world_open_now(struct world *world) {
	cleanup_fail struct fail fail = {0};
	world->engine = engine_open(&world->loop, &world->options, &fail);
	if (world->engine == NULL) {
		fail_msg("%s", fail_words(&fail));
	}
}

void world_open(struct world *world) {
	world_open_now(world);
	WAIT(world, engine_discovered(world->engine));
}

void world_close(struct world *world) {
	engine_close(take(world->engine));
	uv_run(&world->loop, UV_RUN_DEFAULT);
}

static void on_tick(uv_timer_t *timer) {
	(void)timer;
}

void world_turn(struct world *world) {
	uv_timer_start(&world->tick, on_tick, 5, 0);
	uv_run(&world->loop, UV_RUN_ONCE);
	uv_timer_stop(&world->tick);
}

/* ---- what is in it ---- */

struct provider *provider_of(struct world *world, const char *name) {
	return engine_provider(
			world->engine, place_child(catalogue_root(world->engine->catalogue), name));
}

struct place *place_of(struct world *world, const char *path) {
	char *rest = NULL, *copy cleanup_free = strdup(path);
	struct place *place = catalogue_root(world->engine->catalogue);
	for (char *name = strtok_r(copy, "/", &rest); name != NULL && place != NULL;
			name = strtok_r(NULL, "/", &rest)) {
		place = place_child(place, name);
	}
	return place;
}

void write_setting(struct world *world, struct place *place, const char *name, const char *value) {
	cleanup_fail struct fail fail = {0};
	if (!values_set(world->engine->values, place->id, setting_find(name), value, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
}

const struct chain *me(void) {
	static struct chain chain;
	if (chain.n == 0) {
		chain_capture(getpid(), &chain);
	}
	return &chain;
}

static struct turn *begin_as(struct world *world, const char *path, const void *prompt, size_t size,
		bool continues) {
	cleanup_fail struct fail fail = {0};
	struct place *place = place_of(world, path);
	if (place == NULL) {
		fail_msg("there is no model %s", path);
	}
	struct turn *turn = engine_begin(world->engine, place, me(), continues, &fail);
	if (turn == NULL || !turn_prompt_write(turn, prompt, size, 0, UINT64_MAX >> 1, &fail)) {
		fail_msg("%s", fail_words(&fail));
	}
	return turn;
}

struct turn *begin(struct world *world, const char *path, const void *prompt, size_t size) {
	return begin_as(world, path, prompt, size, false);
}

struct turn *ask(struct world *world, const char *path, const char *prompt) {
	struct turn *turn = begin_as(world, path, prompt, strlen(prompt), false);
	engine_submit(world->engine, turn);
	return turn;
}

struct turn *ask_on(struct world *world, const char *path, const char *prompt) {
	struct turn *turn = begin_as(world, path, prompt, strlen(prompt), true);
	engine_submit(world->engine, turn);
	return turn;
}

void wait_over(struct world *world, struct turn *turn) {
	WAIT(world, turn_over(turn));
}

void wait_state(struct world *world, struct turn *turn, enum turn_state state) {
	WAIT(world, turn->row.state == state);
}

char *text_of(struct turn *turn, enum turn_file file) {
	char path[PATH_MAX];
	cleanup_buf struct buf text = {0};
	assert_true(turn_file_path(turn, file, path, sizeof(path)));
	if (!file_read(path, (size_t)8 << 20, &text, NULL)) {
		return strdup("");
	}
	return text.data != NULL ? buf_take(&text) : strdup("");
}

void assert_holds(const char *text, const char *part) {
	if (strstr(text, part) == NULL) {
		fail_msg("\"%s\" isn't in \"%s\"", part, text);
	}
}

void assert_output(struct turn *turn, const char *expected) {
	cleanup_free char *output = text_of(turn, TURN_OUTPUT);
	assert_string_equal(turn->row.words, "");
	assert_int_equal(turn->row.state, TURN_DONE);
	assert_string_equal(output, expected);
}

void assert_failed(struct turn *turn, int code, const char *words) {
	assert_int_equal(turn->row.state, TURN_FAILED);
	if (turn_error(turn) != code) {
		fail_msg("%s, not %s: %s", errno_name(turn_error(turn)), errno_name(code),
				turn->row.words);
	}
	assert_holds(turn->row.words, words);
}
