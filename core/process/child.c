/* A running conduitfs-provider: see child.h. */
#include "core/process/child.h"

#include "core/process/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Packets and reads of stderr dealt with before the loop's other events have their turn. */
#define PACKETS_AT_ONCE 4
#define READS_AT_ONCE 4
/* More than the socket of a child that ended can hold, and its pipe of 64 KiB. */
#define PACKETS_MOST 4096
#define LOG_READS_MOST 16
/* The watch looks so many times in ack_seconds, so that a loop that was held up (its timers all
 * fire at once, before what lies in the socket is read) doesn't count as a silent provider. */
#define TICKS 10
#define READY_SECONDS 5.0
#define ACK_SECONDS 5.0

static double ack_seconds(const struct child *child) {
	double seconds = child->process->options.ack_seconds;
	return seconds > 0 ? seconds : ACK_SECONDS;
}

static void on_closed(uv_handle_t *handle) {
	struct child *child = handle->data;
	if (--child->n_handles > 0) {
		return;
	}
	close(child->launched.socket);
	close(child->launched.log);
	queue_finish(&child->queue);
	free(child->reason);
	free(child);
}

static void close_handle(void *handle) {
	if (!uv_is_closing(handle)) {
		uv_close(handle, on_closed);
	}
}

/* ---- what it writes to stderr ---- */

static void end_line(struct child *child) {
	if (child->line_size == 0) {
		return;
	}
	child->line[child->line_size] = '\0';
	memcpy(child->last_line, child->line, child->line_size + 1);
	if (child->process != NULL) {
		process_provider_line(child->process, child->line, child->line_size);
	}
	child->line_size = 0;
}

static void add_to_lines(struct child *child, const char *bytes, size_t size) {
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\n' || child->line_size == CHILD_LINE_MOST) {
			end_line(child);
		}
		if (bytes[i] != '\n') {
			child->line[child->line_size++] = bytes[i];
		}
	}
}

static void read_log(struct child *child) {
	char bytes[4096];
	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t size = read(child->launched.log, bytes, sizeof(bytes));
		if (size > 0) {
			add_to_lines(child, bytes, (size_t)size);
		} else if (size == 0) {
			uv_poll_stop(&child->log_poll);
			return;
		} else if (errno != EINTR) {
			return;
		}
	}
}

static void on_log(uv_poll_t *handle, int status, int events) {
	(void)status;
	(void)events;
	read_log(handle->data);
}

/* ---- its socket ---- */

static void reap(struct child *child);

/* Its end of the socket is closed: it ended, or is of no use any more. */
static void hang_up(struct child *child) {
	uv_poll_stop(&child->socket_poll);
	if (!child->killed) {
		child->killed = true;
		kill(child->launched.pid, SIGKILL);
	}
	reap(child);
}

/* Reads one packet; false when there is none yet, or none comes any more. */
static bool read_packet(struct child *child) {
	/* A byte more than may come, to tell what is too long. */
	static uint8_t packet[WIRE_PACKET_MOST + 1];
	ssize_t size = recv(child->launched.socket, packet, sizeof(packet), MSG_DONTWAIT);
	if (size < 0) {
		/* A reset is told once, before what it sent and left unread. */
		return errno == EINTR || errno == ECONNRESET;
	}
	if (size == 0) {
		hang_up(child);
		return false;
	}
	struct fail fail cleanup_fail = {0};
	if ((size_t)size > WIRE_PACKET_MOST) {
		child_kill(child, "it sent a packet above 64 KiB");
	} else if (!process_packet(child->process, packet, (size_t)size, &fail)) {
		child_kill(child, "%s", fail_words(&fail));
	}
	return true;
}

static void read_packets(struct child *child, int most) {
	for (int i = 0; i < most && child->process != NULL && !child->killed; i++) {
		if (!read_packet(child)) {
			break;
		}
	}
}

static void on_socket(uv_poll_t *handle, int status, int events) {
	struct child *child = handle->data;
	if (events & UV_WRITABLE) {
		child_flush(child);
		if (child->process != NULL) {
			process_schedule(child->process);
		}
	}
	read_packets(child, PACKETS_AT_ONCE);
	/* libuv looks no more after an error, so all that is left is read now. */
	if (status < 0) {
		read_packets(child, PACKETS_MOST);
	}
	if (status < 0 && child->process != NULL) {
		hang_up(child);
	}
}

static void watch_socket(struct child *child) {
	int events = list_empty(&child->queue.packets) ? UV_READABLE : UV_READABLE | UV_WRITABLE;
	uv_poll_start(&child->socket_poll, events, on_socket);
}

/* ---- the watch ---- */

static void on_tick(uv_timer_t *timer) {
	struct child *child = timer->data;
	double seconds = child->ready ? ack_seconds(child) : READY_SECONDS;
	unsigned most = (unsigned)(seconds * TICKS / ack_seconds(child));
	if (++child->silent_ticks <= most) {
		return;
	}
	if (child->ready) {
		child_kill(child, "it acknowledged nothing for %g s", seconds);
	} else {
		child_kill(child, "it wasn't ready within %g s", seconds);
	}
}

static void watch_start(struct child *child) {
	uint64_t interval = (uint64_t)(ack_seconds(child) * 1000 / TICKS);
	child->silent_ticks = 0;
	uv_timer_start(&child->watch, on_tick, interval > 0 ? interval : 1,
			interval > 0 ? interval : 1);
}

