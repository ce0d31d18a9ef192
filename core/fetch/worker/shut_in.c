/* The sandbox of fetching: see shut_in.h. */
#include "core/fetch/worker/shut_in.h"

#include "core/base/confine.h"
#include "core/base/landlock.h"
#include "core/base/text.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define MEMORY_MOST ((rlim_t)1 << 30)
#define COMPILER_MEMORY_MOST ((rlim_t)2 << 30)
/* The largest file is a pack of REMOTE_BYTES_MOST, with what its deltas lack added to it. */
#define FILE_MOST ((rlim_t)256 << 20)

/* Programs and libraries: the compiler's. */
static const char *const executed[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
		"/libx32", "/etc/alternatives"};
/* Names, certificates, and what the C library wants to know. */
static const char *const looked_at[] = {"/etc/ssl", "/etc/pki", "/etc/ca-certificates",
		"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf",
		"/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/passwd", "/etc/localtime",
		"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload",
		"/run/systemd/resolve", "/dev/random"};
static const char *const written_to[] = {"/dev/null", "/dev/zero", "/dev/urandom"};

/* The compiler, which inherits the limit, may raise it to its own. */
static bool limit_memory(struct fail *fail) {
	struct rlimit limits;
	if (CONFINE_SANITIZED) {
		return true;
	}
	if (!confine_limit(RLIMIT_AS, "RLIMIT_AS", COMPILER_MEMORY_MOST, fail)) {
		return false;
	}
	if (getrlimit(RLIMIT_AS, &limits) == 0 && limits.rlim_cur > MEMORY_MOST) {
		limits.rlim_cur = MEMORY_MOST;
	}
	return setrlimit(RLIMIT_AS, &limits) == 0 ||
	       fail_set(fail, errno, "can't set RLIMIT_AS: %s", strerror(errno));
}

static bool set_limits(const struct task *task, struct fail *fail) {
	/* A write above the limit is to fail, not to kill. */
	signal(SIGXFSZ, SIG_IGN);
	return limit_memory(fail) && confine_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, fail) &&
	       confine_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", FILE_MOST, fail) &&
	       confine_limit(RLIMIT_CPU, "RLIMIT_CPU", (rlim_t)task->total_seconds + 1, fail);
}

static bool allow_all(int ruleset, const char *const *paths, size_t n, uint64_t rights,
		struct fail *fail) {
	for (size_t i = 0; i < n; i++) {
		if (!landlock_allow_path(ruleset, paths[i], rights, fail)) {
			return false;
		}
	}
	return true;
}

/* The user's known hosts, and nothing else of ~/.ssh. */
static bool allow_known_hosts(int ruleset, struct fail *fail) {
	const char *home = getenv("HOME");
	char *path cleanup_free = NULL;
	if (home == NULL || asprintf(&path, "%s/.ssh/known_hosts", home) < 0) {
		return true;
	}
	return landlock_allow_path(ruleset, path, LANDLOCK_READ_FILE, fail);
}

static bool allow_source(int ruleset, const struct source *source, struct fail *fail) {
	static const char file[] = "file://";
	const char *path = source->kind == SOURCE_DIRECTORY ? source->url
			   : starts_with(source->url, file) ? source->url + strlen(file)
							    : NULL;
	return path == NULL || landlock_allow_path(ruleset, path, LANDLOCK_READ_TREE, fail);
}

#define ALL(paths) (paths), sizeof(paths) / sizeof((paths)[0])

static bool allow(int ruleset, const struct task *task, struct fail *fail) {
	return allow_all(ruleset, ALL(executed), LANDLOCK_EXECUTE_TREE, fail) &&
	       allow_all(ruleset, ALL(looked_at), LANDLOCK_READ_TREE, fail) &&
	       allow_all(ruleset, ALL(written_to), LANDLOCK_WRITE_TREE, fail) &&
	       landlock_allow_path(ruleset, task->cache, LANDLOCK_WRITE_TREE, fail) &&
	       landlock_allow_path(ruleset, task->include, LANDLOCK_READ_TREE, fail) &&
	       (task->ca_file[0] == '\0' || landlock_allow_path(ruleset, task->ca_file,
							    LANDLOCK_READ_FILE, fail)) &&
	       allow_source(ruleset, &task->source, fail) && allow_known_hosts(ruleset, fail);
}

bool shut_in(const struct task *task, struct fail *fail) {
	if (!set_limits(task, fail) || !confine_privileges(fail)) {
		return false;
	}
	if (landlock_abi() == 0) {
		return task->without_landlock ||
		       fail_set(fail, ENOSYS,
				       "this kernel has no Landlock (5.13 or newer, with landlock "
				       "in its lsm= list), and without it nothing from outside is "
				       "fetched; `sandbox: seccomp` in config.yml does without");
	}
	int ruleset cleanup_close = landlock_create(false, fail);
	return ruleset >= 0 && allow(ruleset, task, fail) && landlock_enter(ruleset, fail);
}
