/* From attach/ to a turn: see attach.h. The turn's directory gets its own links to the bytes, then
 * the store its rows in place of those that waited, at once; a crash before that leaves everything
 * where it was. */
#include "core/base/file.h"
#include "core/engine/attach/attach_private.h"
#include "core/engine/attach/converter.h"
#include "core/engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* What is about to be given to a turn. */
struct taking {
	struct attachments *attachments;
	struct turn *turn;
	const struct model_record *record; /* of the model that answers; NULL: of a route */
	struct attachment_row rows[ATTACH_MOST + 1];
	char types[ATTACH_MOST + 1][MEDIA_TYPE_MOST];
	size_t n;
};

/* Keeps what a link showed as a file of the turn's own. */
static bool keep_text(struct taking *taking, const char *name, const struct buf *text,
		char path[PATH_MAX], struct fail *fail) {
	struct store *store = taking->attachments->engine->store;
	int64_t turn = taking->turn->row.id;
	bool ready = store_attached_path(store, turn, "", path, PATH_MAX) &&
		     (mkdir(path, 0700) == 0 || errno == EEXIST) &&
		     store_attached_path(store, turn, name, path, PATH_MAX) &&
		     (unlink(path) == 0 || errno == ENOENT);
	cleanup_close int fd = ready ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
				     : -1;
	if (fd >= 0 && file_write(fd, text->data, text->size)) {
		return true;
	}
	int code = errno;
	if (fd >= 0) {
		unlink(path);
	}
	return fail_set(fail, code, "it can't be kept with the turn: %s", strerror(code));
}

/* Asks whoever knows where links lead. */
static bool follow(struct taking *taking, const struct attachment *attachment, char path[PATH_MAX],
		struct fail *fail) {
	struct engine *engine = taking->attachments->engine;
	const struct engine_options *options = &engine->options;
	struct place *place = catalogue_place(engine->catalogue, attachment->place);
	uint64_t most = engine->config.attach_most;
	cleanup_buf struct buf text = {
			.limit = most < ATTACH_SHOWN_MOST ? (size_t)most : ATTACH_SHOWN_MOST};
	if (place == NULL || options->follow == NULL) {
		return fail_set(fail, ENOENT, "it leads nowhere");
	}
	return options->follow(options->data, place, taking->turn, attachment->target, path,
			       PATH_MAX, &text, fail) &&
	       (path[0] != '\0' || keep_text(taking, attachment->name, &text, path, fail));
}

/* Where the bytes are: its own file, or what the link leads to. */
static bool source_of(struct taking *taking, const struct attachment *attachment,
		char path[PATH_MAX], struct fail *fail) {
	if (attachment->target == NULL) {
		return store_attachment_path(taking->attachments->engine->store, attachment->id,
				       false, path, PATH_MAX) ||
		       fail_set(fail, ENAMETOOLONG, "the path of an attachment is too long");
	}
	cleanup_fail struct fail why = {0};
	return follow(taking, attachment, path, &why) ||
	       fail_set(fail, why.code, "attach/%s -> %.300s: %s", attachment->name,
			       attachment->target, fail_words(&why));
}

/* The model doesn't take it. */
static bool refuse(const struct taking *taking, const char *what, const char *type,
		struct fail *fail) {
	cleanup_buf struct buf converter = {0};
	bool found = converter_find(taking->attachments->engine, taking->record, type, &converter);
	return media_refuse(
			taking->record, what, type, found ? buf_string(&converter) : NULL, fail);
}

/* Says what it is, and whether the model takes it. */
static bool judge(struct taking *taking, const char *name, const char *path, struct fail *fail) {
	char *type = taking->types[taking->n];
	char what[NAME_MAX + 16];
	struct stat status;
	cleanup_fail struct fail why = {0};
	snprintf(what, sizeof(what), "attach/%s", name);
	/* Most services refuse an empty part, with words that name nothing. */
	if (stat(path, &status) == 0 && status.st_size == 0) {
		return fail_set(fail, EINVAL, "%s is empty: rm it, or write it", what);
	}
	if (!media_type_of(taking->attachments->media, path, type, &why)) {
		return fail_set(fail, why.code, "%s: %s", what, fail_words(&why));
	}
	if (type[0] == '\0') {
		return fail_set(fail, EINVAL,
				"%s is text that isn't UTF-8: iconv -t utf-8 makes it so", what);
	}
	unsigned kind = media_kind_of(type);
	if (taking->record != NULL && !media_taken(taking->record, kind)) {
		return refuse(taking, what, type, fail);
	}
	taking->turn->media |= kind;
	return true;
}

/* Takes away what lies in the turn's directory under a name. */
static void drop_link(const struct taking *taking, const char *name) {
	char path[PATH_MAX];
	struct store *store = taking->attachments->engine->store;
	if (name[0] != '\0' && store_attached_path(store, taking->turn->row.id, name, path,
					       sizeof(path))) {
		unlink(path);
	}
}