bool child_acknowledged(struct child *child) {
	if (child->unacknowledged == 0) {
		return false;
	}
	child->silent_ticks = 0;
	if (--child->unacknowledged == 0) {
		uv_timer_stop(&child->watch);
	}
	return true;
}

void child_ready(struct child *child) {
	child->ready = true;
	uv_timer_stop(&child->watch);
}

static void await(struct child *child, size_t messages) {
	if (messages > 0 && child->unacknowledged == 0) {
		watch_start(child);
	}
	child->unacknowledged += messages;
}

/* ---- saying ---- */

bool child_put(struct child *child, struct wire_message *message) {
	if (!queue_put(&child->queue, message)) {
		return false;
	}
	await(child, wire_acknowledged(message->type));
	return true;
}

void child_move(struct child *child, struct queue *from, size_t acknowledged) {
	queue_move(&child->queue, from);
	await(child, acknowledged);
}

void child_flush(struct child *child) {
	if (child->killed || child->process == NULL) {
		return;
	}
	bool left = false;
	if (!queue_send(&child->queue, child->launched.socket, &left)) {
		/* Its end of the socket is closed: it ended, or reading will tell. */
		queue_finish(&child->queue);
	}
	watch_socket(child);
}

/* ---- its beginning and end ---- */

/* When it has ended: takes what it still said, and tells its process. */
static void reap(struct child *child) {
	siginfo_t info = {0};
	if (child->reaped ||
			waitid(P_PID, (id_t)child->launched.pid, &info, WEXITED | WNOHANG) != 0 ||
			info.si_pid == 0) {
		return;
	}
	child->reaped = true;
	read_packets(child, PACKETS_MOST);
	for (int i = 0; i < LOG_READS_MOST && child->process != NULL; i++) {
		read_log(child);
	}
	end_line(child);
	struct process *process = child->process;
	child->process = NULL;
	close_handle(&child->ended);
	close_handle(&child->socket_poll);
	close_handle(&child->log_poll);
	close_handle(&child->watch);
	if (process != NULL) {
		process_child_ended(process, child, info.si_code, info.si_status);
	}
}

static void on_signal(uv_signal_t *handle, int number) {
	(void)number;
	reap(handle->data);
}

struct child *child_start(struct process *process, char *const *arguments, struct fail *fail) {
	struct child *child = calloc(1, sizeof(*child));
	if (child == NULL) {
		fail_set(fail, ENOMEM, "no memory to start %s", arguments[0]);
		return NULL;
	}
	if (!launch_provider(arguments, &child->launched, fail)) {
		free(child);
		return NULL;
	}
	child->process = process;
	child->n_handles = 4;
	queue_init(&child->queue);
	child->ended.data = child->watch.data = child;
	child->socket_poll.data = child->log_poll.data = child;
	uv_signal_init(process->loop, &child->ended);
	/* These fail only for descriptors that can't be polled, which none of these is. */
	uv_poll_init(process->loop, &child->socket_poll, child->launched.socket);
	uv_poll_init(process->loop, &child->log_poll, child->launched.log);
	uv_timer_init(process->loop, &child->watch);
	/* One that ended before this is noticed when its socket is read. */
	uv_signal_start(&child->ended, on_signal, SIGCHLD);
	uv_poll_start(&child->log_poll, UV_READABLE, on_log);
	watch_socket(child);
	watch_start(child);
	return child;
}

void child_kill(struct child *child, const char *format, ...) {
	if (child->killed || child->reaped) {
		return;
	}
	va_list args;
	va_start(args, format);
	if (child->reason == NULL && vasprintf(&child->reason, format, args) < 0) {
		child->reason = NULL;
	}
	va_end(args);
	child->killed = true;
	uv_timer_stop(&child->watch);
	uv_poll_stop(&child->socket_poll);
	kill(child->launched.pid, SIGKILL);
}

void child_let_go(struct child *child) {
	child_kill(child, "it isn't needed any more");
	child->process = NULL;
	close_handle(&child->socket_poll);
	close_handle(&child->log_poll);
	close_handle(&child->watch);
	reap(child);
}

char *child_cause(const struct child *child, int code, int status) {
	static const char forbidden[] = "forbidden system call: ";
	char *cause = NULL;
	int written = -1;
	if (child->refused) {
		written = asprintf(&cause, "can't be loaded: %s", child->reason);
	} else if (code == CLD_EXITED) {
		written = asprintf(&cause, "ended by itself (exit status %d%s%s)", status,
				child->last_line[0] != '\0' ? ": " : "", child->last_line);
	} else if (status == SIGKILL && child->reason != NULL) {
		written = asprintf(&cause, "was killed: %s", child->reason);
	} else if (status == SIGSYS &&
			strncmp(child->last_line, forbidden, strlen(forbidden)) == 0) {
		written = asprintf(&cause, "was killed: it tried a forbidden system call (%s)",
				child->last_line + strlen(forbidden));
	} else if (status == SIGSYS) {
		written = asprintf(&cause, "was killed: it tried a forbidden system call");
	} else {
		const char *name = sigabbrev_np(status);
		written = asprintf(&cause, "crashed (SIG%s%s%s)", name != NULL ? name : "?",
				child->last_line[0] != '\0' ? ": " : "", child->last_line);
	}
	return written >= 0 ? cause : NULL;
}
