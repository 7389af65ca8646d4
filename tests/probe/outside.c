/* SPDX-License-Identifier: ISC */
/* What is around the probes. */
#include "outside.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"

static const char configuration[] = "[gateway]\n"
				    "interface = " PROBE_INTERFACE "\n"
				    "[origin]\n"
				    "url = https://" PROBE_OTHER_IPV4 "/peer/{key}\n"
				    "[policy]\n"
				    "allowed_ips = 10.64.0.0/10\n"
				    "[eviction]\n"
				    "max_peers = 64\n";

static void need(int returned, const char *what)
{
	if (returned < 0)
		err(EXIT_FAILURE, "%s", what);
}

static void write_configuration(void)
{
	int fd;

	if (mkdir("/run/pullgate-probe", 0755) != 0 && errno != EEXIST)
		err(EXIT_FAILURE, "/run/pullgate-probe");
	fd = open(PROBE_CONFIGURATION, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, configuration, strlen(configuration)) < 0)
		err(EXIT_FAILURE, PROBE_CONFIGURATION);
	close(fd);
}

static void load_configuration(struct outside *outside)
{
	char error[CONFIG_ERROR_BYTES];

	write_configuration();
	if (config_load(&outside->config, PROBE_CONFIGURATION, error) != 0 ||
		material_load(&outside->material, &outside->config, error) != 0)
		errx(EXIT_FAILURE, "%s", error);
}

static void listen_tcp(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PROBE_PORT)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(fd, "socket");
	need(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind");
	need(listen(fd, 1), "listen");
}

/* With room for all who come, since nobody accepts. */
static void listen_unix(int type, const struct sockaddr_un *name, size_t size)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	need(fd, "socket");
	need(bind(fd, (const struct sockaddr *)name, (socklen_t)size), "bind a Unix socket");
	need(listen(fd, 64), "listen");
}

static void open_services(void)
{
	struct sockaddr_un named = {.sun_family = AF_UNIX, .sun_path = PROBE_SOCKET};
	struct sockaddr_un abstract = {.sun_family = AF_UNIX};
	struct mq_attr shape = {.mq_maxmsg = 1, .mq_msgsize = 8};
	size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(PROBE_ABSTRACT);
	int shared;

	listen_tcp();
	unlink(PROBE_SOCKET);
	listen_unix(SOCK_STREAM, &named, sizeof(named));
	memcpy(abstract.sun_path + 1, PROBE_ABSTRACT, strlen(PROBE_ABSTRACT));
	listen_unix(SOCK_STREAM, &abstract, size);
	listen_unix(SOCK_SEQPACKET, &abstract, size);
	need(mq_open(PROBE_QUEUE, O_RDWR | O_CREAT, 0666, &shape), "mq_open");
	shared = shmget(PROBE_SHARED_KEY, 4096, IPC_CREAT | 0666);
	need(shared, "shmget");
	/* Marked, it goes with the last who has it attached. */
	if (shmat(shared, NULL, 0) == (void *)-1)
		err(EXIT_FAILURE, "shmat");
}

static pid_t start_bystander(uid_t user)
{
	pid_t pid = fork();

	need(pid, "fork");
	if (pid > 0)
		return pid;
	need(setresgid(user, user, user), "setresgid");
	need(setresuid(user, user, user), "setresuid");
	/* As easy a prey as can be: what the change of user forbids, it allows. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		pause();
}

/* Where nothing controls this process: else the session's own terminal would be the operator's. */
static void open_terminal(struct outside *outside)
{
	outside->terminal_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	need(outside->terminal_master, "posix_openpt");
	need(unlockpt(outside->terminal_master), "unlockpt");
	outside->terminal = open(ptsname(outside->terminal_master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	need(outside->terminal, "terminal");
	signal(SIGHUP, SIG_IGN);
	need(ioctl(outside->terminal, TIOCSCTTY, 0), "TIOCSCTTY");
}

void outside_open(struct outside *outside)
{
	umask(0);
	need(getsid(0) == getpid() ? 0 : setsid(), "setsid");
	load_configuration(outside);
	open_services();
	outside->link = (int)if_nametoindex(PROBE_LINK);
	if (outside->link == 0)
		err(EXIT_FAILURE, PROBE_LINK);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		outside->bystanders[role] = start_bystander(USER_OF(role));
	open_terminal(outside);
}

void outside_close(struct outside *outside)
{
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		kill(outside->bystanders[role], SIGKILL);
		waitpid(outside->bystanders[role], NULL, 0);
	}
	mq_unlink(PROBE_QUEUE);
	shmctl(shmget(PROBE_SHARED_KEY, 0, 0), IPC_RMID, NULL);
	unlink(PROBE_SOCKET);
	unlink(PROBE_CONFIGURATION);
	rmdir("/run/pullgate-probe");
}
