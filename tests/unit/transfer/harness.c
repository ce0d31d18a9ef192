/* See harness.h. */
#include "tests/unit/transfer/harness.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#define PATIENCE_MS 20000

struct server server;
uv_loop_t loop;
struct transfer_engine *engine;
unsigned betweens;

extern char **environ;

static const char *server_script(void) {
	const char *script = getenv("TRANSFER_SERVER");
	return script != NULL ? script : "tests/unit/transfer/server.py";
}

int server_start(void **state) {
	(void)state;
	int in[2], out[2];
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	signal(SIGPIPE, SIG_IGN);
	strcpy(server.directory, "/tmp/transfer-test-XXXXXX");
	assert_non_null(mkdtemp(server.directory));
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	char *argv[] = {"python3", (char *)server_script(), server.directory, NULL};
	assert_int_equal(posix_spawnp(&server.pid, "python3", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	server.input = in[1];
	FILE *said = fdopen(out[0], "r");
	int n = fscanf(said, "http=%d https=%d stranger=%d h2=%d mute=%d,%d,%d,%d,%d,%d",
			&server.http, &server.https, &server.stranger, &server.h2, &server.mute[0],
			&server.mute[1], &server.mute[2], &server.mute[3], &server.mute[4],
			&server.mute[5]);
	fclose(said);
	assert_int_equal(n, 10);
	if (server.h2 == 0) {
		print_message("nginx is not installed: the tests of HTTP/2 are left out "
			      "(apt-get install nginx-light)\n");
	}
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

int server_stop(void **state) {
	(void)state;
	close(server.input);
	waitpid(server.pid, NULL, 0);
	char *argv[] = {"rm", "-r", server.directory, NULL};
	int pid;
	if (posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0) {
		waitpid(pid, NULL, 0);
	}
	curl_global_cleanup();
	return 0;
}

static void count_between(void *data) {
	(void)data;
	betweens++;
}

int engine_start(void **state) {
	(void)state;
	char ca[96];
	snprintf(ca, sizeof(ca), "%s/ca.pem", server.directory);
	struct transfer_engine_options options = {
			.user_agent = "conduitfs-test", .ca_file = ca, .between = count_between};
	uv_loop_init(&loop);
	engine = transfer_engine_create(&loop, &options, NULL);
	betweens = 0;
	return engine != NULL ? 0 : -1;
}

int engine_stop(void **state) {
	(void)state;
	transfer_engine_destroy(engine);
	engine = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void on_head(void *data, const struct transfer_head *head) {
	struct fetch *fetch = data;
	fetch->heads++;
	fetch->status = head->status;
	snprintf(fetch->type, sizeof(fetch->type), "%s", head->content_type);
	for (size_t i = 0; head->headers[i] != NULL; i++) {
		buf_add_format(&fetch->head, "%s\n", head->headers[i]);
	}
	if (fetch->on_head != NULL) {
		fetch->on_head(fetch);
	}
}

static bool on_data(void *data, const void *bytes, size_t size) {
	struct fetch *fetch = data;
	fetch->datas++;
	fetch->bytes += size;
	if (!fetch->drop_data) {
		buf_add(&fetch->data, bytes, size);
	}
	if (fetch->on_data != NULL) {
		fetch->on_data(fetch);
	}
	if (fetch->cancel_at != 0 && fetch->bytes >= fetch->cancel_at) {
		transfer_cancel(fetch->transfer);
		fetch->transfer = NULL;
		return true;
	}
	if (fetch->pause_at != 0 && fetch->bytes >= fetch->pause_at) {
		fetch->pauses++;
		if (fetch->resume_at_once) {
			transfer_resume(fetch->transfer);
		}
		return false;
	}
	return true;
}

static void on_end(void *data, const struct transfer_result *result) {
	struct fetch *fetch = data;
	fetch->ends++;
	fetch->result = *result;
	fetch->result.words = result->words != NULL ? strdup(result->words) : NULL;
	fetch->transfer = NULL;
	if (fetch->on_end != NULL) {
		fetch->on_end(fetch);
	}
}

static void start(struct fetch *fetch, const char *url) {
	const struct transfer_host everywhere[] = {
			{"http", "127.0.0.1", server.http, true, true},
			{"http", "localhost", server.http, true, true},
			{"https", "localhost", server.https, true, true},
			{"https", "localhost", server.h2 != 0 ? server.h2 : 1, true, true},
	};
	struct body_part part = {.kind = BODY_LITERAL, .bytes = (char *)fetch->text};
	struct body text = {.parts = &part, .n_parts = 1};
	if (fetch->text != NULL) {
		part.size = strlen(fetch->text);
		fetch->body = &text;
	}
	struct transfer_request request = {
			.method = fetch->method != NULL ? fetch->method : "GET",
			.url = url,
			.headers = fetch->headers,
			.body = fetch->body,
			.key_header = fetch->key,
			.hosts = fetch->hosts != NULL ? fetch->hosts : everywhere,
			.n_hosts = fetch->hosts != NULL ? fetch->n_hosts : 4,
			.timeouts = fetch->timeouts,
			.body_most = fetch->body_most,
	};
	static const struct transfer_events events = {on_head, on_data, on_end};
	fetch->transfer = transfer_start(engine, &request, &events, fetch);
	if (fetch->text != NULL) {
		fetch->body = NULL;
	}
	assert_non_null(fetch->transfer);
	assert_int_equal(fetch->ends + fetch->heads, 0);
}

void fetch_start(struct fetch *fetch, const char *url, ...) {
	va_list args;
	cleanup_free char *formatted = NULL;
	va_start(args, url);
	assert_true(vasprintf(&formatted, url, args) > 0);
	va_end(args);
	start(fetch, formatted);
}

static void on_patience(uv_timer_t *timer) {
	*(bool *)timer->data = true;
}

static void turn(const uint64_t *value, const unsigned *other, uint64_t wanted, unsigned ms,
		bool must) {
	uv_timer_t patience;
	bool over = false;
	uv_timer_init(&loop, &patience);
	patience.data = &over;
	uv_update_time(&loop);
	uv_timer_start(&patience, on_patience, ms, 0);
	while (!over && (value == NULL || *value < wanted) && (other == NULL || *other < wanted)) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	uv_close((uv_handle_t *)&patience, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	if (over && must) {
		fail_msg("nothing came within %u ms", ms);
	}
}

void turn_until(const uint64_t *value, uint64_t wanted) {
	turn(value, NULL, wanted, PATIENCE_MS, true);
}

void turn_for(unsigned milliseconds) {
	turn(NULL, NULL, 0, milliseconds, false);
}

void fetch_wait(struct fetch *fetch) {
	turn(NULL, &fetch->ends, 1, PATIENCE_MS, true);
	assert_int_equal(fetch->ends, 1);
}

void fetch_run(struct fetch *fetch, const char *url, ...) {
	va_list args;
	cleanup_free char *formatted = NULL;
	va_start(args, url);
	assert_true(vasprintf(&formatted, url, args) > 0);
	va_end(args);
	start(fetch, formatted);
	fetch_wait(fetch);
}

void fetch_finish(struct fetch *fetch) {
	free(fetch->result.words);
	buf_finish(&fetch->head);
	buf_finish(&fetch->data);
}

const char *fact(const char *name) {
	static char value[64];
	struct fetch fetch = {0};
	fetch_run(&fetch, "%s/fact?%s", http_base(), name);
	snprintf(value, sizeof(value), "%s", buf_string(&fetch.data));
	fetch_finish(&fetch);
	return value;
}

const char *http_base(void) {
	static char base[64];
	snprintf(base, sizeof(base), "http://127.0.0.1:%d", server.http);
	return base;
}

const char *https_base(void) {
	static char base[64];
	snprintf(base, sizeof(base), "https://localhost:%d", server.https);
	return base;
}

const char *h2_base(void) {
	static char base[64];
	snprintf(base, sizeof(base), "https://localhost:%d", server.h2);
	return base;
}
