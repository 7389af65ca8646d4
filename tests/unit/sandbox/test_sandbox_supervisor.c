/* SPDX-License-Identifier: ISC */
/* The filter that the supervisor and its children live under, one process an attempt. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"
#include "sandbox/calls.h"
#include "sandbox/filter.h"

struct attempt {
	const char *name;
	long number;
	long arguments[6];
};

#define CALLS(...) ((const struct attempt[]){__VA_ARGS__, {.name = NULL}})

/* The status of a process that closed the filter and made that call. */
static int try(const struct attempt *attempt)
{
	const long *a = attempt->arguments;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit none = {0};

		setrlimit(RLIMIT_CORE, &none);
		if (filter_load(ROLE_SUPERVISOR, false) != 0)
			_exit(99);
		syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void assert_all(const struct attempt *attempts, bool are_allowed)
{
	cell_need_root(); /* without no_new_privs a filter takes CAP_SYS_ADMIN */
	for (; attempts->name != NULL; attempts++) {
		int status = try(attempts);
		bool is_allowed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

		if (are_allowed ? !is_allowed : !is_killed)
			fail_msg("%s: status %#x", attempts->name, (unsigned)status);
	}
}

static void what_reaches_into_the_kernel_or_others_kills(void **state)
{
	(void)state;
	assert_all(CALLS({"ptrace", SYS_ptrace, {0}}, {"bpf", SYS_bpf, {0}},
			   {"perf_event_open", SYS_perf_event_open, {0}},
			   {"io_uring_setup", SYS_io_uring_setup, {0}},
			   {"userfaultfd", SYS_userfaultfd, {0}}, {"keyctl", SYS_keyctl, {0}},
			   {"add_key", SYS_add_key, {0}}, {"kexec_load", SYS_kexec_load, {0}},
			   {"init_module", SYS_init_module, {0}},
			   {"finit_module", SYS_finit_module, {-1}},
			   {"delete_module", SYS_delete_module, {0}},
			   {"process_vm_readv", SYS_process_vm_readv, {0}},
			   {"process_vm_writev", SYS_process_vm_writev, {0}},
			   {"pidfd_getfd", SYS_pidfd_getfd, {-1}},
			   {"open_by_handle_at", SYS_open_by_handle_at, {-1}},
			   {"swapon", SYS_swapon, {0}}, {"reboot", SYS_reboot, {0}},
			   {"settimeofday", SYS_settimeofday, {0}}, {"iopl", SYS_iopl, {0}},
			   {"setns", SYS_setns, {-1}}, {"chroot", SYS_chroot, {0}},
			   {"kill", SYS_kill, {0, SIGCONT}}, {"fork", SYS_fork, {0}},
			   {"vfork", SYS_vfork, {0}}, {"clone", SYS_clone, {SIGCHLD}},
			   {"mknod", SYS_mknod, {0}}, {"chown", SYS_chown, {0}},
			   {"unlink", SYS_unlink, {0}}, {"rename", SYS_rename, {0}}),
		false);
}

static void wrong_arguments_kill(void **state)
{
	(void)state;
	assert_all(CALLS({"user namespace", SYS_unshare, {CLONE_NEWUSER}},
			   {"raw socket", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_RAW}},
			   {"whole frames", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
			   {"packets at once", SYS_socket, {AF_PACKET, SOCK_DGRAM, 0x300}},
			   {"netfilter", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
			   {"vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}},
			   {"socketpair", SYS_socketpair, {AF_INET, SOCK_STREAM, 0}},
			   {"other signal", SYS_pidfd_send_signal, {-1, SIGCONT}},
			   {"writable code", SYS_mmap,
				   {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1}},
			   {"code from memory", SYS_mprotect, {0, 0, PROT_READ | PROT_EXEC}},
			   {"prctl", SYS_prctl, {PR_SET_CHILD_SUBREAPER, 1}},
			   {"ioctl", SYS_ioctl, {0, 0x8914 /* SIOCSIFFLAGS */}}),
		false);
}

static void restarts_need_these(void **state)
{
	(void)state;
	assert_all(CALLS({"clone3", SYS_clone3, {0, 0}}, {"execve", SYS_execve, {0}},
			   {"mount", SYS_mount, {0}}, {"unshare", SYS_unshare, {CLONE_NEWNS}},
			   {"packet socket", SYS_socket, {AF_PACKET, SOCK_DGRAM, 0}},
			   {"end of a child", SYS_pidfd_send_signal, {-1, SIGKILL}},
			   {"pivot_root", SYS_pivot_root, {0}},
			   {"landlock", SYS_landlock_create_ruleset, {0, 0, 1}},
			   {"seccomp", SYS_seccomp, {2}}),
		true);
}

/* Whatever a child may do behind its own filter, it must be able to do behind this one too. */
static void no_call_of_a_child_is_missing(void **state)
{
	(void)state;
	cell_need_root();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		const struct call_list *list = calls_of_role(role);

		for (size_t i = 0; i < list->count; i++) {
			/* An unfit argument fails, or, where a row has conditions, is for the
			 * tests of that role: it runs under both filters there. */
			struct attempt attempt = {.name = "",
				.number = list->calls[i].number,
				.arguments = {-1, -1, -1, -1, -1, -1}};
			bool has_own_row = false;

			for (size_t j = 0; j < calls_supervisor.count; j++)
				has_own_row |= calls_supervisor.calls[j].number == attempt.number;
			if (!has_own_row && try(&attempt) != 0)
				fail_msg("%s may call %ld, and is killed for it", role_name(role),
					attempt.number);
		}
	}
}

static int close_supervisors_filter(const void *argument)
{
	(void)argument;
	return filter_load(ROLE_SUPERVISOR, false);
}

static int reach_work(const void *argument)
{
	(void)argument;
	return 0;
}

static void each_role_closes_its_sandbox_behind_it(void **state)
{
	char log[4096];

	(void)state;
	cell_need_root();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		struct cell cell = cell_open_as(
			role, CELL_USER, CELL_GROUP, close_supervisors_filter, reach_work, NULL);
		int status = cell_close(&cell, log, sizeof(log));

		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("%s: status %#x, log: %s", role_name(role), (unsigned)status, log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_reaches_into_the_kernel_or_others_kills),
		cmocka_unit_test(wrong_arguments_kill),
		cmocka_unit_test(restarts_need_these),
		cmocka_unit_test(no_call_of_a_child_is_missing),
		cmocka_unit_test(each_role_closes_its_sandbox_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
