/* What a person writes for a provider's origin: see source.h. */
#include "core/fetch/source.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/paths.h"
#include "core/fetch/git_url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define FORMS                                                                                      \
	"write a bundled provider's name, a directory's whole path, https://HOST/PATH, "           \
	"ssh://USER@HOST/PATH, git@HOST:PATH, git://HOST/PATH, file:///PATH or "                   \
	"github:OWNER/REPOSITORY, then @TAG, @BRANCH or @COMMIT, then #DIRECTORY"

void source_finish(struct source *source) {
	free(source->url);
	free(source->ref);
	free(source->path);
	free(source->text);
	*source = (struct source){0};
}

static bool no_memory(struct fail *fail) {
	return fail_set(fail, ENOMEM, "no memory for a provider's source");
}

/* What may be a user with a password in `text`: from *ret_start up to the '@' that is returned;
 * NULL when there is none. A password with a '/' in it looks like a strange port. */
static const char *find_secret(const char *text, const char **ret_start) {
	const char *scheme = strstr(text, "://");
	const char *start = scheme != NULL ? scheme + 3 : text;
	size_t authority = strcspn(start, "/");
	const char *colon = memchr(start, ':', authority);
	const char *port = colon != NULL ? colon + 1 : "";
	const char *at = memrchr(start, '@', authority);
	bool strange = colon != NULL && start[0] != '[' &&
		       strspn(port, "0123456789") != (size_t)(start + authority - port);
	*ret_start = start;
	if (at == NULL && strange) {
		at = strrchr(start, '@');
	}
	return scheme != NULL || (at != NULL && colon != NULL && colon < at) ? at : NULL;
}

/* Puts `text` in front of the words that say what is wrong with it, and the remedy behind. */
static bool explain(const char *text, struct fail *fail) {
	if (fail == NULL || fail->code != EINVAL) {
		return false;
	}
	struct fail why cleanup_fail = *fail;
	*fail = (struct fail){0};
	const char *start = text;
	const char *at = find_secret(text, &start);
	return fail_set(fail, EINVAL, "'%.*s%s%s' is no source of a provider: %s; " FORMS,
			at != NULL ? (int)(start - text) : 0, text, at != NULL ? "…" : "",
			at != NULL ? at : text, fail_words(&why));
}

/* Splits "#PATH" off. */
static bool take_path(struct source *source, char *text, struct fail *fail) {
	char *hash = strchr(text, '#');
	const char *path = "";
	if (hash != NULL) {
		*hash = '\0';
		path = hash + 1;
		char *end = hash + strlen(path);
		while (end > hash + 1 && *end == '/') {
			*end-- = '\0';
		}
		if (!git_path_check(path, fail)) {
			return false;
		}
	}
	source->path = strdup(path);
	return source->path != NULL || no_memory(fail);
}

static bool set_text(struct source *source, struct fail *fail) {
	bool ref = source->ref[0] != '\0', path = source->path[0] != '\0';
	if (asprintf(&source->text, "%s%s%s%s%s", source->url, ref ? "@" : "", source->ref,
			    path ? "#" : "", source->path) < 0) {
		source->text = NULL;
		return no_memory(fail);
	}
	return true;
}

/* ---- directories ---- */

/* Without doubled and trailing slashes and ".". */
static char *tidy(const char *path, struct fail *fail) {
	struct buf out cleanup_buf = {0};
	for (const char *part = path; *part != '\0';) {
		part += strspn(part, "/");
		size_t length = strcspn(part, "/");
		if (length == 2 && strncmp(part, "..", 2) == 0) {
			fail_set(fail, EINVAL,
					"'..' in a path means different things to different "
					"programs: write the path that is meant");
			return NULL;
		}
		if (length > 0 && !(length == 1 && part[0] == '.')) {
			buf_add_format(&out, "/%.*s", (int)length, part);
		}
		part += length;
	}
	if (out.size == 0) {
		fail_set(fail, EINVAL, "that is the root of the file system");
		return NULL;
	}
	char *tidied = buf_take(&out);
	if (tidied == NULL) {
		no_memory(fail);
	}
	return tidied;
}

static bool read_directory(struct source *source, char *text, struct fail *fail) {
	source->kind = SOURCE_DIRECTORY;
	if (!take_path(source, text, fail)) {
		return false;
	}
	char *expanded cleanup_free = path_expand(text, fail);
	source->url = expanded != NULL ? tidy(expanded, fail) : NULL;
	source->ref = strdup("");
	if (source->url == NULL || source->ref == NULL) {
		return source->url != NULL ? no_memory(fail) : false;
	}
	return set_text(source, fail);
}

/* ---- git ---- */

