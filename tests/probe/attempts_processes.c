/* SPDX-License-Identifier: ISC */
/* Attempts on other processes, and on what the process itself is. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attempts.h"

int try_fork(const struct surroundings *surroundings)
{
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)surroundings;
	if (child == 0)
		_exit(0);
	return attempt_result(child);
}

int try_thread(const struct surroundings *surroundings)
{
	static char stack[16384] __attribute__((aligned(16)));
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	long thread;

	(void)surroundings;
	thread = syscall(SYS_clone, flags, stack + sizeof(stack) - 64, 0, 0, 0);
	if (thread == 0)
		syscall(SYS_exit, 0);
	return attempt_result(thread);
}

int try_trace_sibling(const struct surroundings *surroundings)
{
	return attempt_result(ptrace(PTRACE_ATTACH, surroundings->sibling, NULL, NULL));
}

int try_trace_twin(const struct surroundings *surroundings)
{
	return attempt_result(ptrace(PTRACE_SEIZE, surroundings->twin, NULL, NULL));
}

int try_kill_sibling(const struct surroundings *surroundings)
{
	return attempt_result(kill(surroundings->sibling, 0));
}

int try_kill_twin(const struct surroundings *surroundings)
{
	return attempt_result(kill(surroundings->twin, 0));
}

/* The group reaches across PID namespaces: to whomever the same shell's job has started. */
int try_kill_group(const struct surroundings *surroundings)
{
	pid_t group = getpgrp();

	(void)surroundings;
	return group == getpid() ? -ESRCH : attempt_result(kill(0, 0));
}

int try_kill_all(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(kill(-1, 0));
}

int try_read_memory(const struct surroundings *surroundings)
{
	char byte;
	struct iovec own = {.iov_base = &byte, .iov_len = 1};
	struct iovec other = {.iov_base = (void *)(unsigned long)&attempts, .iov_len = 1};

	return attempt_result(process_vm_readv(surroundings->twin, &own, 1, &other, 1, 0));
}

int try_steal_descriptor(const struct surroundings *surroundings)
{
	long twin = syscall(SYS_pidfd_open, surroundings->twin, 0);

	return attempt_result(twin < 0 ? twin : syscall(SYS_pidfd_getfd, twin, 0, 0));
}

int try_join_namespaces(const struct surroundings *surroundings)
{
	long twin = syscall(SYS_pidfd_open, surroundings->twin, 0);

	return attempt_result(twin < 0 ? twin : setns((int)twin, CLONE_NEWNET));
}

/* By the call itself: setresuid(3) may end in a loop over threads. */
int try_become_root(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(syscall(SYS_setresuid, -1, 0, -1));
}

int try_become_roots_group(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(syscall(SYS_setresgid, -1, 0, -1));
}

int try_join_groups(const struct surroundings *surroundings)
{
	gid_t disk = 6;

	(void)surroundings;
	return attempt_result(syscall(SYS_setgroups, 1, &disk));
}

static int take_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct *half = &halves[CAP_TO_INDEX(capability)];

	if (syscall(SYS_capget, &header, halves) != 0)
		return -errno;
	if ((half->permitted & CAP_TO_MASK(capability)) != 0)
		return -EPERM;
	half->permitted |= CAP_TO_MASK(capability);
	half->effective |= CAP_TO_MASK(capability);
	return attempt_result(syscall(SYS_capset, &header, halves));
}

int try_take_capability(const struct surroundings *surroundings)
{
	(void)surroundings;
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++) {
		int error = take_capability(capability);

		if (error != -EPERM)
			return error;
	}
	return -EPERM;
}

int try_keep_capability_over_exec(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0));
}

int try_clear_no_new_privileges(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

int try_become_dumpable(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

int try_outlive_parent(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

int try_read_implies_execute(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(personality(READ_IMPLIES_EXEC));
}

int try_raise_limit(const struct surroundings *surroundings)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = 10};

	(void)surroundings;
	return attempt_result(setrlimit(RLIMIT_NPROC, &limit));
}

int try_real_time(const struct surroundings *surroundings)
{
	struct sched_param first = {.sched_priority = 1};

	(void)surroundings;
	return attempt_result(sched_setscheduler(0, SCHED_FIFO, &first));
}

int try_priority(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(setpriority(PRIO_PROCESS, 0, -20));
}
