/* Building a provider: see build.h. */
#include "core/fetch/build/build.h"

#include "core/base/confine.h"
#include "core/base/plain.h"
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/fetch/build/compiler.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SECONDS 120.0
#define PROVIDER_HEADER "conduit/provider.h"
#define OBJECT "provider.so"

struct build {
	const struct build_options *options;
	const struct manifest *manifest;
	int files, include, directory; /* open directories */
	double seconds;
	char *what; /* "compiling provider.c, more.c" */
	void (*line)(void *data, const char *words);
	void *data;
};

static void build_finish(struct build *build) {
	const int descriptors[] = {build->files, build->include, build->directory};
	for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
		if (descriptors[i] >= 0) {
			close(descriptors[i]);
		}
	}
	free(build->what);
}

/* ---- before ---- */

static int open_directory(const char *path, struct fail *fail) {
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fail_set(fail, errno, "%s: %s", path, strerror(errno));
	}
	return fd;
}

/* A regular file that is reached without a symbolic link. */
static bool is_file_below(int directory, const char *name) {
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	struct stat about;
	int fd cleanup_close = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &about) != 0) {
		return false;
	}
	errno = EINVAL;
	return S_ISREG(about.st_mode);
}

static bool check_sources(const struct build *build, struct fail *fail) {
	for (char **source = build->manifest->sources; *source != NULL; source++) {
		if (is_file_below(build->files, *source)) {
			continue;
		}
		return fail_set(fail, errno, "sources: '%s' %s", *source,
				errno == ENOENT	  ? "isn't there"
				: errno == ELOOP  ? "is, or lies behind, a symbolic link, which is "
						    "not followed"
				: errno == EINVAL ? "is not a regular file"
						  : strerror(errno));
	}
	return true;
}

static bool open_build(
		struct build *build, const char *files, const char *directory, struct fail *fail) {
	build->files = open_directory(files, fail);
	build->include = build->files < 0 ? -1 : open_directory(build->options->include, fail);
	build->directory = build->include < 0 ? -1 : open_directory(directory, fail);
	if (build->directory < 0) {
		return false;
	}
	if (faccessat(build->include, PROVIDER_HEADER, R_OK, 0) != 0) {
		return fail_set(fail, errno,
				"%s/%s, which providers are compiled against: %s; install "
				"conduitfs whole",
				build->options->include, PROVIDER_HEADER, strerror(errno));
	}
	cleanup_buf struct buf what = {0};
	bool added = buf_add_string(&what, "compiling");
	for (char **source = build->manifest->sources; *source != NULL; source++) {
		bool first = source == build->manifest->sources;
		added = added && buf_add_format(&what, "%s %s", first ? "" : ",", *source);
	}
	build->what = added ? buf_take(&what) : NULL;
	return build->what != NULL || fail_set(fail, ENOMEM, "no memory to build");
}

/* ---- the compiler ---- */

static void on_tick(void *data, double seconds) {
	struct build *build = data;
	char words[512];
	snprintf(words, sizeof(words), "%.400s, %.0f s", build->what, seconds);
	build->line(build->data, words);
}

#define CUT_WORDS "\n(the compiler said more, which is cut here)\n"

/* The compiler's words as plain text, without the names that only its sandbox has; together at most
 * BUILD_MESSAGES_MOST. */
static bool add_messages(struct buf *messages, const struct buf *raw, bool cut) {
	static const char *const names[] = {CONFINED_READABLE "/", CONFINED_WRITABLE "/"};
	const size_t most = BUILD_MESSAGES_MOST - strlen(CUT_WORDS);
	cleanup_free char *text = plain_text(buf_string(raw), raw->size, most, true);
	bool added = text != NULL;
	for (const char *at = text; added && *at != '\0';) {
		size_t length = 0;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			length = starts_with(at, names[i]) ? strlen(names[i]) : length;
		}
		added = length > 0 || buf_add_byte(messages, *at);
		at += length > 0 ? length : 1;
	}
	return added && (!(cut || raw->size > most) || buf_add_string(messages, CUT_WORDS));
}

/* What a person reads first. */
static char *first_error(const char *messages) {
	const char *error = strstr(messages, "error:");
	const char *from = error != NULL ? error : messages;
	while (from > messages && from[-1] != '\n') {
		from--;
	}
	return plain_text(from, strcspn(from, "\n"), 400, false);
}

