/* How libcurl is told to make a hop of a transfer, and what it is answered when it calls back. A
 * callback makes no call into libcurl and leaves to the loop whatever needs one. */
#include "core/transfer/address.h"
#include "core/transfer/engine.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* One piece of the reply, a TLS record's worth. A paused transfer holds what one piece unpacks to,
 * for gzip up to 1032 times as much: 17 MiB, in a buffer of 32. */
#define PIECE (16L << 10)
/* What libcurl may undo; reply.c refuses the rest. */
#define ENCODINGS "gzip, deflate"
/* A redirect's body is thrown away; after so much of it the connection goes as well. */
#define DISCARD_MOST ((uint64_t)64 << 10)
#define KEEPALIVE_IDLE 60L

/* Calls setopt unless one failed before. */
#define SET(option, value) fine = fine && curl_easy_setopt(easy, option, value) == CURLE_OK

/* Ends the transfer from a write, header or read callback, whose answer "pause" is one number. */
_Static_assert(CURL_WRITEFUNC_PAUSE == CURL_READFUNC_PAUSE, "both pause by the same number");

static size_t stop(struct transfer *transfer) {
	transfer_stop(transfer);
	return CURL_WRITEFUNC_PAUSE;
}

static bool cut(struct transfer *transfer, int code, const char *words) {
	return fail_set(&transfer->fail, code, "%s:%d: %s", transfer->target.host,
			transfer->target.port, words);
}

/* A port other than the target's is a proxy's. A proxy resolves the name itself, so that what it
 * connects to can't be checked here; who sets one up answers for where it leads. */
static bool address_fine(struct transfer *transfer, const char *kind, int port) {
	if (transfer->target.local || port != transfer->target.port || kind == NULL) {
		return true;
	}
	return fail_set(&transfer->fail, EACCES,
			"%s leads to a %s address: it was not granted as a local host; if it is "
			"meant, name it under hosts: of this provider in config.yml",
			transfer->target.host, kind);
}