/* Links the bytes into the turn's directory, unless they were made there. */
static bool bring(struct taking *taking, const char *name, const char *from, struct fail *fail) {
	char path[PATH_MAX];
	struct store *store = taking->attachments->engine->store;
	int64_t turn = taking->turn->row.id;
	bool made = store_attached_path(store, turn, "", path, sizeof(path)) &&
		    (mkdir(path, 0700) == 0 || errno == EEXIST) &&
		    store_attached_path(store, turn, name, path, sizeof(path)) &&
		    (strcmp(from, path) == 0 || link(from, path) == 0 ||
				    (errno == EEXIST && unlink(path) == 0 &&
						    link(from, path) == 0));
	int code = errno;
	return made || fail_set(fail, code, "attach/%s can't be kept with the turn: %s", name,
				       strerror(code));
}

/* A link stays known as one, should it wait again. */
static void add_row(struct taking *taking, const char *name, const char *target) {
	size_t n = taking->n++;
	taking->rows[n] = (struct attachment_row){
			.name = name, .target = target, .type = taking->types[n]};
}

static bool take_one(
		struct taking *taking, const struct attachment *attachment, struct fail *fail) {
	char path[PATH_MAX];
	if (taking->n == sizeof(taking->rows) / sizeof(taking->rows[0])) {
		return fail_set(fail, EDQUOT,
				"attach/%s is one too many: %d files at most go along "
				"with a prompt",
				attachment->name, ATTACH_MOST);
	}
	if (attachment->writers != 0) {
		return fail_set(fail, EBUSY,
				"attach/%s is still being written: when it is closed, echo retry > "
				"ctl sends the prompt",
				attachment->name);
	}
	if (attachment->torn) {
		return fail_set(fail, EIO,
				"attach/%s is a part of a file: its writing was refused or broken "
				"off. rm it, or copy it again",
				attachment->name);
	}
	if (!source_of(taking, attachment, path, fail)) {
		return false;
	}
	bool taken = judge(taking, attachment->name, path, fail) &&
		     bring(taking, attachment->name, path, fail);
	if (!taken) {
		drop_link(taking, attachment->name);
		return false;
	}
	add_row(taking, attachment->name, attachment->target);
	return true;
}

/* Takes the links away again: nothing was given. */
static void undo(const struct taking *taking) {
	char path[PATH_MAX];
	struct store *store = taking->attachments->engine->store;
	int64_t turn = taking->turn->row.id;
	for (size_t i = 0; i < taking->n; i++) {
		drop_link(taking, taking->rows[i].name);
	}
	if (store_attached_path(store, turn, "", path, sizeof(path))) {
		rmdir(path);
	}
}

/* A prompt that isn't text is sent as what it is; what nobody knows is left to the check of texts.
 */
static bool judge_prompt(struct taking *taking, struct fail *fail) {
	char path[PATH_MAX];
	char *type = taking->types[taking->n];
	struct turn *turn = taking->turn;
	if (!turn_file_path(turn, TURN_PROMPT, path, sizeof(path)) ||
			!media_type_of(taking->attachments->media, path, type, NULL) ||
			!media_is_known(type)) {
		return true;
	}
	if (taking->record != NULL && !media_taken(taking->record, media_kind_of(type))) {
		return refuse(taking, "the prompt", type, fail);
	}
	turn->media |= media_kind_of(type);
	add_row(taking, "", NULL);
	return true;
}

/* The record of the model that answers; NULL where a route has yet to choose. */
static const struct model_record *record_for(struct engine *engine, struct place *place) {
	struct place *model = place != NULL ? place_model(place) : NULL;
	return model != NULL && place_route(place) == NULL
			       ? catalogue_record(engine->catalogue, model)
			       : NULL;
}

bool attachments_take(struct attachments *attachments, struct turn *turn, struct fail *fail) {
	int64_t place = turn->row.place;
	struct engine *engine = attachments->engine;
	cleanup_free struct taking *taking = calloc(1, sizeof(*taking));
	if (taking == NULL) {
		return fail_set(fail, ENOMEM, "no memory for attachments");
	}
	taking->attachments = attachments;
	taking->turn = turn;
	taking->record = record_for(engine, catalogue_place(engine->catalogue, place));
	const struct attachment *attachment = attachment_next(attachments, place, 0);
	bool taken = judge_prompt(taking, fail);
	for (; taken && attachment != NULL;
			attachment = attachment_next(attachments, place, attachment->id)) {
		taken = take_one(taking, attachment, fail);
	}
	taken = taken &&
		(taking->n == 0 || store_attachments_give(engine->store, place, turn->row.id,
						   taking->rows, taking->n, fail));
	if (!taken) {
		turn->media = 0;
		undo(taking);
		return false;
	}
	attachments_given(attachments, place);
	return true;
}

