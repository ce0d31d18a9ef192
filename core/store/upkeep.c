/* What keeps the disk in step without the loop ever waiting for it: fsync of turns and of the
 * database's log at most once a second, and checkpoints, all on libuv's pool, one job at a time. */
#include "core/base/log.h"
#include "core/store/database.h"
#include "core/store/delay.h"
#include "core/store/private.h"

#include <fcntl.h>
#include <string.h>

#define SYNC_MILLISECONDS 1000
#define CHECKPOINT_MILLISECONDS 30000
/* 4 MiB of the default 4 KiB pages. */
#define CHECKPOINT_PAGES 1024
/* More turns than this in a second, and the whole file system is synced at once. */
#define TURNS_MOST 512

/* What one job does; also what the next one shall do. */
struct chore {
	int64_t turns[TURNS_MOST];
	size_t n_turns;
	bool everything; /* more turns than `turns` holds */
	int64_t gone[UPKEEP_GONE_MOST]; /* turns whose files shall go */
	size_t n_gone;
	bool log; /* sync the WAL */
	bool checkpoint;
};

/* Lives until both its store has closed and its pool job has ended. */
struct upkeep {
	struct store *store; /* NULL once it closed */
	char *directory, *files; /* of the database, and of the turns */
	sqlite3 *db; /* a connection of the job's own, made at the first checkpoint */
	struct delay *sync_timer, *checkpoint_timer;
	struct chore next, now;
	uv_work_t work;
	bool busy; /* `work` is with libuv */
	bool due; /* the next chore may not wait for a timer any more */
	bool failing; /* said once in the log; touched by whoever does a chore */
	uv_sem_t ended; /* posted when the job's thread is through */
};

static bool sync_log(const char *directory) {
	char path[4096];
	/* Only the log: closing a descriptor of the database would drop SQLite's locks on it. */
	int length = snprintf(path, sizeof(path), "%s/" DATABASE_NAME "-wal", directory);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return true;
	}
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || fdatasync(fd) == 0;
}

static bool sync_everything(const char *directory) {
	cleanup_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || syncfs(fd) == 0;
}

static bool checkpoint(struct upkeep *upkeep, struct fail *fail) {
	char path[4096];
	bool broken;
	int length = snprintf(path, sizeof(path), "%s/" DATABASE_NAME, upkeep->directory);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		return true;
	}
	if (upkeep->db == NULL) {
		upkeep->db = database_connect(path, &broken, fail);
	}
	/* PASSIVE never holds up the loop's connection; what it can't do waits for the next. */
	return upkeep->db != NULL &&
	       (sqlite3_wal_checkpoint_v2(upkeep->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
				NULL) == SQLITE_OK ||
			       database_fail(upkeep->db, path, fail));
}

static void do_chore(struct upkeep *upkeep, const struct chore *chore) {
	cleanup_fail struct fail fail = {0};
	for (size_t i = 0; i < chore->n_gone; i++) {
		files_remove_turn(upkeep->files, chore->gone[i]);
	}
	bool synced = !chore->everything || sync_everything(upkeep->directory);
	for (size_t i = 0; i < chore->n_turns; i++) {
		synced &= files_sync_turn(upkeep->files, chore->turns[i]);
	}
	bool done = !chore->checkpoint || checkpoint(upkeep, &fail);
	synced &= !chore->log || sync_log(upkeep->directory);
	if (!synced && !upkeep->failing) {
		log_warning("%s can't be synced to its disk: a power cut may cost what is in it",
				upkeep->directory);
	}
	if (!done && !upkeep->failing) {
		log_warning("checkpoint: %s", fail_words(&fail));
	}
	upkeep->failing = !synced || !done;
}

static void job_run(uv_work_t *work) {
	struct upkeep *upkeep = work->data;
	do_chore(upkeep, &upkeep->now);
	uv_sem_post(&upkeep->ended);
}

static void free_upkeep(struct upkeep *upkeep) {
	uv_sem_destroy(&upkeep->ended);
	free(upkeep->directory);
	free(upkeep->files);
	free(upkeep);
}

static void start_job(struct upkeep *upkeep);

