/* The two system call filters of a provider's process: see sandbox.h.
 *
 * Three answers: what is listed as needed is allowed; what no provider has any business doing is
 * listed as forbidden and traps: the handler writes the call's name to stderr, which the daemon
 * repeats in the failed turns, and SIGSYS ends the process; anything else, harmless and perhaps
 * called by a newer libc, fails with EPERM. A handler can't be trusted to run, only to be
 * of use: the call is refused whatever becomes of it. */
#include "core/provider/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

struct call {
	int number;
	const char *name;
};

#define CALL(name)                                                                                 \
	{ SCMP_SYS(name), #name }

/* Running: memory, time, randomness, the descriptors that are open, its own end. */
static const struct call running[] = {CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
		CALL(futex), CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday),
		CALL(time), CALL(nanosleep), CALL(clock_nanosleep), CALL(getrandom), CALL(read),
		CALL(readv), CALL(write), CALL(writev), CALL(recvfrom), CALL(sendto), CALL(poll),
		CALL(ppoll), CALL(close), CALL(lseek), CALL(fstat), CALL(getpid), CALL(gettid),
		CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(sched_yield),
		CALL(sched_getaffinity), CALL(sysinfo), CALL(uname), CALL(rt_sigprocmask),
		CALL(rt_sigreturn), CALL(sigaltstack), CALL(restart_syscall), CALL(exit),
		CALL(exit_group)};

/* Loading, besides. openat is bounded by its flags and, where there is Landlock, to libraries. */
static const struct call loading[] = {CALL(mmap), CALL(mprotect), CALL(pread64), CALL(newfstatat),
		CALL(statx), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink),
		CALL(readlinkat), CALL(getcwd), CALL(set_robust_list), CALL(rseq), CALL(seccomp)};

static const struct call forbidden[] = {CALL(open), CALL(creat), CALL(openat2),
		CALL(open_by_handle_at), CALL(open_tree), CALL(socket), CALL(socketpair),
		CALL(connect), CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(sendmsg),
		CALL(sendmmsg), CALL(execve), CALL(execveat), CALL(fork), CALL(vfork), CALL(clone),
		CALL(clone3), CALL(kill), CALL(tkill), CALL(rt_sigqueueinfo), CALL(pidfd_open),
		CALL(pidfd_getfd), CALL(pidfd_send_signal), CALL(ptrace), CALL(process_vm_readv),
		CALL(process_vm_writev), CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat),
		CALL(renameat2), CALL(mkdir), CALL(mkdirat), CALL(mount), CALL(umount2),
		CALL(chroot), CALL(pivot_root), CALL(setns), CALL(unshare), CALL(bpf),
		CALL(io_uring_setup), CALL(userfaultfd), CALL(memfd_create), CALL(shmget),
		CALL(perf_event_open), CALL(keyctl), CALL(add_key), CALL(request_key),
		CALL(init_module), CALL(finit_module), CALL(reboot), CALL(kexec_load)};

/* Forbidden by their arguments or at one of the stages only; here for their names. */
static const struct call sometimes[] = {CALL(openat), CALL(mmap), CALL(mprotect), CALL(tgkill)};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_in(const struct call *calls, size_t n, int number) {
	for (size_t i = 0; i < n; i++) {
		if (calls[i].number == number) {
			return calls[i].name;
		}
	}
	return NULL;
}

static void on_forbidden(int signal, siginfo_t *info, void *context) {
	(void)signal;
	(void)context;
	const char *name = name_in(forbidden, COUNT(forbidden), info->si_syscall);
	if (name == NULL) {
		name = name_in(sometimes, COUNT(sometimes), info->si_syscall);
	}
	char line[96] = "forbidden system call: ";
	strcat(line, name != NULL ? name : "unnamed");
	strcat(line, "\n");
	ssize_t written = write(STDERR_FILENO, line, strlen(line));
	(void)written;
	/* SA_RESETHAND brought back the default action: end by SIGSYS. */
	raise(SIGSYS);
	_exit(128 + SIGSYS);
}

static bool install_handler(void) {
	struct sigaction action = {.sa_sigaction = on_forbidden,
			.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER};
	return sigaction(SIGSYS, &action, NULL) == 0;
}

/* `added` is a rule's result; -EDOM means that this architecture hasn't got the call. */
static bool accepted(int added) {
	if (added < 0 && added != -EDOM) {
		errno = -added;
		return false;
	}
	return true;
}

static bool add(scmp_filter_ctx filter, uint32_t action, const struct call *calls, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (!accepted(seccomp_rule_add(filter, action, calls[i].number, 0))) {
			return false;
		}
	}
	return true;
}

static bool add_if(
		scmp_filter_ctx filter, uint32_t action, int call, struct scmp_arg_cmp condition) {
	return accepted(seccomp_rule_add(filter, action, call, 1, condition));
}

/* abort() raises a signal in its own process; SIGSYS keeps its handler. */
static bool add_signals(scmp_filter_ctx filter) {
	scmp_datum_t self = (scmp_datum_t)getpid();
	return add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self)) &&
	       add_if(filter, SCMP_ACT_TRAP, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_NE, self)) &&
	       add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), SCMP_A0(SCMP_CMP_NE, SIGSYS));
}

static bool add_loading(scmp_filter_ctx filter) {
	/* Anything but opening to read fails with EPERM. */
	struct scmp_arg_cmp reads = SCMP_A2(SCMP_CMP_MASKED_EQ,
			O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY), O_RDONLY);
	return add(filter, SCMP_ACT_ALLOW, loading, COUNT(loading)) &&
	       add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), reads);
}

static bool add_final(scmp_filter_ctx filter) {
	const int exec = PROT_EXEC;
	return add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
			       SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)) &&
	       add_if(filter, SCMP_ACT_TRAP, SCMP_SYS(mmap),
			       SCMP_A2(SCMP_CMP_MASKED_EQ, exec, exec)) &&
	       add_if(filter, SCMP_ACT_TRAP, SCMP_SYS(mprotect),
			       SCMP_A2(SCMP_CMP_MASKED_EQ, exec, exec)) &&
	       accepted(seccomp_rule_add(filter, SCMP_ACT_TRAP, SCMP_SYS(openat), 0));
}

static bool build(scmp_filter_ctx filter, bool final) {
	/* no_new_privs is set already, and prctl isn't there any more when the second comes. */
	if (!accepted(seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0)) ||
			!accepted(seccomp_attr_set(
					filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) ||
			!add(filter, SCMP_ACT_ALLOW, running, COUNT(running))) {
		return false;
	}
	if (SANDBOX_LENIENT) {
		return true;
	}
	return add(filter, SCMP_ACT_TRAP, forbidden, COUNT(forbidden)) && add_signals(filter) &&
	       (final ? add_final(filter) : add_loading(filter));
}

static bool enter_filter(bool final, struct fail *fail) {
	scmp_filter_ctx filter = seccomp_init(
			SANDBOX_LENIENT ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL) {
		return fail_set(fail, ENOMEM, "no memory for the system call filter");
	}
	bool entered = build(filter, final) && accepted(seccomp_load(filter));
	if (!entered) {
		fail_set(fail, errno, "can't load the %s system call filter: %s",
				final ? "final" : "first", strerror(errno));
	}
	seccomp_release(filter);
	return entered;
}

bool filter_loading(struct fail *fail) {
	if (!install_handler()) {
		return fail_set(fail, errno, "can't handle SIGSYS: %s", strerror(errno));
	}
	return enter_filter(false, fail);
}

bool filter_final(struct fail *fail) {
	return enter_filter(true, fail);
}
