/* Serving one mount: see serve.h. */
#include "fs/serve.h"
#include "fs/file/attach.h"

#include "core/base/log.h"
#include "core/config/locate.h"
#include "fs/ops/ops.h"
#include "fs/tree/notify.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

/* Requests of the kernel that are served in a row before other events have their turn. */
#define DRAIN_MOST 256
/* Who walks a tree asks again as soon as it is answered. Going to sleep and being woken between two
 * such requests costs a processor more than looking for so long whether the next one is there: on
 * an idle machine three times the requests a second. Never while a turn runs or waits, whose bytes
 * would wait too. */
#define LOOK_NS 100000
/* How long a first mount waits for the first discovery. */
#define READY_AFTER_MS 5000
enum { SIGNALS = 3 };

struct server {
	const struct serve_options *options;
	uv_loop_t loop;
	struct parts parts; /* where they lie */
	struct engine *engine;
	struct tree tree;
	struct fuse_session *session;
	struct fuse_buf request;
	uv_poll_t kernel;
	uv_signal_t signals[SIGNALS];
	uv_timer_t patience;
	uv_check_t check;
	bool polling, draining, reported, ending;
};

/* ---- the kernel ---- */

static void end(struct server *server);

/* The next request, or -EAGAIN when none came within the time to look for one. */
static int receive(struct server *server, uint64_t look_ns) {
	uint64_t until = look_ns != 0 ? uv_hrtime() + look_ns : 0;
	int got;
	do {
		got = fuse_session_receive_buf(server->session, &server->request);
	} while (got == -EAGAIN && look_ns != 0 && uv_hrtime() < until);
	return got;
}

static void drain(struct server *server, uint64_t look_ns) {
	if (server->draining || !server->polling) {
		return;
	}
	server->draining = true;
	for (int i = 0; i < DRAIN_MOST; i++) {
		int got = receive(server, engine_busy(server->engine) ? 0 : look_ns);
		if (got == -EINTR) {
			continue;
		}
		if (got == -EAGAIN) {
			break;
		}
		if (got <= 0 || fuse_session_exited(server->session)) {
			end(server);
			break;
		}
		fuse_session_process_buf(server->session, &server->request);
	}
	server->draining = false;
}

static void on_kernel(uv_poll_t *poll, int status, int events) {
	struct server *server = poll->data;
	(void)events;
	if (status < 0) {
		end(server);
		return;
	}
	drain(server, LOOK_NS);
}

static void between(void *data) {
	drain(data, 0);
}

static void on_listing_changed(void *data, struct place *place) {
	struct server *server = data;
	notify_listing(&server->tree, place);
}

static bool on_follow(void *data, struct place *place, const struct turn *turn, const char *target,
		char *path, size_t size, struct buf *text, struct fail *fail) {
	struct server *server = data;
	return attach_follow(&server->tree, place, turn, target, path, size, text, fail);
}

static void on_turns_changed(void *data, int64_t place) {
	struct server *server = data;
	notify_turns(&server->tree, place);
}

static void on_turns_removed(void *data, int64_t place) {
	struct server *server = data;
	notify_turns(&server->tree, place);
	notify_all(&server->tree);
}

/* ---- beginning ---- */

static void report(struct server *server) {
	if (!server->reported) {
		server->reported = true;
		server->options->ready(server->options->data);
	}
}

static void on_check(uv_check_t *check) {
	struct server *server = check->data;
	if (engine_discovered(server->engine)) {
		report(server);
		uv_check_stop(check);
		uv_timer_stop(&server->patience);
	}
}

static void on_patience_over(uv_timer_t *timer) {
	struct server *server = timer->data;
	report(server);
}

static void on_signal(uv_signal_t *handle, int number) {
	struct server *server = handle->data;
	cleanup_fail struct fail fail = {0};
	if (number != SIGHUP) {
		end(server);
		return;
	}
	if (!tree_reload(&server->tree, &fail)) {
		log_error("config.yml: %s", fail_words(&fail));
		struct chain nobody = {0};
		engine_note(server->engine, catalogue_root(server->engine->catalogue), &nobody,
				&fail);
	}
}

static bool add_argument(struct fuse_args *args, const char *argument, struct fail *fail) {
	return fuse_opt_add_arg(args, argument) == 0 || fail_set(fail, ENOMEM, "no memory");
}

/* Takes a mount off that isn't root's to take. */
static void unmount_by_helper(const char *mountpoint) {
	char *arguments[] = {"fusermount3", "-u", "-z", "--", (char *)mountpoint, NULL};
	pid_t pid;
	if (posix_spawnp(&pid, "fusermount3", NULL, NULL, arguments, environ) == 0) {
		waitpid(pid, NULL, 0);
	}
}

/* A mountpoint whose daemon died answers ENOTCONN: it is taken off first. statvfs always asks the
 * daemon, where stat may be answered from what the kernel kept. */