/* ---- back again ---- */

struct returning {
	struct store *store;
	bool failed;
};

/* Each gets a file that waits, but for a link: the bytes that it led to aren't its own. */
static void on_returning(void *data, const struct attachment_row *row) {
	struct returning *returning = data;
	struct store *store = returning->store;
	char from[PATH_MAX], to[PATH_MAX];
	bool made = row->name[0] == '\0' || row->target[0] != '\0' ||
		    (store_attached_path(store, row->turn, row->name, from, sizeof(from)) &&
				    store_attachment_path(store, row->id, true, to, sizeof(to)) &&
				    (link(from, to) == 0 || errno == EEXIST));
	returning->failed = returning->failed || !made;
}

static void on_returned(void *data, const struct attachment_row *row) {
	attachments_keep(data, row);
}

void attachments_give_back(struct attachments *attachments, struct turn *turn) {
	char path[PATH_MAX];
	int64_t id = turn->row.id, place = turn->row.place;
	struct store *store = attachments->engine->store;
	struct returning returning = {.store = store};
	cleanup(attached_finish) struct attached attached = {0};
	/* Where that can't be they stay with the turn, whose retry sends them. */
	if (!attached_of(attachments, id, &attached, NULL) || attached.n == 0 ||
			!store_attachments_of(store, id, on_returning, &returning, NULL) ||
			returning.failed || !store_attachments_return(store, id, place, NULL)) {
		return;
	}
	turn->media = 0;
	for (size_t i = 0; i < attached.n; i++) {
		if (attached.files[i].name[0] != '\0' &&
				store_attached_path(store, id, attached.files[i].name, path,
						sizeof(path))) {
			unlink(path);
		}
	}
	if (store_attached_path(store, id, "", path, sizeof(path))) {
		rmdir(path);
	}
	store_attachments_at(store, place, on_returned, attachments, NULL);
	attachments_note_change(attachments);
}

/* ---- a turn's ---- */

struct gathering {
	struct attached *attached;
	bool failed;
};

static void on_attached(void *data, const struct attachment_row *row) {
	struct gathering *gathering = data;
	struct attached *attached = gathering->attached;
	struct attached_file *files = reallocarray(
			attached->files, attached->n + 1, sizeof(*files));
	if (files == NULL) {
		gathering->failed = true;
		return;
	}
	attached->files = files;
	struct attached_file *file = &files[attached->n++];
	*file = (struct attached_file){strdup(row->name), strdup(row->type)};
	gathering->failed = gathering->failed || file->name == NULL || file->type == NULL;
}

bool attached_of(struct attachments *attachments, int64_t turn, struct attached *ret,
		struct fail *fail) {
	*ret = (struct attached){0};
	struct gathering gathering = {.attached = ret};
	if (!store_attachments_of(
			    attachments->engine->store, turn, on_attached, &gathering, fail)) {
		attached_finish(ret);
		return false;
	}
	if (gathering.failed) {
		attached_finish(ret);
		return fail_set(fail, ENOMEM, "no memory for attachments");
	}
	return true;
}

void attached_finish(struct attached *attached) {
	for (size_t i = 0; i < attached->n; i++) {
		free(attached->files[i].name);
		free(attached->files[i].type);
	}
	free(attached->files);
	*attached = (struct attached){0};
}

const char *attached_prompt_type(const struct attached *attached) {
	for (size_t i = 0; i < attached->n; i++) {
		if (attached->files[i].name[0] == '\0') {
			return attached->files[i].type;
		}
	}
	return "text/plain";
}

bool attachments_share(struct attachments *attachments, struct turn *from, struct turn *to,
		struct fail *fail) {
	struct store *store = attachments->engine->store;
	cleanup(attached_finish) struct attached attached = {0};
	cleanup_free struct taking *taking = calloc(1, sizeof(*taking));
	if (taking == NULL) {
		return fail_set(fail, ENOMEM, "no memory for attachments");
	}
	taking->attachments = attachments;
	taking->turn = to;
	bool shared = attached_of(attachments, from->row.id, &attached, fail);
	for (size_t i = 0; shared && i < attached.n && i <= ATTACH_MOST; i++) {
		char path[PATH_MAX];
		const struct attached_file *file = &attached.files[i];
		strcpy(taking->types[taking->n], file->type);
		to->media |= media_kind_of(file->type);
		shared = file->name[0] == '\0' ||
			 (store_attached_path(
					  store, from->row.id, file->name, path, sizeof(path)) &&
					 bring(taking, file->name, path, fail));
		if (shared) {
			add_row(taking, file->name, NULL);
		}
	}
	return (shared && (taking->n == 0 || store_attachments_give(store, 0, to->row.id,
							     taking->rows, taking->n, fail))) ||
	       (undo(taking), false);
}
