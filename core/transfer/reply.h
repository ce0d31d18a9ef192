/* A reply's head as it arrives line by line: what is handed up, and what the engine itself needs
 * of it. Everything here was written by the service and is bounded. */
#ifndef CORE_TRANSFER_REPLY_H
#define CORE_TRANSFER_REPLY_H

#include "core/transfer/transfer.h"

struct reply {
	int status;
	bool complete; /* the final head has ended; what follows are trailers */
	bool encoded; /* gzip or deflate */
	bool foreign_encoding; /* encoded otherwise than was asked for, or twice */
	char *content_type; /* lower case, no parameters; NULL when absent */
	char *location; /* NULL when absent */
	char *retry_after; /* NULL when absent */
	char *retry_after_ms;
	char **headers; /* n_headers, ended by NULL */
	size_t n_headers;
	size_t header_bytes; /* handed up so far */
};

enum reply_progress {
	REPLY_MORE,
	REPLY_BEGAN, /* the status line of the final head */
	REPLY_HEAD, /* the final head is complete */
	REPLY_FAILED, /* without memory */
};

/* A line as libcurl hands it over, its CRLF included. Heads of 1xx are passed over. */
enum reply_progress reply_line(struct reply *reply, const char *line, size_t size);
/* The head for the event; valid as long as the reply. */
struct transfer_head reply_head(const struct reply *reply);
/* True when the status is one that leads on and says where to. */
bool reply_redirects(const struct reply *reply);
/* Seconds to wait as a 429 or 503 states them, in retry-after-ms, or in retry-after as a number or
 * a date; false when it doesn't. Other statuses carry the header without meaning it. */
bool reply_retry_after(const struct reply *reply, double *ret);
void reply_finish(struct reply *reply);

#endif
