/* Answers given again: see answers.h. A request is known by 128 bits of SipHash with a key that
 * nobody outside knows, so that no prompt can be made to look like another. */
#include "core/engine/run/answers.h"

#include "core/base/siphash.h"
#include "core/engine/engine.h"
#include "core/engine/run/feed.h"
#include "core/turn/results.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

/* A conversation above this is read on the pool. */
#define INLINE_MOST ((uint64_t)1 << 20)

/* What was folded in so far. */
struct fold {
	struct siphash_key key;
	uint64_t low, high;
};

struct answer_work {
	uv_work_t work;
	struct run *run;
	struct fold fold;
	struct exchange_file *files;
	size_t n_files;
	bool read; /* all of it */
	atomic_bool cancelled;
};

/* ---- what a request is known by ---- */

static void fold_bytes(struct fold *fold, const void *bytes, size_t size) {
	struct siphash_key low = {fold->key.low ^ fold->low, fold->key.high};
	struct siphash_key high = {fold->key.low, ~fold->key.high ^ fold->high};
	fold->low = siphash(low, bytes, size);
	fold->high = siphash(high, bytes, size);
}

/* Its length first, so that two fields never read like two others. */
static void fold_field(struct fold *fold, const void *bytes, uint64_t size) {
	fold_bytes(fold, &size, sizeof(size));
	fold_bytes(fold, bytes, (size_t)size);
}

static void fold_string(struct fold *fold, const char *string) {
	fold_field(fold, string, strlen(string));
}

static void fold_number(struct fold *fold, uint64_t number) {
	fold_field(fold, &number, sizeof(number));
}

/* A file as it is sent, in pieces of one size; false when it can't be read. */
static bool fold_file(
		struct fold *fold, const struct exchange_file *file, const atomic_bool *cancelled) {
	char piece[65536];
	uint64_t size = file->size - file->skip - file->drop, offset = 0;
	cleanup_close int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	fold_number(fold, size);
	while (fd >= 0 && offset < size && (cancelled == NULL || !atomic_load(cancelled))) {
		uint64_t left = size - offset;
		size_t wanted = left < sizeof(piece) ? (size_t)left : sizeof(piece);
		if (pread(fd, piece, wanted, (off_t)(file->skip + offset)) != (ssize_t)wanted) {
			return false;
		}
		fold_bytes(fold, piece, wanted);
		offset += wanted;
	}
	return fd >= 0 && offset == size;
}

/* All but the files. What max_tokens was lowered to isn't the user's word: the setting is. */
static bool fold_request(struct run *run, const struct prepared *prepared, struct fold *fold) {
	const struct job_turn *turn = &prepared->turn;
	uint64_t secret[2];
	if (!store_answer_secret(run->provider->engine->store, secret)) {
		return false;
	}
	*fold = (struct fold){.key = {secret[0], secret[1]}};
	fold_string(fold, run->provider->name);
	fold_string(fold, run->provider->version->base_url);
	fold_string(fold, turn->model);
	fold_string(fold, turn->capability);
	fold_string(fold, run_setting(run, "max_tokens"));
	for (size_t i = 0; i < turn->n_settings; i++) {
		const struct job_setting *setting = &turn->settings[i];
		if (strcmp(setting->name, "max_tokens") != 0) {
			fold_string(fold, setting->name);
			fold_field(fold, setting->value, setting->size);
		}
	}
	for (size_t i = 0; i < turn->n_messages; i++) {
		const struct job_message *message = &turn->messages[i];
		fold_number(fold, message->role);
		fold_number(fold, message->n_parts);
		for (size_t j = 0; j < message->n_parts; j++) {
			fold_number(fold, message->parts[j].file);
			fold_string(fold, message->parts[j].type);
			fold_string(fold, message->parts[j].name);
		}
	}
	return true;
}

static void keep_key(struct run *run, const struct fold *fold) {
	char key[33];
	snprintf(key, sizeof(key), "%016llx%016llx", (unsigned long long)fold->high,
			(unsigned long long)fold->low);
	turn_words_set(&run->turn->row.answer_key, key);
}

/* ---- on the pool ---- */

static void on_pool(uv_work_t *req) {
	struct answer_work *work = req->data;
	work->read = true;
	for (size_t i = 0; i < work->n_files && work->read; i++) {
		work->read = fold_file(&work->fold, &work->files[i], &work->cancelled);
	}
}

static void on_through(uv_work_t *req, int status) {
	struct answer_work *work = req->data;
	if (!atomic_load(&work->cancelled)) {
		struct run *run = work->run;
		run->answer_work = NULL;
		run->answer_read = true;
		if (status == 0 && work->read) {
			keep_key(run, &work->fold);
		}
		attempt_go_on(run);
	}
	exchange_files_free(work->files, work->n_files);
	free(work);
}

