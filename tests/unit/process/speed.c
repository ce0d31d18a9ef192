/* How long a provider's process takes: from its start to the first answer, then an answer's round
 * trip, and data through it. A benchmark: it prints and judges nothing. */
#include "tests/unit/process/support.h"

#include <stdio.h>
#include <string.h>

#define STARTS 50
#define TURNS 2000
#define BYTES ((size_t)256 << 20)

static double milliseconds_since(uint64_t begun) {
	return (double)(uv_hrtime() - begun) / 1e6;
}

static void run(struct fixture *fixture, const bool *done) {
	while (!*done) {
		uv_run(&fixture->loop, UV_RUN_ONCE);
	}
}

static void one_turn(struct fixture *fixture) {
	struct owner owner;
	owner_init(&owner, fixture);
	owner_transform(&owner, "echo");
	run(fixture, &owner.ended);
	owner_finish(&owner);
}

static void move_data(struct fixture *fixture) {
	static char chunk[65536];
	struct owner owner;
	owner_init(&owner, fixture);
	owner.answers = false;
	owner_transform(&owner, "echo");
	while (owner.n_reads == 0) {
		uv_run(&fixture->loop, UV_RUN_ONCE);
	}
	uint64_t begun = uv_hrtime();
	for (size_t sent = 0; sent < BYTES; sent += sizeof(chunk)) {
		unsigned resumes = owner.n_resumes;
		if (!job_data(owner.job, chunk, sizeof(chunk))) {
			while (owner.n_resumes == resumes) {
				uv_run(&fixture->loop, UV_RUN_ONCE);
			}
			buf_clear(&owner.output);
		}
	}
	job_body_end(owner.job);
	run(fixture, &owner.ended);
	double ms = milliseconds_since(begun);
	printf("data through the provider: %.0f MB/s\n", (double)BYTES / 1e3 / ms);
	owner_finish(&owner);
}

int main(void) {
	struct fixture fixture;
	double best = 1e9, sum = 0;
	for (int i = 0; i < STARTS; i++) {
		fixture_init(&fixture, "good");
		uint64_t begun = uv_hrtime();
		one_turn(&fixture);
		double ms = milliseconds_since(begun);
		best = ms < best ? ms : best;
		sum += ms;
		fixture_finish(&fixture);
	}
	printf("start and first turn: %.2f ms on average, %.2f ms at best\n", sum / STARTS, best);
	fixture_init(&fixture, "good");
	one_turn(&fixture);
	uint64_t begun = uv_hrtime();
	for (int i = 0; i < TURNS; i++) {
		one_turn(&fixture);
	}
	printf("a turn (two round trips): %.0f µs\n", milliseconds_since(begun) * 1000 / TURNS);
	move_data(&fixture);
	fixture_finish(&fixture);
	return 0;
}
