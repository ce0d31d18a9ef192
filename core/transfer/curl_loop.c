/* curl_multi_socket_action driven by uv_poll and uv_timer: see curl_loop.h. */
#include "core/transfer/curl_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Idle connections kept for the next request. */
#define CONNECTIONS_KEPT 32L

struct socket_watch {
	uv_poll_t poll;
	struct curl_loop *loop;
	curl_socket_t socket;
};

static void act(struct curl_loop *loop, curl_socket_t socket, int events) {
	int running;
	loop->inside = true;
	curl_multi_socket_action(loop->multi, socket, events, &running);
	loop->inside = false;
}

static void on_timer(uv_timer_t *timer);

/* libcurl tells of a deadline once; a timer that rang a millisecond early, as a rounded clock may,
 * would ring never again. So the deadline is asked for after each ring. */
static void arm_timer(struct curl_loop *loop, long milliseconds) {
	if (milliseconds < 0) {
		uv_timer_stop(&loop->timer);
		return;
	}
	uv_update_time(loop->loop);
	uv_timer_start(&loop->timer, on_timer, (uint64_t)milliseconds, 0);
}

static void on_timer(uv_timer_t *timer) {
	struct curl_loop *loop = timer->data;
	act(loop, CURL_SOCKET_TIMEOUT, 0);
	long milliseconds = -1;
	curl_multi_timeout(loop->multi, &milliseconds);
	arm_timer(loop, milliseconds == 0 ? 1 : milliseconds);
	loop->worked(loop->data);
}

static int on_timer_wanted(CURLM *multi, long milliseconds, void *data) {
	(void)multi;
	arm_timer(data, milliseconds);
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
	struct socket_watch *watch = poll->data;
	struct curl_loop *loop = watch->loop;
	int bits = status < 0 ? CURL_CSELECT_ERR : 0;
	bits |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
	bits |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
	act(loop, watch->socket, bits);
	loop->worked(loop->data);
}

static void one_closed(struct curl_loop *loop) {
	if (--loop->open == 0) {
		loop->closed(loop->data);
	}
}

static void on_watch_closed(uv_handle_t *handle) {
	struct socket_watch *watch = handle->data;
	struct curl_loop *loop = watch->loop;
	free(watch);
	one_closed(loop);
}

static void on_timer_closed(uv_handle_t *handle) {
	one_closed(handle->data);
}

static struct socket_watch *watch_create(struct curl_loop *loop, curl_socket_t socket) {
	struct socket_watch *watch = calloc(1, sizeof(*watch));
	if (watch == NULL || uv_poll_init_socket(loop->loop, &watch->poll, socket) < 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	watch->loop = loop;
	watch->socket = socket;
	loop->open++;
	curl_multi_assign(loop->multi, socket, watch);
	return watch;
}

static int on_socket_wanted(
		CURL *easy, curl_socket_t socket, int what, void *data, void *socket_data) {
	(void)easy;
	struct curl_loop *loop = data;
	struct socket_watch *watch = socket_data;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL) {
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
			curl_multi_assign(loop->multi, socket, NULL);
		}
		return 0;
	}
	if (watch == NULL) {
		watch = watch_create(loop, socket);
		if (watch == NULL) {
			/* Not -1, which kills every transfer there is: this one ends by a time-out.
			 */
			return 0;
		}
	}
	int events = 0;
	events |= what == CURL_POLL_IN || what == CURL_POLL_INOUT ? UV_READABLE : 0;
	events |= what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? UV_WRITABLE : 0;
	uv_poll_start(&watch->poll, events, on_poll);
	return 0;
}

/* libcurl 7.88 opens its pair of wake-up sockets without CLOEXEC and tells nobody their numbers.
 * They take the two lowest free ones; should another thread have been quicker, a descriptor that
 * is CLOEXEC already is made so again. */
static CURLM *multi_create(void) {
	int pair[2] = {-1, -1};
	for (int i = 0; i < 2; i++) {
		pair[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0) {
			close(pair[i]);
		}
	}
	CURLM *multi = curl_multi_init();
	for (int i = 0; i < 2 && multi != NULL; i++) {
		if (pair[i] >= 0) {
			fcntl(pair[i], F_SETFD, FD_CLOEXEC);
		}
	}
	return multi;
}

bool curl_loop_init(struct curl_loop *loop, uv_loop_t *uv, struct fail *fail) {
	loop->loop = uv;
	loop->multi = multi_create();
	if (loop->multi == NULL) {
		return fail_set(fail, ENOMEM, "libcurl can't start: no memory or no descriptors");
	}
	uv_timer_init(uv, &loop->timer);
	loop->timer.data = loop;
	loop->open = 1;
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	return true;
}

void curl_loop_finish(struct curl_loop *loop) {
	loop->inside = true;
	curl_multi_cleanup(loop->multi);
	loop->inside = false;
	loop->multi = NULL;
	uv_close((uv_handle_t *)&loop->timer, on_timer_closed);
}

void curl_loop_kick(struct curl_loop *loop) {
	act(loop, CURL_SOCKET_TIMEOUT, 0);
	loop->worked(loop->data);
}

CURLcode curl_loop_unpause(struct curl_loop *loop, CURL *easy) {
	loop->inside = true;
	CURLcode code = curl_easy_pause(easy, CURLPAUSE_CONT);
	loop->inside = false;
	return code;
}

void curl_loop_break_off(struct curl_loop *loop, CURL *easy) {
	/* A stream that was alone would leave its RST_STREAM unsent and the service working. Others
	 * on the connection keep it open regardless. */
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_multi_remove_handle(loop->multi, easy);
}

void curl_loop_flush(struct curl_loop *loop, CURL *easy) {
	loop->inside = true;
	curl_easy_pause(easy, CURLPAUSE_RECV);
	curl_easy_pause(easy, CURLPAUSE_CONT);
	loop->inside = false;
}
