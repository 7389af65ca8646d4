/* SPDX-License-Identifier: ISC */
/* Starts the children, watches them, restarts them. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "supervisor/control.h"
#include "supervisor/lifecycle.h"
#include "supervisor/reload.h"
#include "supervisor/timers.h"

#define STOP_TIMEOUT_MS 3000

static void handle_signals(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			if (!supervisor->stopping)
				supervisor_reload(supervisor);
			continue;
		}
		log_event(LOG_LEVEL_NOTICE, "stopping", "signal=%s",
			sigabbrev_np((int)info.ssi_signo));
		supervisor->stopping = true;
	}
}

/* One turn: waits at most timeout_ms, then does whatever is due. */
static void turn(struct supervisor *supervisor, int timeout_ms)
{
	struct pollfd signals = {.fd = supervisor->signals, .events = POLLIN};
	struct pollfd set[1 + 2 * ROLE_COUNT];

	set[0] = signals;
	for (enum role role = 0; role < ROLE_COUNT; role++) {
		const struct child *child = &supervisor->children[role];

		set[1 + 2 * role] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
		set[2 + 2 * role] = (struct pollfd){.fd = child->control.fd, .events = POLLIN};
	}
	if (poll(set, sizeof(set) / sizeof(set[0]), timeout_ms) < 0 && errno != EINTR)
		log_fatal("poll_failed", "error=\"%s\"", strerror(errno));
	handle_signals(supervisor);
	/* Messages before ends: what a child said with its last breath still counts. */
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->control.fd >= 0 && set[2 + 2 * child->role].revents != 0)
			control_read(supervisor, child);
		if (child->pidfd >= 0 && set[1 + 2 * child->role].revents != 0)
			lifecycle_reap(supervisor, child);
	}
	if (!supervisor->stopping)
		timers_run(supervisor, clock_ms());
}

static bool any_running(struct supervisor *supervisor)
{
	FOR_EACH_CHILD(supervisor, child)
	{
		if (child->pidfd >= 0)
			return true;
	}
	return false;
}

/* Children end when their control channel closes; who doesn't in time is killed. */
static void stop_children(struct supervisor *supervisor)
{
	int64_t deadline = clock_ms() + STOP_TIMEOUT_MS;

	FOR_EACH_CHILD(supervisor, child)
	channel_close(&child->control);
	while (any_running(supervisor)) {
		int64_t left = deadline - clock_ms();

		if (left <= 0) {
			FOR_EACH_CHILD(supervisor, child)
			child_kill(child);
			left = STOP_TIMEOUT_MS;
			deadline = INT64_MAX;
		}
		turn(supervisor, left > STOP_TIMEOUT_MS ? STOP_TIMEOUT_MS : (int)left);
	}
}

int supervisor_run(struct supervisor *supervisor)
{
	lifecycle_start(supervisor, ROLE_INSTALLER);
	while (!supervisor->stopping)
		turn(supervisor, timers_wait_ms(supervisor, clock_ms()));
	notify_stopping(&supervisor->notify);
	stop_children(supervisor);
	log_event(LOG_LEVEL_NOTICE, "stopped", "");
	return supervisor->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
