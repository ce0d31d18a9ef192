/* The bytes of an attachment: opened, written, cut, and whether there is room for them. See
 * attach.h. */
#include "core/base/file.h"
#include "core/engine/attach/attach_private.h"
#include "core/engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool attachments_fit(const struct attachments *attachments, const struct attachment *attachment,
		const struct attachment *instead, int64_t place, uint64_t size, struct fail *fail) {
	uint64_t most = attachments->engine->config.attach_most, beside = 0;
	const struct attachment *other;
	list_for_each(other, &attachments->all, link) {
		bool counts = other->place == place && other != attachment && other != instead;
		beside += counts ? other->size : 0;
	}
	if (size > most) {
		return fail_set(fail, EFBIG,
				"attach/%s is larger than %llu bytes; limits.attach in config.yml "
				"raises that",
				attachment->name, (unsigned long long)most);
	}
	return beside <= most - size ||
	       fail_set(fail, EDQUOT,
			       "attach/%s: the files here have more than %llu bytes together; "
			       "limits.attach in config.yml raises that",
			       attachment->name, (unsigned long long)most);
}

int attachment_open(
		struct attachments *attachments, const struct attachment *attachment, int flags) {
	char path[PATH_MAX];
	if (!store_attachment_path(attachments->engine->store, attachment->id, false, path,
			    sizeof(path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW);
}

static void mark(const struct attachment *attachment, int fd) {
	bool partial = attachment->writers != 0 || attachment->torn;
	fchmod(fd, ATTACHMENT_WHOLE | (partial ? ATTACHMENT_PARTIAL : 0));
}

void attachment_writing(struct attachment *attachment, int fd) {
	attachment->writers++;
	mark(attachment, fd);
}

void attachment_written(struct attachment *attachment, int fd, bool broken_off) {
	attachment->writers--;
	attachment->torn = attachment->torn || broken_off;
	mark(attachment, fd);
}

static bool cant_keep(const struct attachment *attachment, struct fail *fail) {
	int code = errno;
	return fail_set(fail, code, "attach/%s can't be kept in the state directory: %s",
			attachment->name, strerror(code));
}

bool attachment_write(struct attachments *attachments, struct attachment *attachment, int fd,
		const void *bytes, size_t size, uint64_t offset, struct fail *fail) {
	uint64_t end = offset + size;
	if (end > attachment->size && !attachments_fit(attachments, attachment, NULL,
						      attachment->place, end, fail)) {
		attachment->torn = true;
		return false;
	}
	if (!file_write_at(fd, bytes, size, offset)) {
		attachment->torn = true;
		return cant_keep(attachment, fail);
	}
	attachment->size = end > attachment->size ? end : attachment->size;
	attachment->modified = now_us();
	return true;
}

bool attachment_truncate(struct attachments *attachments, struct attachment *attachment, int fd,
		uint64_t size, struct fail *fail) {
	if (size > attachment->size && !attachments_fit(attachments, attachment, NULL,
						       attachment->place, size, fail)) {
		attachment->torn = true;
		mark(attachment, fd);
		return false;
	}
	if (ftruncate(fd, (off_t)size) != 0) {
		return cant_keep(attachment, fail);
	}
	attachment->size = size;
	attachment->torn = attachment->torn && size != 0;
	mark(attachment, fd);
	attachment->modified = now_us();
	return true;
}
