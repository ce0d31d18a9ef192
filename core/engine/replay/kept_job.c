/* Answering from kept turns: see kept_job.h. */
#include "core/engine/replay/kept_job.h"

#include "core/base/text.h"
#include "core/turn/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Of a file, at one turn of the loop. */
#define PIECE ((size_t)64 << 10)

struct kept_job {
	uv_work_t work;
	uv_timer_t timer; /* the next piece */
	unsigned handles; /* the timer's and the work's holds */
	bool cancelled;
	struct job_events events;
	void *data;
	struct kept_place *place; /* only on the loop, while it isn't cancelled */

	/* What the pool works with, its own. */
	char *path;
	struct kept *kept; /* held */
	char *model; /* NULL: a discovery */
	char **prompts; /* of the conversation, each before what goes along with it */
	uint64_t *sizes;
	bool *attached;
	size_t n_prompts;
	struct fail fail;
	const struct kept_turn *turn;
	struct kept_end end;
	int output, reasoning; /* descriptors, -1 none */
	char **artifacts; /* names of further results, in order */
	size_t n_artifacts, told; /* how many of them went into `output`'s place */
	bool began; /* the output was announced */
};

static void job_free(struct kept_job *job) {
	if (--job->handles > 0) {
		return;
	}
	for (size_t i = 0; i < job->n_prompts; i++) {
		free(job->prompts[i]);
	}
	free(job->prompts);
	free(job->sizes);
	free(job->attached);
	free(job->path);
	free(job->model);
	fail_finish(&job->fail);
	kept_end_finish(&job->end);
	for (size_t i = 0; i < job->n_artifacts; i++) {
		free(job->artifacts[i]);
	}
	free(job->artifacts);
	kept_release(job->kept);
	if (job->output >= 0) {
		close(job->output);
	}
	if (job->reasoning >= 0) {
		close(job->reasoning);
	}
	free(job);
}

static void on_timer_closed(uv_handle_t *handle) {
	job_free(handle->data);
}

void kept_job_cancel(struct kept_job *job) {
	if (job != NULL && !job->cancelled) {
		job->cancelled = true;
		uv_close((uv_handle_t *)&job->timer, on_timer_closed);
	}
}

/* ---- on the pool ---- */

static int open_file(const struct kept_turn *turn, const char *name) {
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/%s", turn->directory, name);
	return length > 0 && length < PATH_MAX
			       ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
			       : -1;
}