/* Copies of the files, whose owner goes before the work is done. */
static bool copy_files(const struct prepared *prepared, struct answer_work *work) {
	work->files = calloc(prepared->n_files, sizeof(*work->files));
	for (size_t i = 0; work->files != NULL && i < prepared->n_files; i++) {
		work->files[i] = prepared->files[i];
		work->files[i].path = strdup(prepared->files[i].path);
		work->n_files++;
		if (work->files[i].path == NULL) {
			return false;
		}
	}
	return work->files != NULL;
}

static struct answer_work *start(
		struct run *run, const struct prepared *prepared, const struct fold *fold) {
	struct answer_work *work = calloc(1, sizeof(*work));
	if (work == NULL) {
		return NULL;
	}
	work->work.data = work;
	work->run = run;
	work->fold = *fold;
	uv_loop_t *loop = run->provider->engine->loop;
	if (!copy_files(prepared, work) ||
			uv_queue_work(loop, &work->work, on_pool, on_through) != 0) {
		exchange_files_free(work->files, work->n_files);
		free(work);
		return NULL;
	}
	return work;
}

void answers_cancel(struct answer_work *work) {
	if (work != NULL) {
		atomic_store(&work->cancelled, true);
		uv_cancel((uv_req_t *)&work->work);
	}
}

/* True when the key is there, or can't be made; false while it is being made. */
static bool make_key(struct run *run, const struct prepared *prepared) {
	struct fold fold;
	uint64_t bytes = 0;
	for (size_t i = 0; i < prepared->n_files; i++) {
		bytes += prepared->parts[i].bytes;
	}
	run->answer_read = fold_request(run, prepared, &fold);
	if (!run->answer_read) {
		run->answer_read = true;
		return true;
	}
	if (bytes > INLINE_MOST) {
		run->answer_work = start(run, prepared, &fold);
		run->answer_read = run->answer_work == NULL;
		return run->answer_read;
	}
	for (size_t i = 0; i < prepared->n_files; i++) {
		if (!fold_file(&fold, &prepared->files[i], NULL)) {
			return true;
		}
	}
	keep_key(run, &fold);
	return true;
}

/* ---- giving it ---- */

/* The bytes of a turn that is over never change, so that two turns may share them. */
static bool share_file(struct turn *from, struct turn *to, const char *name) {
	char old[PATH_MAX], new[PATH_MAX];
	if (!turn_file_path(from, TURN_PROMPT, old, sizeof(old) - NAME_MAX) ||
			!turn_file_path(to, TURN_PROMPT, new, sizeof(new) - NAME_MAX)) {
		return false;
	}
	strcpy(strrchr(old, '/') + 1, name);
	strcpy(strrchr(new, '/') + 1, name);
	return link(old, new) == 0 || errno == ENOENT;
}

static bool give(struct run *run, struct turn *from) {
	struct turn *turn = run->turn;
	struct turn_row *row = &turn->row;
	if (!share_file(from, turn, turn_file_name(TURN_REASONING)) ||
			!share_file(from, turn, turn_file_name(TURN_OUTPUT)) ||
			!turn_artifacts_share(from, turn) ||
			(from->row.output_size != 0 &&
					turn_open_file(turn, TURN_OUTPUT, false) < 0)) {
		return false;
	}
	row->output_size = from->row.output_size;
	row->first_byte = turn->last_byte = now_us();
	row->cached_from = from->row.id;
	turn_words_set(&row->answer_key, "");
	/* Its newline is part of what is shared, and so is what the results are. */
	run->text = false;
	run->results.over = true;
	turn_results_read(turn, &run->results.done);
	struct exchange_result result = {
			.finish = from->row.finish, .model = from->row.model, .words = ""};
	run_end(run, TURN_DONE, 0, "", &result);
	return true;
}

enum answer_outcome answers_look(struct run *run, const struct prepared *prepared) {
	struct engine *engine = run->provider->engine;
	double seconds = run_number(run, "cache", 0);
	int64_t id = 0;
	if (seconds <= 0) {
		return ANSWER_NONE;
	}
	if (!run->answer_read && !make_key(run, prepared)) {
		return ANSWER_LATER;
	}
	const char *key = run->turn->row.answer_key;
	/* A turn of the future, by a clock that was set back since, mustn't answer until then. */
	int64_t now = now_us(), age = (int64_t)fmin(seconds * 1e6, 1e18);
	if (key[0] == '\0' || run->attempts > 1 || run->turn->replaces != 0 ||
			!store_answer_find(engine->store, key, now - age, now + age, &id)) {
		return ANSWER_NONE;
	}
	cleanup_turn struct turn *from = turn_get(engine->turns, id);
	return from != NULL && from->row.state == TURN_DONE && give(run, from) ? ANSWER_GIVEN
									       : ANSWER_NONE;
}