static void job_ended(uv_work_t *work, int status) {
	struct upkeep *upkeep = work->data;
	upkeep->busy = false;
	if (upkeep->store == NULL) {
		free_upkeep(upkeep);
		return;
	}
	if (status == 0) {
		uv_sem_wait(&upkeep->ended);
	}
	if (upkeep->now.n_gone != 0) {
		forgetting_removed(upkeep->store->forgetting, upkeep->now.gone, upkeep->now.n_gone);
	}
	if (upkeep->due || upkeep->next.checkpoint) {
		start_job(upkeep);
	}
}

/* Hands what is asked for to the pool; while a job runs, when that one has ended. */
static void start_job(struct upkeep *upkeep) {
	upkeep->due = upkeep->busy;
	if (upkeep->busy) {
		return;
	}
	upkeep->now = upkeep->next;
	upkeep->next = (struct chore){0};
	upkeep->work.data = upkeep;
	if (uv_queue_work(upkeep->store->loop, &upkeep->work, job_run, job_ended) == 0) {
		upkeep->busy = true;
	}
}

static void sync_due(void *data) {
	start_job(data);
}

static void checkpoint_due(void *data) {
	struct upkeep *upkeep = data;
	upkeep->next.checkpoint = true;
	start_job(upkeep);
}

struct upkeep *upkeep_create(struct store *store) {
	struct upkeep *upkeep = calloc(1, sizeof(*upkeep));
	if (upkeep == NULL) {
		return NULL;
	}
	upkeep->store = store;
	upkeep->directory = strdup(store->directory);
	upkeep->files = strdup(store->files);
	upkeep->sync_timer = delay_create(store->loop, sync_due, upkeep, true);
	upkeep->checkpoint_timer = delay_create(store->loop, checkpoint_due, upkeep, false);
	if (uv_sem_init(&upkeep->ended, 0) != 0) {
		abort(); /* a fresh semaphore fails only for a senseless value */
	}
	if (upkeep->directory == NULL || upkeep->files == NULL || upkeep->sync_timer == NULL ||
			upkeep->checkpoint_timer == NULL) {
		upkeep_destroy(upkeep);
		return NULL;
	}
	return upkeep;
}

void upkeep_destroy(struct upkeep *upkeep) {
	if (upkeep == NULL) {
		return;
	}
	delay_destroy(upkeep->sync_timer);
	delay_destroy(upkeep->checkpoint_timer);
	if (upkeep->busy && uv_cancel((uv_req_t *)&upkeep->work) == 0) {
		do_chore(upkeep, &upkeep->now);
	} else if (upkeep->busy) {
		uv_sem_wait(&upkeep->ended);
	}
	do_chore(upkeep, &upkeep->next);
	sqlite3_close(upkeep->db);
	upkeep->store = NULL;
	if (!upkeep->busy) {
		free_upkeep(upkeep);
	}
}

void upkeep_wrote(struct upkeep *upkeep, int wal_pages) {
	upkeep->next.log = true;
	delay_arm(upkeep->sync_timer, SYNC_MILLISECONDS);
	if (wal_pages >= CHECKPOINT_PAGES) {
		delay_stop(upkeep->checkpoint_timer);
		checkpoint_due(upkeep);
	} else {
		delay_arm(upkeep->checkpoint_timer, CHECKPOINT_MILLISECONDS);
	}
}

bool upkeep_remove(struct upkeep *upkeep, const int64_t *turns, size_t n) {
	bool full = upkeep->next.n_gone != 0 || (upkeep->busy && upkeep->now.n_gone != 0);
	if (full || n == 0) {
		return false;
	}
	memcpy(upkeep->next.gone, turns, n * sizeof(*turns));
	upkeep->next.n_gone = n;
	start_job(upkeep);
	return true;
}

void store_sync_soon(struct store *store, int64_t turn) {
	struct upkeep *upkeep = store->upkeep;
	struct chore *next = &upkeep->next;
	/* What goes with the mount needn't outlive a power cut. */
	if (store->off_record) {
		return;
	}
	delay_arm(upkeep->sync_timer, SYNC_MILLISECONDS);
	for (size_t i = 0; i < next->n_turns; i++) {
		if (next->turns[i] == turn) {
			return;
		}
	}
	if (next->n_turns == TURNS_MOST) {
		next->everything = true;
		return;
	}
	next->turns[next->n_turns++] = turn;
}