static bool judge(const struct build *build, const struct confined_end *end, const char *messages,
		struct fail *fail) {
	if (end->status == 0) {
		return true;
	}
	if (end->too_long || end->seconds >= build->seconds) {
		return fail_set(fail, ETIMEDOUT, "%s took more than %g s and was ended",
				build->what, build->seconds);
	}
	if (end->too_much) {
		return fail_set(fail, EFBIG, "%s wrote more than %zu MiB and was ended",
				build->what, CONFINED_DISK_MOST >> 20);
	}
	cleanup_free char *error = first_error(messages);
	if (WIFEXITED(end->status)) {
		return fail_set(fail, ENOEXEC, "%s failed: %s", build->what,
				error != NULL ? error : "");
	}
	return fail_set(fail, ENOEXEC, "%s failed: the compiler was ended by SIG%s", build->what,
			sigabbrev_np(WTERMSIG(end->status)));
}

static bool compile(struct build *build, struct buf *messages, struct fail *fail) {
	cleanup_compiler struct compiler compiler = {0};
	cleanup_buf struct buf raw = {.limit = BUILD_MESSAGES_MOST};
	struct confined_end end;
	if (!compiler_find(&compiler, build->options, build->manifest, fail)) {
		return false;
	}
	char **line cleanup_strings = compiler_line(&compiler, build->manifest);
	struct confined confined = {.arguments = (const char *const *)line,
			.writable = build->directory,
			.readable = build->include,
			.current = build->files,
			.seconds = build->seconds,
			.tick = build->line != NULL ? on_tick : NULL,
			.data = build};
	if (build->line != NULL) {
		build->line(build->data, build->what);
	}
	if (line == NULL) {
		return fail_set(fail, ENOMEM, "no memory to build");
	}
	if (!confined_run(&confined, &raw, &end, fail)) {
		return false;
	}
	cleanup_buf struct buf words = {0};
	if (!add_messages(&words, &raw, end.cut) ||
			!buf_add(messages, buf_string(&words), words.size)) {
		return fail_set(fail, ENOMEM, "no memory for the compiler's messages");
	}
	return judge(build, &end, buf_string(&words), fail);
}

/* ---- after ---- */

/* Of this very program, put there by the linker. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static bool check_object(int directory, struct fail *fail) {
	int fd cleanup_close = openat(
			directory, OBJECT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	ElfW(Ehdr) header;
	if (fd < 0 || fstat(fd, &about) != 0) {
		return fail_set(fail, errno, "the compiler made no %s: %s", OBJECT,
				strerror(errno));
	}
	if (!S_ISREG(about.st_mode) || about.st_size > (off_t)CONFINED_FILE_MOST ||
			read(fd, &header, sizeof(header)) != sizeof(header) ||
			memcmp(header.e_ident, __ehdr_start.e_ident, EI_VERSION) != 0 ||
			header.e_machine != __ehdr_start.e_machine || header.e_type != ET_DYN) {
		return fail_set(fail, ENOEXEC,
				"what the compiler made is no shared object of this machine");
	}
	return true;
}

/* Root's compiler runs as nobody, who must be able to write there and nowhere else. */
static bool give_away(int directory, struct fail *fail) {
	return geteuid() != 0 || fchown(directory, CONFINE_NOBODY, CONFINE_NOBODY) == 0 ||
	       fail_set(fail, errno, "can't give the build directory to nobody: %s",
			       strerror(errno));
}

static bool take_back(int directory, const struct stat *before, struct fail *fail) {
	return geteuid() != 0 ||
	       (fchown(directory, before->st_uid, before->st_gid) == 0 &&
			       (fchownat(directory, OBJECT, before->st_uid, before->st_gid,
						AT_SYMLINK_NOFOLLOW) == 0 ||
					       errno == ENOENT)) ||
	       fail_set(fail, errno, "can't take the build directory back: %s", strerror(errno));
}

bool build_provider(const struct build_options *options, const struct manifest *manifest,
		const char *files, const char *directory,
		void (*line)(void *data, const char *words), void *data, struct buf *messages,
		struct fail *fail) {
	cleanup(build_finish) struct build build = {.options = options,
			.manifest = manifest,
			.files = -1,
			.include = -1,
			.directory = -1,
			.seconds = options->seconds > 0 ? options->seconds : SECONDS,
			.line = line,
			.data = data};
	struct stat before;
	if (manifest->sources == NULL) {
		return fail_set(fail, EINVAL, "%s names no sources to build", manifest->path);
	}
	if (!open_build(&build, files, directory, fail) || !check_sources(&build, fail)) {
		return false;
	}
	if (fstat(build.directory, &before) != 0) {
		return fail_set(fail, errno, "%s: %s", directory, strerror(errno));
	}
	if (!give_away(build.directory, fail)) {
		return false;
	}
	bool compiled = compile(&build, messages, fail);
	return take_back(build.directory, &before, compiled ? fail : NULL) && compiled &&
	       check_object(build.directory, fail);
}
