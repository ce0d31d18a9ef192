/* Processes and their parents out of /proc: see chain.h. */
#include "core/turn/chain.h"

#include "core/base/cleanup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Above what the kernel writes there: 52 numbers and a name of at most 64 bytes; status is longer,
 * but the line wanted is among its first. */
#define PROC_MOST 2048

/* Reads the beginning of /proc/ID/NAME as a string. */
static bool read_proc(pid_t id, const char *name, char ret[static PROC_MOST]) {
	char path[48];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)id, name);
	cleanup_close int fd = id > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		return false;
	}
	ssize_t got = read(fd, ret, PROC_MOST - 1);
	if (got <= 0) {
		return false;
	}
	ret[got] = '\0';
	return true;
}

/* A field of stat by its number in proc(5), 3 or above. The name (field 2) may hold blanks and
 * parentheses, so that counting starts behind the last ')'. NULL when there aren't so many. */
static const char *stat_field(const char *stat, int number) {
	const char *at = strrchr(stat, ')');
	for (int field = 2; at != NULL && field < number; field++) {
		at = strchr(at + 1, ' ');
	}
	return at != NULL ? at + 1 : NULL;
}

static bool read_process(int32_t pid, uint64_t *ret_start, int32_t *ret_parent) {
	char stat[PROC_MOST];
	if (!read_proc(pid, "stat", stat)) {
		return false;
	}
	const char *parent = stat_field(stat, 4);
	const char *start = stat_field(stat, 22);
	if (parent == NULL || start == NULL) {
		return false;
	}
	*ret_parent = (int32_t)strtol(parent, NULL, 10);
	*ret_start = strtoull(start, NULL, 10);
	return true;
}

/* The process of a thread; 0 when it is gone or hidden. */
static int32_t thread_process(pid_t id) {
	static const char label[] = "\nTgid:";
	char status[PROC_MOST];
	if (!read_proc(id, "status", status)) {
		return 0;
	}
	/* A newline in the process's name is written there as an escape. */
	const char *line = strstr(status, label);
	return line != NULL ? (int32_t)strtol(line + sizeof(label) - 1, NULL, 10) : 0;
}

void chain_walk_begin(struct chain_walk *walk, pid_t id) {
	*walk = (struct chain_walk){.next = thread_process(id), .start = UINT64_MAX};
}

bool chain_walk_next(struct chain_walk *walk, struct process_id *ret) {
	int32_t pid = walk->next, parent = 0;
	uint64_t start = 0;
	walk->next = 0;
	if (pid <= 1 || walk->steps == CHAIN_MOST || !read_process(pid, &start, &parent) ||
			start > walk->start) {
		return false;
	}
	walk->next = parent;
	walk->start = start;
	walk->steps++;
	*ret = (struct process_id){.pid = pid, .start = start};
	return true;
}

void chain_capture(pid_t id, struct chain *ret) {
	struct chain_walk walk;
	chain_walk_begin(&walk, id);
	ret->n = 0;
	while (ret->n < CHAIN_MOST && chain_walk_next(&walk, &ret->ids[ret->n])) {
		ret->n++;
	}
}

int process_signal(pid_t id) {
	char stat[PROC_MOST];
	if (!read_proc(id, "stat", stat)) {
		return 0;
	}
	const char *code = stat_field(stat, 52);
	return code != NULL ? (int)(strtol(code, NULL, 10) & 0x7f) : 0;
}

void process_name(pid_t id, char *ret, size_t size) {
	char stat[PROC_MOST];
	const char *from = read_proc(id, "stat", stat) ? strchr(stat, '(') : NULL;
	const char *to = from != NULL ? strrchr(from, ')') : NULL;
	size_t length = 0;
	if (to != NULL) {
		for (const char *at = from + 1; at < to && length + 1 < size; at++) {
			bool control = (unsigned char)*at < 0x20 || *at == 0x7f;
			ret[length++] = control ? '?' : *at;
		}
	}
	if (size > 0) {
		ret[length] = '\0';
	}
}
