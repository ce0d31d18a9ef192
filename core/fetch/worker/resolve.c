/* From a ref to a commit: see resolve.h. */
#include "core/fetch/worker/resolve.h"

#include "core/base/buf.h"
#include "core/base/plain.h"
#include "core/base/text.h"

#include <errno.h>
#include <string.h>

#define HEX "0123456789abcdefABCDEF"
#define SHORT_LEAST 4
#define SHOWN_MOST 8
#define SHOWN_SIZE 80

bool is_full_commit(const char *ref) {
	return strlen(ref) == GIT_OID_HEXSZ && strspn(ref, HEX) == GIT_OID_HEXSZ;
}

static bool is_short_commit(const char *ref) {
	size_t length = strlen(ref);
	return length >= SHORT_LEAST && length < GIT_OID_HEXSZ && strspn(ref, HEX) == length;
}

static const git_remote_head *find(
		const struct heads *heads, const char *before, const char *name) {
	size_t length = strlen(before);
	for (size_t i = 0; i < heads->n; i++) {
		const char *there = heads->head[i]->name;
		if (strncmp(there, before, length) == 0 && strcmp(there + length, name) == 0) {
			return heads->head[i];
		}
	}
	return NULL;
}

/* What a tag that is an object of its own leads to stands beside it, as NAME^{}. */
static const git_oid *peeled(const struct heads *heads, const git_remote_head *head) {
	size_t length = strlen(head->name);
	for (size_t i = 0; i < heads->n; i++) {
		const char *name = heads->head[i]->name;
		if (strncmp(name, head->name, length) == 0 && strcmp(name + length, "^{}") == 0) {
			return &heads->head[i]->oid;
		}
	}
	return &head->oid;
}

static bool is_shown(const char *name) {
	return (starts_with(name, "refs/heads/") || starts_with(name, "refs/tags/")) &&
	       !ends_with(name, "^{}");
}

char *refs_there(const struct heads *heads) {
	struct buf words cleanup_buf = {0};
	size_t n = 0;
	for (size_t i = 0; i < heads->n; i++) {
		const char *name = heads->head[i]->name;
		if (is_shown(name) && n++ < SHOWN_MOST) {
			name = strchr(name + strlen("refs/"), '/') + 1;
			char *shown cleanup_free = plain_text(
					name, strlen(name), SHOWN_SIZE, false);
			buf_add_format(&words, "%s%s", words.size > 0 ? ", " : "",
					shown != NULL ? shown : "?");
		}
	}
	if (n > SHOWN_MOST) {
		buf_add_format(&words, " and %zu more", n - SHOWN_MOST);
	}
	return buf_take(&words);
}

static bool set(struct meaning_of *ret, enum meaning meaning, const git_oid *id, const char *name,
		struct fail *fail) {
	size_t length = strlen(name);
	if (length >= sizeof(ret->name)) {
		return fail_set(fail, ENAMETOOLONG, "the ref's name is above 255 bytes");
	}
	ret->meaning = meaning;
	git_oid_cpy(&ret->id, id);
	memcpy(ret->name, name, length + 1);
	return true;
}

static bool resolve_head(const struct heads *heads, struct meaning_of *ret, struct fail *fail) {
	const git_remote_head *head = find(heads, "", "HEAD");
	if (head != NULL) {
		return set(ret, MEANS_NAME, &head->oid, "HEAD", fail);
	}
	char *there cleanup_free = refs_there(heads);
	if (there == NULL || there[0] == '\0') {
		return fail_set(fail, ENOENT,
				"the repository is empty: it has neither a branch nor a tag yet");
	}
	return fail_set(fail, ENOENT,
			"the repository's HEAD leads to a branch that isn't there: name one, as in "
			"@main; it has %s",
			there);
}

static bool resolve_commit(const struct heads *heads, const char *ref, struct meaning_of *ret,
		struct fail *fail) {
	git_oid id;
	git_oid_fromstr(&id, ref);
	for (size_t i = 0; i < heads->n; i++) {
		const git_remote_head *head = heads->head[i];
		if (git_oid_equal(&head->oid, &id) && !ends_with(head->name, "^{}")) {
			return set(ret, MEANS_COMMIT, &id, head->name, fail);
		}
	}
	return set(ret, MEANS_COMMIT, &id, "", fail);
}

static bool resolve_name(const struct heads *heads, const char *ref, struct meaning_of *ret,
		struct fail *fail) {
	const git_remote_head *whole = starts_with(ref, "refs/") ? find(heads, "", ref) : NULL;
	const git_remote_head *tag = find(heads, "refs/tags/", ref);
	const git_remote_head *branch = find(heads, "refs/heads/", ref);
	if (tag != NULL && branch != NULL && !git_oid_equal(peeled(heads, tag), &branch->oid)) {
		return fail_set(fail, EINVAL,
				"'%s' is a tag and a branch, which differ: write @refs/tags/%s or "
				"@refs/heads/%s",
				ref, ref, ref);
	}
	const git_remote_head *head = whole != NULL ? whole : tag != NULL ? tag : branch;
	if (head != NULL) {
		return set(ret, MEANS_NAME, &head->oid, head->name, fail);
	}
	if (is_short_commit(ref)) {
		static const git_oid none;
		return set(ret, MEANS_SHORT_COMMIT, &none, ref, fail);
	}
	char *there cleanup_free = refs_there(heads);
	return fail_set(fail, ENOENT, "the repository has no tag, branch or commit '%s'; it has %s",
			ref,
			there == NULL || there[0] == '\0' ? "none at all: it is empty" : there);
}

bool resolve(const struct heads *heads, const char *ref, struct meaning_of *ret,
		struct fail *fail) {
	if (ref[0] == '\0' || strcmp(ref, "HEAD") == 0) {
		return resolve_head(heads, ret, fail);
	}
	return is_full_commit(ref) ? resolve_commit(heads, ref, ret, fail)
				   : resolve_name(heads, ref, ret, fail);
}
