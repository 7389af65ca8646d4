/* SPDX-License-Identifier: ISC */
/* What is open before any child runs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/lifecycle.h"
#include "supervisor/replay_socket.h"
#include "supervisor/supervisor.h"
#include "supervisor/timestamps.h"

static int open_signals(void)
{
	sigset_t set;

	/* Who ignores it, and hands that down to us, would have the kernel reap our children: their
	 * pidfds would say so for ever, and waitid(2) nothing. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int find_binaries(struct supervisor *supervisor)
{
	ssize_t length =
		readlink("/proc/self/exe", supervisor->binaries, sizeof(supervisor->binaries));
	char *slash;

	if (length < 0 || (size_t)length >= sizeof(supervisor->binaries))
		return length < 0 ? -errno : -ENAMETOOLONG;
	supervisor->binaries[length] = '\0';
	slash = strrchr(supervisor->binaries, '/');
	if (slash == NULL)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

static int open_replay_sockets(struct supervisor *supervisor)
{
	supervisor->replay_ipv4 = replay_socket_open_ipv4();
	if (supervisor->replay_ipv4 < 0)
		return supervisor->replay_ipv4;
	supervisor->replay_ipv6 = replay_socket_open_ipv6();
	if (supervisor->replay_ipv6 == -EAFNOSUPPORT)
		log_event(LOG_LEVEL_NOTICE, "ipv6_off", "effect=\"no replay for IPv6 clients\"");
	else if (supervisor->replay_ipv6 < 0)
		return supervisor->replay_ipv6;
	return 0;
}

/* The gateway serves without it. */
static void open_cache(struct supervisor *supervisor)
{
	const char *directory = supervisor->config.cache_directory, *what;
	char quoted[LOG_QUOTED_BYTES];
	int error = cache_files_open(&supervisor->cache, directory, &what);

	if (error != 0)
		log_event(LOG_LEVEL_ERROR, "cache_unusable",
			"directory=%s what=\"%s\" error=\"%s\" "
			"effect=\"peers are cached in memory alone\"",
			log_quote(quoted, directory), what, strerror(-error));
}

int supervisor_open(struct supervisor *supervisor)
{
	int error;

	supervisor->device.socket = -1;
	supervisor->resolver_folder = "/etc";
	for (enum role role = 0; role < ROLE_COUNT; role++)
		supervisor->children[role] =
			(struct child){.role = role, .pidfd = -1, .control.fd = -1};
	error = find_binaries(supervisor);
	if (error != 0)
		return lifecycle_fail_start("binaries", error);
	supervisor->signals = open_signals();
	if (supervisor->signals < 0)
		return lifecycle_fail_start("signalfd", supervisor->signals);
	supervisor->timestamps = timestamps_open(supervisor->config.max_peers);
	if (supervisor->timestamps < 0)
		return lifecycle_fail_start("timestamps", supervisor->timestamps);
	open_cache(supervisor);
	error = open_replay_sockets(supervisor);
	return error == 0 ? 0 : lifecycle_fail_start("replay_socket", error);
}
