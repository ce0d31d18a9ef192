/* What conduitfs-fetch is told and what it tells: JSON, one object a line. The task comes first, on
 * its stdin; then its stdout brings progress and at last the end. Its own two processes talk in the
 * same way. */
#ifndef CORE_FETCH_MESSAGE_H
#define CORE_FETCH_MESSAGE_H

#include "core/base/buf.h"
#include "core/fetch/fetch.h"

#include <stdbool.h>

/* A line above this isn't ours: the compiler's messages are the largest part of one, and a byte of
 * theirs may take six. */
#define MESSAGE_MOST ((size_t)512 << 10)

struct task {
	struct source source; /* git or directory */
	char *commit; /* "" : what the ref leads to */
	char *previous; /* "" : none to compare with */
	char *cache, *include;
	char *ca_file; /* "" : the system's */
	char **pkg_config; /* ended by NULL; NULL: the standard list */
	bool without_landlock;
	double stall_seconds, total_seconds;
};

/* Appends the line. False without memory. */
bool task_write(struct buf *out, const struct fetch_options *options,
		const struct fetch_request *request);
bool task_read(struct task *ret, const char *line, struct fail *fail);
void task_finish(struct task *task);

enum message_type {
	MESSAGE_PROGRESS,
	MESSAGE_WAITING, /* for another process that fetches the same: no progress is no stall */
	MESSAGE_GOING_ON, /* it has ended */
	MESSAGE_CREDENTIALS, /* the server wants some; answered by a MESSAGE_ANSWER */
	MESSAGE_ANSWER, /* user and password, or words */
	MESSAGE_END,
};

struct message {
	enum message_type type;
	struct fetch_progress progress; /* its words are the message's */
	struct fetch_result result;
	char *user, *password; /* wiped when the message is finished */
	char *words;
};

bool message_write_progress(struct buf *out, const struct fetch_progress *progress);
bool message_write_end(struct buf *out, const struct fetch_result *result);
bool message_write_answer(
		struct buf *out, const char *user, const char *password, const char *words);
/* MESSAGE_WAITING, MESSAGE_GOING_ON, MESSAGE_CREDENTIALS. */
bool message_write(struct buf *out, enum message_type type);
/* False when the line is none of these. */
bool message_read(struct message *ret, const char *line);
void message_finish(struct message *message);

#define cleanup_task cleanup(task_finish)
#define cleanup_message cleanup(message_finish)

#endif
