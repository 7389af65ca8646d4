/* SPDX-License-Identifier: ISC */
/* One child process: started with a fixed table of descriptors, watched by its pidfd. */
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

struct inheritance inheritance_empty(void)
{
	struct inheritance inheritance;

	for (size_t i = 0; i < FD_INHERITED_END; i++)
		inheritance.fd[i] = -1;
	return inheritance;
}

_Noreturn static void fail_exec(const char *step, const char *binary)
{
	char quoted[LOG_QUOTED_BYTES];

	log_event(LOG_LEVEL_ERROR, "exec_failed", "step=%s binary=%s error=\"%s\"", step,
		log_quote(quoted, binary), strerror(errno));
	_exit(127);
}

/* In the child: first all out of the table's range, so that none is overwritten, then into it. */
static void lay_out_descriptors(const struct inheritance *inheritance, const char *binary)
{
	int parked[FD_INHERITED_END];

	for (int i = FD_CONTROL; i < FD_INHERITED_END; i++) {
		parked[i] = inheritance->fd[i] < 0 ? -1
						   : fcntl(inheritance->fd[i], F_DUPFD_CLOEXEC,
							     2 * FD_INHERITED_END);
		if (inheritance->fd[i] >= 0 && parked[i] < 0)
			fail_exec("park", binary);
	}
	for (int i = FD_CONTROL; i < FD_INHERITED_END; i++) {
		if (parked[i] < 0)
			close(i);
		else if (dup2(parked[i], i) < 0)
			fail_exec("dup2", binary);
	}
	if (close_range(FD_INHERITED_END, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		fail_exec("close_range", binary);
}

static void lay_out_standard_streams(const char *binary)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		fail_exec("standard_streams", binary);
}

_Noreturn static void run_child(
	const char *binary, const char *interface, const struct inheritance *inheritance)
{
	const char *name = strrchr(binary, '/') != NULL ? strrchr(binary, '/') + 1 : binary;
	const char *journal = getenv("JOURNAL_STREAM");
	char *arguments[] = {(char *)name, (char *)interface, NULL};
	char stream[64];
	char *environment[] = {stream, NULL};
	sigset_t none;

	/* A change of credentials clears it, so the sandbox sets it again. One that is stopped, or
	 * hangs, before that must not outlive us either. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		fail_exec("pdeathsig", binary);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	lay_out_standard_streams(binary);
	lay_out_descriptors(inheritance, binary);
	snprintf(stream, sizeof(stream), "JOURNAL_STREAM=%s", journal != NULL ? journal : "");
	execve(binary, arguments, environment);
	fail_exec("execve", binary);
}

int child_spawn(struct child *child, const char *binary, const char *interface,
	const struct inheritance *inheritance)
{
	int pidfd = -1;
	struct clone_args arguments = {.flags = CLONE_PIDFD | CLONE_NEWPID,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(binary, interface, inheritance);
	child->pid = (pid_t)pid;
	child->pidfd = pidfd;
	child->state = CHILD_STARTING;
	child->is_ending = false;
	child->next_ms = clock_ms() + CHILD_READY_TIMEOUT_MS;
	return 0;
}

bool child_reap(struct child *child, char *text, size_t size)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
		return false;
	if (info.si_code == CLD_EXITED)
		snprintf(text, size, "status=%d", info.si_status);
	else
		snprintf(text, size, "signal=%s", sigabbrev_np(info.si_status));
	close(child->pidfd);
	child->pidfd = -1;
	channel_close(&child->control);
	return true;
}

void child_kill(struct child *child)
{
	if (child->pidfd < 0)
		return;
	child->is_ending = true;
	syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
}

void child_end_as_planned(struct child *child)
{
	if (child->is_ending || !child_running(child))
		return; /* it starts again anyway */
	child->is_planned = true;
	child_kill(child);
}

static bool is_healthy(const struct child *child, int64_t now_ms)
{
	return now_ms - child->next_ms >= CHILD_HEALTHY_AFTER_MS;
}

static void forget_failures(struct child *child)
{
	child->backoff_ms = 0;
	child->failures = 0;
}

void child_settle(struct child *child, int64_t now_ms)
{
	if (child->state == CHILD_READY && is_healthy(child, now_ms))
		forget_failures(child);
}

static void back_off(struct child *child)
{
	child->failures++;
	child->delay_ms = child->backoff_ms;
	if (child->backoff_ms == 0)
		child->backoff_ms = CHILD_BACKOFF_FIRST_MS;
	else if (child->backoff_ms <= CHILD_BACKOFF_MAX_MS / 2)
		child->backoff_ms *= 2;
	else
		child->backoff_ms = CHILD_BACKOFF_MAX_MS;
}

void child_schedule_restart(struct child *child, int64_t now_ms, bool was_ready)
{
	if (was_ready && is_healthy(child, now_ms))
		forget_failures(child);
	child->state = CHILD_WAITING;
	child->delay_ms = 0;
	if (!child->is_planned)
		back_off(child);
	child->next_ms = now_ms + child->delay_ms;
}
