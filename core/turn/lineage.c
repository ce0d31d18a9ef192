/* Who read what: see lineage.h. */
#include "core/turn/lineage.h"

#include <stdlib.h>
#include <time.h>

#define NOTES 1024
#define RECENT_US INT64_C(60000000)

struct note {
	struct process_id reader;
	int64_t turn; /* 0: free */
	int64_t when;
};

struct lineage {
	struct note notes[NOTES]; /* a ring */
	size_t next;
};

struct lineage *lineage_create(void) {
	return calloc(1, sizeof(struct lineage));
}

void lineage_destroy(struct lineage *lineage) {
	free(lineage);
}

int64_t lineage_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void lineage_note(struct lineage *lineage, const struct process_id *reader, int64_t turn) {
	lineage->notes[lineage->next] = (struct note){*reader, turn, lineage_now()};
	lineage->next = (lineage->next + 1) % NOTES;
}

int64_t lineage_find(const struct lineage *lineage, const struct process_id *writer, int64_t when) {
	for (size_t i = 1; i <= NOTES; i++) {
		const struct note *note = &lineage->notes[(lineage->next + NOTES - i) % NOTES];
		if (note->turn == 0) {
			return 0;
		}
		if (note->reader.pid == writer->pid && note->reader.start == writer->start) {
			return note->when >= when - RECENT_US ? note->turn : 0;
		}
	}
	return 0;
}