static bool read_git(struct source *source, char *text, struct fail *fail) {
	source->kind = SOURCE_GIT;
	if (!take_path(source, text, fail)) {
		return false;
	}
	char *at = text + (git_url_end(text) - text);
	bool has_ref = *at == '@';
	*at = '\0';
	if (has_ref && !git_ref_check(at + 1, fail)) {
		return false;
	}
	struct git_url url cleanup_git_url = {0};
	if (!git_url_parse(&url, text, fail)) {
		return false;
	}
	source->url = git_url_text(&url);
	source->ref = strdup(has_ref ? at + 1 : "");
	return (source->url != NULL && source->ref != NULL) ? set_text(source, fail)
							    : no_memory(fail);
}

/* A form that stands for another. */
static bool read_after(
		struct source *source, const char *before, const char *rest, struct fail *fail) {
	char *text cleanup_free = NULL;
	if (asprintf(&text, "%s%s", before, rest) < 0) {
		text = NULL;
		return no_memory(fail);
	}
	return read_git(source, text, fail);
}

/* github:OWNER/REPOSITORY… */
static bool read_github(struct source *source, const char *rest, struct fail *fail) {
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";
	size_t owner = strspn(rest, letters);
	size_t name = rest[owner] == '/' ? strspn(rest + owner + 1, letters) : 0;
	const char *end = rest + owner + 1 + name;
	if (owner == 0 || name == 0 || rest[0] == '-' ||
			(*end != '\0' && strchr("@#", *end) == NULL)) {
		return fail_set(fail, EINVAL,
				"after github: stands OWNER/REPOSITORY, of letters, digits, '-', "
				"'_' and '.'");
	}
	return read_after(source, "https://github.com/", rest, fail);
}

/* ---- all of them ---- */

static bool read_bundled(struct source *source, const char *name, struct fail *fail) {
	source->kind = SOURCE_BUNDLED;
	if (!provider_name_valid(name)) {
		return fail_set(fail, EINVAL,
				"it is neither a name (of a-z, 0-9, '.', '_' and '-') nor a path "
				"nor an address");
	}
	source->url = strdup(name);
	source->ref = strdup("");
	source->path = strdup("");
	return source->url != NULL && source->ref != NULL && source->path != NULL
			       ? set_text(source, fail)
			       : no_memory(fail);
}

static bool read_source(struct source *source, char *text, struct fail *fail) {
	if (text[0] == '/' || text[0] == '~') {
		return read_directory(source, text, fail);
	}
	if (starts_with(text, "github:")) {
		return read_github(source, text + strlen("github:"), fail);
	}
	if (strstr(text, "://") != NULL || git_url_is_scp_like(text)) {
		return read_git(source, text, fail);
	}
	if (text[0] == '.') {
		return fail_set(fail, EINVAL, "a directory is named by its whole path");
	}
	return read_bundled(source, text, fail);
}

static bool text_check(const char *text, struct fail *fail) {
	size_t length = strlen(text);
	if (length == 0 || length > SOURCE_MOST) {
		return fail_set(fail, EINVAL, "the source of a provider is %s; " FORMS,
				length == 0 ? "empty" : "longer than 1024 bytes");
	}
	for (size_t i = 0; i < length; i++) {
		if (iscntrl((unsigned char)text[i])) {
			return fail_set(fail, EINVAL,
					"the source of a provider holds a control byte; " FORMS);
		}
	}
	return utf8_valid(text, length) ||
	       fail_set(fail, EINVAL, "the source of a provider isn't UTF-8; " FORMS);
}

bool source_parse(struct source *ret, const char *text, struct fail *fail) {
	char *copy cleanup_free = NULL;
	struct source source cleanup_source = {0};
	if (!text_check(text, fail)) {
		return false;
	}
	if (text[0] == '-') {
		fail_set(fail, EINVAL, "it begins with '-'");
		return explain(text, fail);
	}
	copy = strdup(text);
	if (copy == NULL) {
		return no_memory(fail);
	}
	if (!read_source(&source, copy, fail)) {
		return explain(text, fail);
	}
	*ret = source;
	source = (struct source){0};
	return true;
}

bool source_same_place(const struct source *a, const struct source *b) {
	return a->kind == b->kind && strcmp(a->url, b->url) == 0 && strcmp(a->path, b->path) == 0;
}

char *source_guess_name(const struct source *source) {
	static const char *const endings[] = {".git", "-provider", "-docker"};
	const char *whole = source->path[0] != '\0' ? source->path : source->url;
	const char *slash = strrchr(whole, '/');
	const char *colon = source->path[0] == '\0' ? strrchr(whole, ':') : NULL;
	const char *before = slash != NULL ? slash : colon;
	char *name cleanup_free = strdup(before != NULL ? before + 1 : whole);
	if (name == NULL) {
		return NULL;
	}
	for (size_t i = 0; source->kind != SOURCE_BUNDLED && i < 3; i++) {
		if (ends_with(name, endings[i])) {
			name[strlen(name) - strlen(endings[i])] = '\0';
		}
	}
	for (char *c = name; *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	return provider_name_valid(name) ? take(name) : NULL;
}
