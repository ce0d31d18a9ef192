/* Programs of the system over what strangers wrote: see confine_program.h. */
#include "core/base/confine_program.h"

#include "core/base/landlock.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t confine_fork(void) {
	uint64_t flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC;
	uint64_t arguments[8] = {
			[0] = geteuid() == 0 ? flags : flags | CLONE_NEWUSER, [4] = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, arguments, sizeof(arguments));
	return pid >= 0 ? pid : fork();
}

void confine_signals(void) {
	sigset_t none;
	for (int number = 1; number < NSIG; number++) {
		signal(number, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool confine_allow_system(int ruleset, struct fail *fail) {
	static const char *const paths[] = {"/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32",
			"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!landlock_allow_path(ruleset, paths[i], LANDLOCK_EXECUTE_TREE, fail)) {
			return false;
		}
	}
	return true;
}

/* No program over a file needs these. */
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

bool confine_calls(struct fail *fail) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool entered = filter != NULL && add_rules(filter) && accepted(seccomp_load(filter));
	if (!entered) {
		fail_set(fail, errno, "can't load the system call filter: %s", strerror(errno));
	}
	seccomp_release(filter);
	return entered;
}