/* Files alone, and as many as a turn may have. */
static int is_artifact(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

/* In the order of their numbers. */
static void list_artifacts(struct kept_job *job) {
	char path[PATH_MAX];
	struct dirent **entries = NULL;
	int length = snprintf(path, sizeof(path), "%s/artifacts", job->turn->directory);
	int n = length > 0 && length < PATH_MAX ? scandir(path, &entries, is_artifact, versionsort)
						: 0;
	job->artifacts = n > 0 ? calloc((size_t)n, sizeof(*job->artifacts)) : NULL;
	for (int i = 0; i < n; i++) {
		if (job->artifacts != NULL && i < RESULTS_MOST - 1) {
			job->artifacts[i] = strdup(entries[i]->d_name);
			job->n_artifacts++;
		}
		free(entries[i]);
	}
	free(entries);
}

static void look_up(struct kept_job *job) {
	struct kept_key key = {0}, attached = {0};
	for (size_t i = 0; i < job->n_prompts; i++) {
		if (!job->attached[i]) {
			kept_key_join(&key, &attached);
			attached = (struct kept_key){0};
		}
		bool added = job->attached[i] ? kept_attached_add(&attached, job->prompts[i],
								job->sizes[i])
					      : kept_key_add(&key, job->prompts[i], job->sizes[i]);
		if (!added) {
			fail_set(&job->fail, EIO, "a prompt can't be read: %s", strerror(errno));
			return;
		}
	}
	kept_key_join(&key, &attached);
	job->turn = kept_find(job->kept, job->model, key);
	if (job->turn == NULL) {
		fail_set(&job->fail, ENOENT,
				"replay: no turn that is kept in %s asked %s this%s; ask the model "
				"itself and copy its turns there",
				job->path, job->model,
				job->n_prompts > 1 ? ", in this conversation" : "");
		return;
	}
	if (!kept_end_read(job->turn, &job->end)) {
		fail_set(&job->fail, EIO, "replay: %s can't be read", job->turn->directory);
		return;
	}
	job->output = open_file(job->turn, "output");
	job->reasoning = open_file(job->turn, "reasoning");
	list_artifacts(job);
}

static void on_pool(uv_work_t *work) {
	struct kept_job *job = work->data;
	if (job->kept == NULL) {
		job->kept = kept_read(job->path, &job->fail);
	}
	if (job->kept != NULL && job->model != NULL) {
		look_up(job);
	}
}

/* ---- on the loop ---- */

/* The job is no more after it. */
static void finish(struct kept_job *job, int code, const char *words, const char *finish) {
	struct job_result result = {
			.code = code,
			.words = words,
			.finish = code == 0 ? finish : "",
			.model = "",
			.never_retry = true,
	};
	job->handles++;
	job->events.end(job->data, &result);
	kept_job_cancel(job);
	job_free(job);
}

static bool told(const struct kept *kept, size_t i) {
	for (size_t j = 0; j < i; j++) {
		if (strcmp(kept->turns[j].model, kept->turns[i].model) == 0) {
			return true;
		}
	}
	return false;
}

static void tell_models(struct kept_job *job) {
	const struct kept *kept = job->kept;
	for (size_t i = 0; i < kept->n_turns && !job->cancelled; i++) {
		if (told(kept, i)) {
			continue;
		}
		const struct job_model model = {
				.id = kept->turns[i].model,
				.id_size = strlen(kept->turns[i].model),
				.name = kept->turns[i].model,
				.description = "Answers from kept turns, for nothing",
				.input_modalities = "",
				.output_modalities = "text",
				.parameters = "",
		};
		if (model.id_size > 0 && model.id_size <= 1023) {
			job->events.model(job->data, &model);
		}
	}
}

/* Puts the next further result in the output's place; false when there is none. */
static bool next_artifact(struct kept_job *job) {
	char name[NAME_MAX + sizeof("artifacts/")];
	if (job->told == job->n_artifacts || job->artifacts[job->told] == NULL) {
		return false;
	}
	const char *own = job->artifacts[job->told++];
	snprintf(name, sizeof(name), "artifacts/%s", own);
	if (job->output >= 0) {
		close(job->output);
	}
	job->output = open_file(job->turn, name);
	job->events.result(job->data, "", own);
	return true;
}

/* One piece of the reasoning, then of the results; false when all are through. */
static bool tell_piece(struct kept_job *job) {
	char piece[PIECE];
	ssize_t size = job->reasoning >= 0 ? read(job->reasoning, piece, sizeof(piece)) : 0;
	if (size > 0) {
		job->events.reasoning(job->data, piece, (size_t)size);
		return true;
	}
	if (!job->began) {
		job->began = true;
		/* What it is, its content tells. */
		job->events.result(job->data, "", "");
	}
	size = !job->cancelled && job->output >= 0 ? read(job->output, piece, sizeof(piece)) : 0;
	if (size > 0) {
		job->events.output(job->data, piece, (size_t)size);
		return true;
	}
	return !job->cancelled && next_artifact(job);
}

static void on_next(uv_timer_t *timer) {
	struct kept_job *job = timer->data;
	job->handles++;
	bool more = tell_piece(job);
	if (!job->cancelled && more) {
		uv_timer_start(timer, on_next, 0, 0);
	} else if (!job->cancelled) {
		job->events.usage(job->data, &job->end.usage);
		if (!job->cancelled) {
			finish(job, job->end.code, job->end.words, job->end.finish);
		}
	}
	job_free(job);
}

static void on_read(uv_work_t *work, int status) {
	struct kept_job *job = work->data;
	(void)status;
	if (job->cancelled) {
		job_free(job);
		return;
	}
	if (job->kept != NULL && job->place->kept != job->kept) {
		kept_release(job->place->kept);
		job->place->kept = kept_hold(job->kept);
	}
	if (job->fail.code != 0) {
		finish(job, job->fail.code, fail_words(&job->fail), "");
	} else if (job->model == NULL) {
		tell_models(job);
		if (!job->cancelled) {
			finish(job, 0, "", "");
		}
	} else {
		uv_timer_start(&job->timer, on_next, 0, 0);
	}
	job_free(job);
}

/* ---- beginning ---- */

static struct kept_job *job_create(uv_loop_t *loop, struct kept_place *place,
		const struct job_events *events, void *data) {
	struct kept_job *job = calloc(1, sizeof(*job));
	if (job == NULL || (job->path = strdup(place->path)) == NULL) {
		free(job);
		return NULL;
	}
	job->place = place;
	job->events = *events;
	job->data = data;
	job->output = job->reasoning = -1;
	job->handles = 2;
	uv_timer_init(loop, &job->timer);
	job->timer.data = job->work.data = job;
	return job;
}

struct kept_job *kept_discover(uv_loop_t *loop, struct kept_place *place,
		const struct job_events *events, void *data) {
	struct kept_job *job = job_create(loop, place, events, data);
	if (job != NULL) {
		uv_queue_work(loop, &job->work, on_pool, on_read);
	}
	return job;
}

/* A prompt that isn't text is sent with the newline at its end, which is left out of what is kept
 * for all of them. */
static uint64_t prompt_size(const struct job_part *part, const struct exchange_file *file) {
	char last = 0;
	uint64_t size = file->size - file->drop;
	bool text = strcmp(part->type, "text/plain") == 0 || part->name[0] != '\0';
	cleanup_close int fd = text || size == 0 ? -1
						 : open(file->path, O_RDONLY | O_CLOEXEC |
										    O_NOFOLLOW);
	bool newline = fd >= 0 && pread(fd, &last, 1, (off_t)size - 1) == 1 && last == '\n';
	return newline ? size - 1 : size;
}

/* The prompts of the conversation, as they are sent. */
static bool copy_prompts(struct kept_job *job, const struct job_turn *turn,
		const struct exchange_file *files, size_t n_files) {
	job->prompts = calloc(n_files + 1, sizeof(*job->prompts));
	job->sizes = calloc(n_files + 1, sizeof(*job->sizes));
	job->attached = calloc(n_files + 1, sizeof(*job->attached));
	job->model = strdup(turn->model);
	if (job->prompts == NULL || job->sizes == NULL || job->attached == NULL ||
			job->model == NULL) {
		return false;
	}
	for (size_t i = 0; i < turn->n_messages; i++) {
		const struct job_message *message = &turn->messages[i];
		for (size_t j = 0; message->role == JOB_USER && j < message->n_parts; j++) {
			uint32_t file = message->parts[j].file;
			if (file >= n_files || job->n_prompts == n_files) {
				continue;
			}
			job->sizes[job->n_prompts] = prompt_size(&message->parts[j], &files[file]);
			job->attached[job->n_prompts] = message->parts[j].name[0] != '\0';
			job->prompts[job->n_prompts] = strdup(files[file].path);
			if (job->prompts[job->n_prompts++] == NULL) {
				return false;
			}
		}
	}
	return true;
}

struct kept_job *kept_transform(uv_loop_t *loop, struct kept_place *place,
		const struct job_turn *turn, const struct exchange_file *files, size_t n_files,
		const struct job_events *events, void *data) {
	struct kept_job *job = job_create(loop, place, events, data);
	if (job == NULL) {
		return NULL;
	}
	job->kept = place->kept != NULL ? kept_hold(place->kept) : NULL;
	if (!copy_prompts(job, turn, files, n_files)) {
		job->handles--; /* no work */
		kept_job_cancel(job);
		return NULL;
	}
	uv_queue_work(loop, &job->work, on_pool, on_read);
	return job;
}
