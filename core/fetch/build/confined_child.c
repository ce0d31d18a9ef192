/* From fork to execve of a program that is shut in: see confined.h. */
#include "core/base/confine.h"
#include "core/base/landlock.h"
#include "core/fetch/build/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <math.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DESCRIPTORS_MOST 256
/* Above those that the program gives a meaning to. */
#define ABOVE 10

/* ---- system calls: no compiler needs these; what isn't listed is bounded by Landlock and by whom
 * it runs as ---- */

static const int refused[] = {SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
		SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
		SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(io_uring_setup),
		SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(bpf),
		SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(keyctl),
		SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(ptrace),
		SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_open),
		SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(unshare), SCMP_SYS(setns),
		SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
		SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
		SCMP_SYS(fsconfig), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
		SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(mknod),
		SCMP_SYS(mknodat), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
		SCMP_SYS(symlinkat), SCMP_SYS(shmget), SCMP_SYS(msgget), SCMP_SYS(semget),
		SCMP_SYS(mq_open), SCMP_SYS(memfd_create), SCMP_SYS(init_module),
		SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
		SCMP_SYS(quotactl), SCMP_SYS(acct), SCMP_SYS(personality)};

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
			CLONE_NEWCGROUP)

/* `added` is a rule's result; -EDOM means that this architecture hasn't got the call. */
static bool accepted(int added) {
	if (added < 0 && added != -EDOM) {
		errno = -added;
		return false;
	}
	return true;
}

static bool add_rules(scmp_filter_ctx filter) {
	/* no_new_privs is set already. */
	bool added = accepted(seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0)) &&
		     accepted(seccomp_attr_set(
				     filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
	for (size_t i = 0; added && i < sizeof(refused) / sizeof(refused[0]); i++) {
		added = accepted(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0));
	}
	for (uint64_t flag = 1; added && flag <= UINT32_MAX; flag <<= 1) {
		if (NAMESPACES & flag) {
			added = accepted(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
					SCMP_SYS(clone), 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)));
		}
	}
	/* Its flags lie in memory, where no filter sees them; libc falls back on clone. */
	return added &&
	       accepted(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
}

static bool enter_filter(struct fail *fail) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool entered = filter != NULL && add_rules(filter) && accepted(seccomp_load(filter));
	if (!entered) {
		fail_set(fail, errno, "can't load the system call filter: %s", strerror(errno));
	}
	seccomp_release(filter);
	return entered;
}

/* ---- files ---- */

static bool allow_system(int ruleset, struct fail *fail) {
	static const char *const paths[] = {"/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32",
			"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!landlock_allow_path(ruleset, paths[i], LANDLOCK_EXECUTE_TREE, fail)) {
			return false;
		}
	}
	return true;
}

static bool enter_landlock(const struct confined *confined, struct fail *fail) {
	int ruleset cleanup_close = landlock_create(true, fail);
	return ruleset >= 0 && allow_system(ruleset, fail) &&
	       (confined->current < 0 ||
			       landlock_allow(ruleset, confined->current, LANDLOCK_READ_TREE,
					       "the sources", fail)) &&
	       (confined->readable < 0 ||
			       landlock_allow(ruleset, confined->readable, LANDLOCK_READ_TREE,
					       "provider.h", fail)) &&
	       (confined->writable < 0 ||
			       landlock_allow(ruleset, confined->writable, LANDLOCK_WRITE_TREE,
					       "the build directory", fail)) &&
	       landlock_enter(ruleset, fail);
}

/* ---- descriptors ---- */

/* Moves a descriptor to where the numbers given below don't overwrite it; -1 stays -1. */
static bool lift(int *fd) {
	if (*fd >= 0) {
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, ABOVE);
		return *fd >= 0;
	}
	return true;
}

static bool put(int fd, int number) {
	if (fd < 0) {
		close(number);
		return true;
	}
	return dup2(fd, number) == number;
}

/* Nothing but stdin, stdout, stderr and the two directories lives through execve. */
static bool arrange(struct confined *confined, int output, int *setup) {
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || !lift(setup) || !lift(&null) || !lift(&output) ||
			!lift(&confined->writable) || !lift(&confined->readable) ||
			!lift(&confined->current)) {
		return false;
	}
	int current = confined->current;
	return (current < 0 ? chdir("/") : fchdir(current)) == 0 && put(null, 0) &&
	       put(output, 1) && put(output, 2) && put(confined->writable, 3) &&
	       put(confined->readable, 4) && close_range(5, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

/* ---- the rest ---- */

static void reset_signals(void) {
	sigset_t none;
	for (int number = 1; number < NSIG; number++) {
		signal(number, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Not of processes: the kernel counts those of the user, who may have others. */
static bool set_limits(double seconds, struct fail *fail) {
	return confine_limit(RLIMIT_CPU, "RLIMIT_CPU", (rlim_t)ceil(seconds), fail) &&
	       confine_limit(RLIMIT_AS, "RLIMIT_AS", CONFINED_MEMORY_MOST, fail) &&
	       confine_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", CONFINED_FILE_MOST, fail) &&
	       confine_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", DESCRIPTORS_MOST, fail) &&
	       confine_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, fail);
}

/* The descriptors are open already. Limits come last: libseccomp needs memory. */
static bool shut_in(const struct confined *confined, struct fail *fail) {
	return confine_root(fail) && confine_privileges(fail) && enter_landlock(confined, fail) &&
	       enter_filter(fail) && set_limits(confined->seconds, fail);
}

void confined_child(const struct confined *confined, int output, int setup) {
	char *const environment[] = {
			"PATH=/usr/bin:/bin", "LC_ALL=C", "TMPDIR=" CONFINED_WRITABLE, NULL};
	struct confined inside = *confined;
	struct fail fail = {0};
	setsid();
	umask(022);
	reset_signals();
	if (!arrange(&inside, output, &setup)) {
		fail_set(&fail, errno, "can't arrange descriptors: %s", strerror(errno));
	} else if (shut_in(&inside, &fail)) {
		execve(inside.arguments[0], (char *const *)(uintptr_t)inside.arguments,
				environment);
		fail_set(&fail, errno, "can't start %s: %s", inside.arguments[0], strerror(errno));
	}
	dprintf(setup, "%d %s", fail.code, fail_words(&fail));
	_exit(127);
}