static void recover_mountpoint(const char *mountpoint) {
	struct statvfs status;
	if (statvfs(mountpoint, &status) == 0 || errno != ENOTCONN) {
		return;
	}
	log_warning("%s is a stale mount: taking it off", mountpoint);
	if (umount2(mountpoint, MNT_DETACH) != 0) {
		unmount_by_helper(mountpoint);
	}
}

static bool mount_session(struct server *server, struct fail *fail) {
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char own[] = "fsname=conduitfs,subtype=conduitfs,nosuid,nodev,noexec,default_permissions";
	const char *more = server->options->fuse_options;
	bool added = add_argument(&args, "conduitfs", fail) && add_argument(&args, "-o", fail) &&
		     add_argument(&args, own, fail) &&
		     (more[0] == '\0' || (add_argument(&args, "-o", fail) &&
							 add_argument(&args, more, fail))) &&
		     (!server->options->debug || add_argument(&args, "-d", fail));
	if (added) {
		server->session = fuse_session_new(
				&args, &tree_ops, sizeof(tree_ops), &server->tree);
	}
	fuse_opt_free_args(&args);
	if (!added || server->session == NULL) {
		return fail_set(fail, EINVAL, "the mount options '%s' weren't accepted", more);
	}
	recover_mountpoint(server->options->mountpoint);
	if (fuse_session_mount(server->session, server->options->mountpoint) != 0) {
		return fail_set(fail, EACCES,
				"%s can't be mounted on: is /dev/fuse there, and may you use it?",
				server->options->mountpoint);
	}
	int fd = fuse_session_fd(server->session);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	uv_poll_init(&server->loop, &server->kernel, fd);
	server->kernel.data = server;
	server->polling = true;
	server->tree.session = server->session;
	notify_begin(&server->tree);
	uv_poll_start(&server->kernel, UV_READABLE, on_kernel);
	return true;
}

static void watch_signals(struct server *server) {
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&server->loop, &server->signals[i]);
		server->signals[i].data = server;
		uv_signal_start(&server->signals[i], on_signal, numbers[i]);
	}
	signal(SIGPIPE, SIG_IGN);
}

static bool open_engine(struct server *server, struct fail *fail) {
	if (!locate(&server->parts, fail)) {
		return false;
	}
	struct engine_options options = {
			.config_file = server->options->config,
			.provider_directory = server->parts.providers,
			.runner = server->parts.runner,
			.fetcher = server->parts.fetcher,
			.include = server->parts.include,
			.listing_changed = on_listing_changed,
			.turns_changed = on_turns_changed,
			.turns_removed = on_turns_removed,
			.follow = on_follow,
			.between = between,
			.data = server,
	};
	server->engine = engine_open(&server->loop, &options, fail);
	return server->engine != NULL &&
	       tree_open(&server->tree, server->engine, server->options->mountpoint, fail);
}

/* ---- ending ---- */

static void end(struct server *server) {
	if (server->ending) {
		return;
	}
	server->ending = true;
	uv_stop(&server->loop);
}

static void close_any(uv_handle_t *handle, void *data) {
	(void)data;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

static void finish(struct server *server) {
	server->ending = true;
	server->tree.session = NULL;
	if (server->polling) {
		server->polling = false;
		uv_poll_stop(&server->kernel);
		uv_close((uv_handle_t *)&server->kernel, NULL);
	}
	if (server->tree.engine != NULL) {
		/* Readers that wait are told that their turn was interrupted. */
		engine_stop(server->engine);
		handles_close(&server->tree);
	}
	engine_close(server->engine);
	if (server->session != NULL) {
		fuse_session_unmount(server->session);
		fuse_session_destroy(server->session);
	}
	tree_close(&server->tree);
	for (int i = 0; i < SIGNALS; i++) {
		uv_close((uv_handle_t *)&server->signals[i], NULL);
	}
	uv_close((uv_handle_t *)&server->patience, NULL);
	uv_close((uv_handle_t *)&server->check, NULL);
	free(server->request.mem);
	parts_finish(&server->parts);
	uv_run(&server->loop, UV_RUN_DEFAULT);
	uv_walk(&server->loop, close_any, NULL);
	uv_run(&server->loop, UV_RUN_DEFAULT);
	uv_loop_close(&server->loop);
	curl_global_cleanup();
}

static void raise_descriptor_limit(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

bool serve(const struct serve_options *options, struct fail *fail) {
	struct server *server = calloc(1, sizeof(*server));
	if (server == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	server->options = options;
	raise_descriptor_limit();
	key_protect_process();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	uv_loop_init(&server->loop);
	uv_timer_init(&server->loop, &server->patience);
	uv_check_init(&server->loop, &server->check);
	server->patience.data = server->check.data = server;
	watch_signals(server);
	bool mounted = open_engine(server, fail) && mount_session(server, fail);
	if (mounted) {
		uv_timer_start(&server->patience, on_patience_over, READY_AFTER_MS, 0);
		uv_check_start(&server->check, on_check);
		uv_run(&server->loop, UV_RUN_DEFAULT);
	}
	finish(server);
	free(server);
	return mounted;
}
