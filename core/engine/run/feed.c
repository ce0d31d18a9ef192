/* Files for a provider: see feed.h. */
#include "core/engine/run/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PIECE ((size_t)32 << 10)

bool feed_open(struct feed *feed, const struct exchange_file *file, struct fail *fail) {
	feed->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (feed->fd < 0) {
		return fail_set(fail, EIO, "%s, a file of the turn, can't be read: %s", file->path,
				strerror(errno));
	}
	uint64_t unsent = file->skip + file->drop;
	feed->left = file->size > unsent ? file->size - unsent : 0;
	return lseek(feed->fd, (off_t)file->skip, SEEK_SET) >= 0 ||
	       fail_set(fail, EIO, "%s, a file of the turn, can't be read: %s", file->path,
			       strerror(errno));
}

bool feed_active(const struct feed *feed) {
	return feed->fd >= 0;
}

void feed_go_on(struct feed *feed, struct job *job, struct fail *fail) {
	char piece[PIECE];
	while (feed->left > 0) {
		size_t wanted = feed->left < PIECE ? (size_t)feed->left : PIECE;
		ssize_t size = read(feed->fd, piece, wanted);
		if (size <= 0) {
			fail_set(fail, EIO, "a file of the turn can't be read: %s",
					size < 0 ? strerror(errno) : "it is shorter than it was");
			return;
		}
		feed->left -= (uint64_t)size;
		if (!job_data(job, piece, (size_t)size) && feed->left > 0) {
			return;
		}
	}
	feed_close(feed);
	job_body_end(job);
}

void feed_close(struct feed *feed) {
	if (feed->fd >= 0) {
		close(take_fd(&feed->fd));
	}
}

void exchange_files_free(struct exchange_file *files, size_t n_files) {
	for (size_t i = 0; i < n_files; i++) {
		free(files[i].path);
	}
	free(files);
}
