/* conduitfs-provider [--landlock-optional] OBJECT: one provider's process. The daemon starts it
 * with its socket at descriptor 3, stderr a pipe and no environment; it shuts itself in, loads the
 * object, says that it is ready (or why not) and serves until the socket is closed. */
#include "core/base/fail.h"
#include "core/base/text.h"
#include "core/provider/runner.h"
#include "core/provider/sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SOCKET_FD 3

#if SANDBOX_LENIENT
/* The leak check at exit wants ptrace and threads, which a sandbox doesn't have. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
	return "detect_leaks=0";
}
#endif

static int refuse(struct channel *channel, const char *words) {
	char *cut cleanup_free = strndup(words, utf8_cut(words, strlen(words), WIRE_WORDS_MOST));
	struct wire_message message = {.type = WIRE_REFUSED, .words = {cut}};
	channel_put(channel, &message);
	channel_flush(channel);
	return EXIT_FAILURE;
}

/* An object that is a file, by descriptor: it must still be found when nobody may no longer reach
 * the directory it lies in. */
static int open_object(const char *path, struct fail *fail) {
	int fd cleanup_close = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	if (fd < 0 || fstat(fd, &about) != 0) {
		fail_set(fail, errno, "can't open the provider's object %s: %s", path,
				strerror(errno));
		return -1;
	}
	if (!S_ISREG(about.st_mode)) {
		fail_set(fail, EINVAL, "the provider's object %s isn't a file", path);
		return -1;
	}
	return take_fd(&fd);
}

/* Its constructors run in here. NULL with words. */
static const struct conduit_provider *load(int fd, const char *path, struct fail *fail) {
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	void *object = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL) {
		const char *why = dlerror();
		/* "/proc/self/fd/4: undefined symbol: foo": the name is ours and says nothing. */
		if (starts_with(why, name) && starts_with(why + strlen(name), ": ")) {
			why += strlen(name) + 2;
		}
		fail_set(fail, ENOEXEC, "can't load %s: %s", path, why);
		return NULL;
	}
	const struct conduit_provider *provider = dlsym(object, "conduit_provider_entry");
	if (provider == NULL) {
		fail_set(fail, ENOEXEC,
				"%s isn't a provider: it has no symbol conduit_provider_entry, "
				"which "
				"CONDUIT_PROVIDER(…) defines",
				path);
		return NULL;
	}
	/* Later ABIs only add fields at the end, and this one is the first. */
	if (provider->abi != CONDUIT_ABI || provider->size < sizeof(*provider)) {
		fail_set(fail, ENOEXEC,
				"%s was built for ABI %u of provider.h, with %u bytes of it; this "
				"is "
				"ABI %u, with %zu: build it again against this version",
				path, provider->abi, provider->size, CONDUIT_ABI,
				sizeof(*provider));
		return NULL;
	}
	return provider;
}

/* All that goes before the first message. NULL with words. */
static const struct conduit_provider *prepare(
		const char *path, bool landlock_optional, struct fail *fail) {
	int object cleanup_close = open_object(path, fail);
	struct sandbox_options options = {
			.object_fd = object, .landlock_may_be_absent = landlock_optional};
	if (object < 0 || !sandbox_enter(&options, fail) || !filter_loading(fail)) {
		return NULL;
	}
	const struct conduit_provider *provider = load(object, path, fail);
	if (provider == NULL || !filter_final(fail)) {
		return NULL;
	}
	return provider;
}

static int serve(const struct conduit_provider *provider) {
	struct runner runner;
	runner_init(&runner, SOCKET_FD, provider);
	struct wire_message ready = {.type = WIRE_READY,
			.ready = {.abi = CONDUIT_ABI,
					.name = provider->name,
					.version = provider->version}};
	if (!channel_put(&runner.channel, &ready)) {
		return refuse(&runner.channel, "the provider's name or version is above 255 bytes");
	}
	channel_flush(&runner.channel);
	size_t size = 0;
	const uint8_t *packet;
	while ((packet = channel_receive(&runner.channel, &size)) != NULL) {
		if (!runner_packet(&runner, packet, size)) {
			fputs("a malformed packet from the daemon\n", stderr);
			return EXIT_FAILURE;
		}
	}
	runner_finish(&runner);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
	bool landlock_optional = argc == 3 && strcmp(argv[1], "--landlock-optional") == 0;
	struct stat about;
	if ((argc != 2 && !landlock_optional) || fstat(SOCKET_FD, &about) != 0 ||
			!S_ISSOCK(about.st_mode)) {
		fputs("usage: conduitfs-provider [--landlock-optional] OBJECT\n"
		      "It is started by conduitfs, with a socket at descriptor 3.\n",
				stderr);
		return 2;
	}
	close_range(SOCKET_FD + 1, ~0U, 0);
	/* Here, for later every conversion of a date would look for /etc/localtime. */
	setenv("TZ", "UTC0", 1);
	tzset();
	setvbuf(stderr, NULL, _IOLBF, 0);
	struct fail fail cleanup_fail = {0};
	const struct conduit_provider *provider = prepare(argv[argc - 1], landlock_optional, &fail);
	if (provider == NULL) {
		struct channel channel;
		channel_init(&channel, SOCKET_FD);
		int status = refuse(&channel, fail_words(&fail));
		channel_finish(&channel);
		return status;
	}
	return serve(provider);
}