static curl_socket_t on_open(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
	(void)purpose;
	struct transfer *transfer = data;
	const char *kind = address_kind(&address->addr, address->addrlen);
	int port = address_port(&address->addr, address->addrlen);
	if (!address_fine(transfer, kind, port)) {
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection is at hand and the request goes out next. For a connection that was opened under
 * another provider's grants on_open wasn't asked. libcurl comes here again when a connection from
 * before turned out to be dead: what may have reached the service then isn't sent twice. */
static int on_connected(void *data, char *address, char *own_address, int port, int own_port) {
	(void)own_address;
	(void)own_port;
	struct transfer *transfer = data;
	transfer_leave_place(transfer);
	transfer->connected_ns = uv_hrtime();
	if (transfer->cancelled || !address_fine(transfer, address_text_kind(address), port)) {
		return CURL_PREREQFUNC_ABORT;
	}
	fail_finish(&transfer->fail); /* of an address that was passed over */
	bool harmless = strcmp(transfer->request.method, "GET") == 0 ||
			strcmp(transfer->request.method, "HEAD") == 0;
	if (transfer->attempts++ > 0 && transfer->body_sent == transfer->body_length) {
		transfer->sent_before = true;
		if (!harmless) {
			fail_set(&transfer->fail, ECONNRESET,
					"%s:%d closed the connection before it replied: the "
					"request may "
					"have been carried out and isn't repeated",
					transfer->target.host, transfer->target.port);
			return CURL_PREREQFUNC_ABORT;
		}
	}
	transfer->body_sent = transfer->reader != NULL ? 0 : transfer->body_length;
	transfer_enter(transfer, transfer->body_sent < transfer->body_length ? TRANSFER_SENDING
									     : TRANSFER_AWAITING);
	return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
	struct transfer *transfer = data;
	if (transfer->cancelled || transfer->stopped) {
		return stop(transfer);
	}
	ssize_t got = body_reader_read(transfer->reader, bytes, size * n);
	if (got < 0) {
		int code = errno;
		fail_set(&transfer->fail, code,
				"a file of the request changed or can't be read while it is sent: "
				"%s",
				strerror(code));
		return stop(transfer);
	}
	transfer->body_sent += (size_t)got;
	if (transfer->state == TRANSFER_SENDING) {
		transfer_enter(transfer, transfer->body_sent == transfer->body_length
							 ? TRANSFER_AWAITING
							 : TRANSFER_SENDING);
	}
	return (size_t)got;
}

/* libcurl only ever goes back to the front. */
static int on_seek(void *data, curl_off_t offset, int origin) {
	struct transfer *transfer = data;
	if (offset != 0 || origin != SEEK_SET || !body_reader_rewind(transfer->reader)) {
		return CURL_SEEKFUNC_CANTSEEK;
	}
	return CURL_SEEKFUNC_OK;
}

static bool head_complete(struct transfer *transfer) {
	struct reply *reply = &transfer->reply;
	if (reply_redirects(reply)) {
		transfer->redirecting = true;
		return true;
	}
	if (reply->foreign_encoding) {
		return cut(transfer, EPROTO,
				"the reply is compressed in a way that wasn't asked for "
				"(only " ENCODINGS " are)");
	}
	if (transfer->events.head != NULL) {
		struct transfer_head head = reply_head(reply);
		transfer->events.head(transfer->data, &head);
	}
	return !transfer->cancelled;
}

static size_t on_header(char *line, size_t size, size_t n, void *data) {
	struct transfer *transfer = data;
	if (transfer->cancelled || transfer->stopped) {
		return stop(transfer);
	}
	switch (reply_line(&transfer->reply, line, size * n)) {
	case REPLY_BEGAN:
		transfer_enter(transfer, TRANSFER_RECEIVING);
		if (transfer->first_byte_ns == 0) {
			transfer->first_byte_ns = uv_hrtime();
		}
		break;
	case REPLY_HEAD:
		if (!head_complete(transfer)) {
			return stop(transfer);
		}
		break;
	case REPLY_FAILED:
		cut(transfer, ENOMEM, "no memory for the reply's head");
		return stop(transfer);
	case REPLY_MORE:
		break;
	}
	transfer->since = uv_now(transfer->engine->curl.loop);
	return size * n;
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
	struct transfer *transfer = data;
	size *= n;
	if (transfer->cancelled || transfer->stopped) {
		return stop(transfer);
	}
	if (transfer->redirecting) {
		transfer->discarded += size;
		return transfer->discarded <= DISCARD_MOST ? size : stop(transfer);
	}
	if (transfer->paused) {
		return CURL_WRITEFUNC_PAUSE;
	}
	uint64_t most = transfer->request.body_most;
	if (most != 0 && size > most - transfer->bytes_in) {
		fail_set(&transfer->fail, EMSGSIZE,
				"the reply of %s is larger than %llu bytes: raise limits in "
				"config.yml",
				transfer->target.host, (unsigned long long)most);
		return stop(transfer);
	}
	transfer->bytes_in += size;
	transfer->since = uv_now(transfer->engine->curl.loop);
	transfer->resume_wanted = false;
	if (transfer->events.data != NULL && !transfer->events.data(transfer->data, bytes, size)) {
		/* It may have been resumed from inside the event. */
		transfer->paused = !transfer->resume_wanted;
	}
	transfer->resume_wanted = false;
	return transfer->cancelled ? stop(transfer) : size;
}

static bool set_connection(struct transfer *transfer) {
	CURL *easy = transfer->easy;
	struct transfer_engine *engine = transfer->engine;
	bool https = strcmp(transfer->target.scheme, "https") == 0;
	bool fine = true;
	SET(CURLOPT_CURLU, transfer->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SHARE, engine->share);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE);
	/* Over TLS many transfers share a connection, and one that is being made is waited for. */
	SET(CURLOPT_HTTP_VERSION,
			https ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PIPEWAIT, https ? 1L : 0L);
	/* Ours is the clock: libcurl's own limit would be 300 s. */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)INT_MAX);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_PREREQFUNCTION, on_connected);
	SET(CURLOPT_PREREQDATA, transfer);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (engine->ca_file != NULL) {
		SET(CURLOPT_CAINFO, engine->ca_file);
	}
	if (engine->ca_file != NULL || engine->ca_bundle) {
		/* With a directory libcurl reads the bundle again for each connection. */
		SET(CURLOPT_CAPATH, NULL);
	}
	return fine;
}

static bool set_request(struct transfer *transfer) {
	CURL *easy = transfer->easy;
	const struct request *request = &transfer->request;
	bool fine = true;
	bool sends = request->has_body || strcmp(request->method, "POST") == 0 ||
		     strcmp(request->method, "PUT") == 0 || strcmp(request->method, "PATCH") == 0;
	if (sends) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_length);
	}
	if (sends && transfer->reader == NULL) {
		/* Goes out in one piece with the head. */
		SET(CURLOPT_POSTFIELDS, buf_string(&transfer->small));
	} else if (sends) {
		SET(CURLOPT_READFUNCTION, on_read);
		SET(CURLOPT_READDATA, transfer);
		SET(CURLOPT_SEEKFUNCTION, on_seek);
		SET(CURLOPT_SEEKDATA, transfer);
	}
	if (strcmp(request->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else {
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	}
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	if (transfer->engine->user_agent != NULL) {
		SET(CURLOPT_USERAGENT, transfer->engine->user_agent);
	}
	SET(CURLOPT_ACCEPT_ENCODING, ENCODINGS);
	return fine;
}

static bool set_reply(struct transfer *transfer) {
	CURL *easy = transfer->easy;
	bool fine = true;
	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_BUFFERSIZE, PIECE);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, on_write);
	SET(CURLOPT_WRITEDATA, transfer);
	return fine;
}

bool transfer_setup(struct transfer *transfer, struct fail *fail) {
	curl_easy_reset(transfer->easy);
	request_headers_free(transfer->headers);
	transfer->headers = request_headers(&transfer->request, transfer->target.keyed);
	if (transfer->headers == NULL || !set_connection(transfer) || !set_request(transfer) ||
			!set_reply(transfer)) {
		return fail_set(fail, ENOMEM, "libcurl can't set up a request to %s",
				transfer->target.host);
	}
	return true;
}
