/* A turn's files in the state directory: see turn.h. */
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/turn/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *turn_file_name(enum turn_file file) {
	static const char *const names[] = {
			[TURN_PROMPT] = "prompt",
			[TURN_OUTPUT] = "output",
			[TURN_REASONING] = "reasoning",
			[TURN_REQUEST] = "request.json",
			[TURN_RESPONSE] = "response",
			[TURN_HISTORY] = "history",
			[TURN_TRIED] = "tried",
			[TURN_EXCHANGE] = "exchange",
			[TURN_RESULTS] = "results",
	};
	return names[file];
}

bool turn_file_path(struct turn *turn, enum turn_file file, char *ret, size_t size) {
	char directory[PATH_MAX];
	if (!turn_directory(turn, directory, sizeof(directory))) {
		return false;
	}
	int length = snprintf(ret, size, "%s/%s", directory, turn_file_name(file));
	return length > 0 && (size_t)length < size;
}

int turn_open_file(struct turn *turn, enum turn_file file, bool make) {
	char path[PATH_MAX];
	if (turn->fds[file] >= 0) {
		return turn->fds[file];
	}
	if (!turn_file_path(turn, file, path, sizeof(path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
	if (fd >= 0) {
		turn->fds[file] = fd;
	}
	return fd;
}

uint64_t turn_file_size(struct turn *turn, enum turn_file file) {
	char path[PATH_MAX];
	struct stat status;
	if (file == TURN_OUTPUT) {
		return turn->row.output_size;
	}
	if (file == TURN_PROMPT) {
		return turn->row.prompt_size;
	}
	if (!turn_file_path(turn, file, path, sizeof(path)) || stat(path, &status) != 0) {
		return 0;
	}
	return (uint64_t)status.st_size;
}

uint64_t turn_text_size(struct turn *turn, enum turn_file file) {
	char last = 0;
	uint64_t size = turn_file_size(turn, file);
	int fd = size > 0 ? turn_open_file(turn, file, false) : -1;
	bool newline = fd >= 0 && pread(fd, &last, 1, (off_t)(size - 1)) == 1 && last == '\n';
	return newline ? size - 1 : size;
}

bool turn_prompt_write(struct turn *turn, const void *bytes, size_t size, uint64_t offset,
		uint64_t most, struct fail *fail) {
	if (offset > most || size > most - offset) {
		return fail_set(fail, EFBIG,
				"the prompt is larger than %llu bytes; limits.prompt in config.yml "
				"raises that, and limits.media for what isn't text",
				(unsigned long long)most);
	}
	int fd = turn_open_file(turn, TURN_PROMPT, true);
	if (fd < 0 || !file_write_at(fd, bytes, size, offset)) {
		int code = errno;
		return fail_set(fail, code, "the prompt can't be kept in the state directory: %s",
				strerror(code));
	}
	if (offset + size > turn->row.prompt_size) {
		turn->row.prompt_size = offset + size;
	}
	return true;
}

bool turn_prompt_truncate(struct turn *turn, uint64_t size) {
	int fd = turn_open_file(turn, TURN_PROMPT, true);
	if (fd < 0 || ftruncate(fd, (off_t)size) != 0) {
		return false;
	}
	turn->row.prompt_size = size;
	return true;
}

bool turn_output_append(struct turn *turn, const void *bytes, size_t size, struct fail *fail) {
	int fd = turn_open_file(turn, TURN_OUTPUT, true);
	if (fd < 0 || !file_write_at(fd, bytes, size, turn->row.output_size)) {
		int code = errno;
		return fail_set(fail, code, "the output can't be kept in the state directory: %s",
				strerror(code));
	}
	turn->row.output_size += size;
	turn->last_byte = now_us();
	turn_grew(turn);
	return true;
}

int turn_file_adopt(const char *path, const char *to, struct fail *fail) {
	struct stat about;
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &about) != 0) {
		fail_set(fail, EIO, "the result %s can't be read: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(about.st_mode) || about.st_nlink != 1) {
		fail_set(fail, EPROTO, "the result %s isn't a regular file", path);
		return -1;
	}
	if (fchmod(fd, 0600) != 0 ||
			(about.st_uid != geteuid() && fchown(fd, geteuid(), getegid()) != 0) ||
			rename(path, to) != 0) {
		fail_set(fail, EIO, "the result %s can't be kept: %s", path, strerror(errno));
		return -1;
	}
	return take_fd(&fd);
}

bool turn_output_take(struct turn *turn, const char *path, struct fail *fail) {
	char to[PATH_MAX];
	struct stat about;
	if (!turn_file_path(turn, TURN_OUTPUT, to, sizeof(to))) {
		return fail_set(fail, ENAMETOOLONG, "the path of a result is too long");
	}
	int fd = turn_file_adopt(path, to, fail);
	if (fd < 0) {
		return false;
	}
	if (turn->fds[TURN_OUTPUT] >= 0) {
		close(turn->fds[TURN_OUTPUT]);
	}
	turn->fds[TURN_OUTPUT] = fd;
	turn->row.output_size = fstat(fd, &about) == 0 ? (uint64_t)about.st_size : 0;
	turn->last_byte = now_us();
	turn_grew(turn);
	return true;
}

bool turn_file_append(struct turn *turn, enum turn_file file, const void *bytes, size_t size) {
	int fd = turn_open_file(turn, file, true);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	return end >= 0 && file_write_at(fd, bytes, size, (uint64_t)end);
}

void turn_file_empty(struct turn *turn, enum turn_file file) {
	int fd = turn_open_file(turn, file, false);
	if (fd >= 0 && ftruncate(fd, 0) != 0) {
		log_warning("turn %lld: %s can't be emptied: %s", (long long)turn->row.id,
				turn_file_name(file), strerror(errno));
	}
}

static bool copy_bytes(int from, int to) {
	char piece[65536];
	off_t offset = 0;
	ssize_t size;
	while ((size = pread(from, piece, sizeof(piece), offset)) > 0) {
		if (!file_write_at(to, piece, (size_t)size, (uint64_t)offset)) {
			return false;
		}
		offset += size;
	}
	return size == 0;
}

bool turn_prompt_share(struct turn *from, struct turn *to, struct fail *fail) {
	char old[PATH_MAX], new[PATH_MAX];
	if (!turn_file_path(from, TURN_PROMPT, old, sizeof(old)) ||
			!turn_file_path(to, TURN_PROMPT, new, sizeof(new))) {
		return fail_set(fail, ENAMETOOLONG, "the path of a prompt is too long");
	}
	if (link(old, new) != 0) {
		int source = turn_open_file(from, TURN_PROMPT, false);
		int target = source >= 0 ? turn_open_file(to, TURN_PROMPT, true) : -1;
		if (target < 0 || !copy_bytes(source, target)) {
			return fail_set(fail, errno,
					"the prompt of turn %06lld can't be copied: %s",
					(long long)from->row.number, strerror(errno));
		}
	}
	to->row.prompt_size = from->row.prompt_size;
	return true;
}

/* Of the files in a directory, and in those within it down to some depth. */
static int64_t directory_bytes(int parent, const char *name, int depth) {
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	cleanup_closedir DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL) {
		if (fd >= 0) {
			close(fd);
		}
		return 0;
	}
	int64_t bytes = 0;
	struct dirent *entry;
	struct stat status;
	while ((entry = readdir(directory)) != NULL) {
		bool above = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (above || fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
			continue;
		}
		bytes += status.st_blocks * 512;
		if (S_ISDIR(status.st_mode) && depth > 0) {
			bytes += directory_bytes(fd, entry->d_name, depth - 1);
		}
	}
	return bytes;
}

int64_t turn_bytes(struct turn *turn) {
	char path[PATH_MAX];
	return turn_directory(turn, path, sizeof(path)) ? directory_bytes(AT_FDCWD, path, 1) : 0;
}
