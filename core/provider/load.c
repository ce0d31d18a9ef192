/* Loading a provider's object: see load.h. */
#include "core/provider/load.h"

#include "core/base/text.h"
#include "core/provider/sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#if SANDBOX_LENIENT
/* The leak check at exit wants ptrace and threads, which a sandbox doesn't have. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
	return "detect_leaks=0";
}
#endif

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

/* What every header has had from the first: the callbacks after these are optional. */
#define SIZE_LEAST offsetof(struct conduit_provider, reply)

/* A copy as this version knows it: what an older header didn't have is NULL, what a newer one added
 * at the end is left out. NULL with words. */
static const struct conduit_provider *known_part(
		const struct conduit_provider *provider, const char *path, struct fail *fail) {
	static struct conduit_provider known;
	if (provider->abi != CONDUIT_ABI) {
		fail_set(fail, ENOEXEC,
				"%s was built for ABI %u of provider.h, and this conduitfs knows "
				"ABI %u: %s",
				path, provider->abi, CONDUIT_ABI,
				provider->abi > CONDUIT_ABI
						? "update conduitfs, or load an older version of "
						  "the provider"
						: "build it again against this version");
		return NULL;
	}
	if (provider->size < SIZE_LEAST) {
		fail_set(fail, ENOEXEC,
				"%s says that its struct conduit_provider has %u bytes, where the "
				"smallest has %zu: define it by CONDUIT_PROVIDER(…)",
				path, provider->size, SIZE_LEAST);
		return NULL;
	}
	memcpy(&known, provider, provider->size < sizeof(known) ? provider->size : sizeof(known));
	if (known.model_size == 0) {
		known.model_size = offsetof(struct conduit_model, limits);
	}
	if (known.name == NULL || known.version == NULL) {
		fail_set(fail, ENOEXEC,
				"%s names no name or no version: give .name and .version to "
				"CONDUIT_PROVIDER(…)",
				path);
		return NULL;
	}
	return &known;
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
	return known_part(provider, path, fail);
}

const struct conduit_provider *load_shut_in(
		const char *path, bool landlock_optional, struct fail *fail) {
	/* Here, for later every conversion of a date would look for /etc/localtime. */
	setenv("TZ", "UTC0", 1);
	tzset();
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
