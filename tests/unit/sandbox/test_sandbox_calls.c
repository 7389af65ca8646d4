/* SPDX-License-Identifier: ISC */
/* What each role's filter lets through, and what it kills for: one process an attempt. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"
#include "sandbox/calls.h"

#define CAPTURE   (1U << ROLE_CAPTURE)
#define FETCHER   (1U << ROLE_FETCHER)
#define CONNECTOR (1U << ROLE_CONNECTOR)
#define INSTALLER (1U << ROLE_INSTALLER)
#define EVERY     (CAPTURE | FETCHER | CONNECTOR | INSTALLER)

static bool killed_by_filter(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/* ---- what is allowed works ---- */

static int on_channel(const void *argument, int (*try)(int fd))
{
	enum role role = *(const enum role *)argument;
	int error = 0;

	for (enum role peer = ROLE_CAPTURE; peer < ROLE_COUNT && error == 0; peer++) {
		if (role_linked(role, peer))
			error = try(FD_CHANNEL(peer));
	}
	return error;
}

static int greeted(ssize_t length, const char *text)
{
	size_t expected = strlen(CELL_GREETING);

	return length == (ssize_t)expected && memcmp(text, CELL_GREETING, expected) == 0 ? 0 : 1;
}

static int receive_on(int fd)
{
	char text[64];

	return greeted(recv(fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC), text);
}

static int receive_from_channels(const void *argument)
{
	return on_channel(argument, receive_on);
}

static int receive_with_descriptor_on(int fd)
{
	char text[64];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	return greeted(recvmsg(fd, &header, MSG_DONTWAIT), text);
}

static int receive_socket_from_connector(const void *argument)
{
	(void)argument;
	return receive_with_descriptor_on(FD_CHANNEL(ROLE_CONNECTOR));
}

/* The greeting on the control channel is gone by now. */
static int receive_from_supervisor(const void *argument)
{
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	(void)argument;
	return recvmsg(FD_CONTROL, &header, MSG_DONTWAIT) < 0 && errno == EAGAIN ? 0 : 1;
}

static int send_on(int fd)
{
	return send(fd, "hello", 5, MSG_DONTWAIT | MSG_NOSIGNAL) == 5 ? 0 : 1;
}

static int send_to_supervisor(const void *argument)
{
	(void)argument;
	return send_on(FD_CONTROL);
}

static int send_to_fetcher(const void *argument)
{
	(void)argument;
	return send_on(FD_CHANNEL(ROLE_FETCHER));
}

static int send_to_installer(const void *argument)
{
	(void)argument;
	return send_on(FD_CHANNEL(ROLE_INSTALLER));
}

static int send_to_capture(const void *argument)
{
	(void)argument;
	return send_on(FD_CHANNEL(ROLE_CAPTURE));
}

static int send_to_connector(const void *argument)
{
	(void)argument;
	return send_on(FD_CHANNEL(ROLE_CONNECTOR));
}

static int send_socket_to_fetcher(const void *argument)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = (char[]){"hello"}, .iov_len = 5};
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)argument;
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return sendmsg(FD_CHANNEL(ROLE_FETCHER), &header, MSG_DONTWAIT) == 5 ? close(fd) : 1;
}

static int write_log(const void *argument)
{
	(void)argument;
	return write(STDERR_FILENO, "", 0) == 0 ? 0 : 1;
}

static int read_clock(const void *argument)
{
	struct timespec now;

	(void)argument;
	return (int)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
}

#if !defined(PULLGATE_ADDRESS_SANITIZER) /* malloc and exit are its own there */
static int use_memory(const void *argument)
{
	size_t sizes[] = {100, 100000, 1000000, 50000000};
	char *blocks[4];

	(void)argument;
	for (size_t i = 0; i < 4; i++) {
		blocks[i] = malloc(sizes[i]);
		if (blocks[i] == NULL)
			return 1;
		memset(blocks[i], 1, sizes[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		blocks[i] = realloc(blocks[i], 2 * sizes[i]);
		if (blocks[i] == NULL)
			return 2;
		memset(blocks[i], 2, 2 * sizes[i]);
	}
	for (size_t i = 0; i < 4; i++)
		free(blocks[i]);
	return 0;
}

/* malloc says no and the process lives: small blocks take it through its last resorts. */
static int exhaust_memory(const void *argument)
{
	struct block {
		struct block *next;
		char filling[100000];
	} *blocks = NULL, *block;

	(void)argument;
	while ((block = malloc(sizeof(*block))) != NULL) {
		block->next = blocks;
		blocks = block;
	}
	while (blocks != NULL) {
		block = blocks->next;
		free(blocks);
		blocks = block;
	}
	return errno == ENOMEM ? 0 : 1;
}

static int leave_by_exit(const void *argument)
{
	(void)argument;
	exit(0);
}
#endif

static int receive_packets(const void *argument)
{
	char text[64];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
	struct mmsghdr packet = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	(void)argument;
	if (recvmmsg(FD_PACKET, &packet, 1, MSG_DONTWAIT, NULL) != 1)
		return 2;
	return greeted((ssize_t)packet.msg_len, text);
}

/* A descriptor that came over the control channel has the first free number. */
static int renew_channel(const void *argument)
{
	enum role role = *(const enum role *)argument;
	int error = 0;

	for (enum role peer = ROLE_CAPTURE; peer < ROLE_COUNT && error == 0; peer++) {
		if (role_linked(role, peer))
			error = dup3(FD_INHERITED_END, FD_CHANNEL(peer), O_CLOEXEC) < 0;
	}
	return close(FD_INHERITED_END) == 0 ? error : 2;
}

static int prepare_renewal(const void *argument)
{
	(void)argument;
	if (fcntl(FD_INHERITED_END, F_GETFD) >= 0)
		return 0;
	return fcntl(FD_CONTROL, F_DUPFD_CLOEXEC, FD_INHERITED_END) == FD_INHERITED_END ? 0 : 1;
}

static int write_cache(const void *argument)
{
	static const int files[] = {FD_CACHE, FD_CACHE_LOG};
	char byte;

	(void)argument;
	for (size_t i = 0; i < 2; i++) {
		if (pwrite(files[i], "x", 1, 4096) != 1 || fdatasync(files[i]) != 0)
			return 1;
		if (pread(files[i], &byte, 1, 4096) != 1 || byte != 'x')
			return 2;
		if (lseek(files[i], 0, SEEK_END) != 4097 || ftruncate(files[i], 0) != 0)
			return 3;
	}
	return 0;
}

/* The error of a write behind the limit; its signal would end it. */
static int overfill_cache(const void *argument)
{
	(void)argument;
	if (pwrite(FD_CACHE, "x", 1, (off_t)CACHE_FILE_BYTES_MAX - 1) != 1)
		return 1;
	return pwrite(FD_CACHE, "x", 1, (off_t)CACHE_FILE_BYTES_MAX) < 0 && errno == EFBIG ? 0 : 2;
}

static int ignore_file_signal(const void *argument)
{
	(void)argument;
	return signal(SIGXFSZ, SIG_IGN) == SIG_ERR;
}

static int ask_netlink(const void *argument)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {.header = {.nlmsg_len = sizeof(request),
			     .nlmsg_type = RTM_GETLINK,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	char answer[8192];
	struct iovec part = {.iov_base = &request, .iov_len = sizeof(request)};
	struct msghdr header = {.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = &part,
		.msg_iovlen = 1};

	(void)argument;
	if (sendmsg(CELL_NETLINK, &header, 0) != sizeof(request))
		return 1;
	part = (struct iovec){.iov_base = answer, .iov_len = sizeof(answer)};
	if (recvmsg(CELL_NETLINK, &header, 0) <= 0)
		return 2;
	return ((struct nlmsghdr *)(void *)answer)->nlmsg_type == RTM_NEWLINK ? 0 : 3;
}

static int replay(const void *argument)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};

	(void)argument;
	if (sendto(FD_REPLAY_IPV4, "x", 1, MSG_DONTWAIT, (void *)&ipv4, sizeof(ipv4)) != 1)
		return 1;
	sendto(FD_REPLAY_IPV6, "x", 1, MSG_DONTWAIT, (void *)&ipv6, sizeof(ipv6));
	return 0; /* a machine without IPv6 may say no, but the filter didn't */
}

static const struct {
	const char *name;
	unsigned roles;
	cell_function *prepare, *work;
} allowed[] = {
	{"receive from channels", EVERY, NULL, receive_from_channels},
	{"receive from supervisor", EVERY, NULL, receive_from_supervisor},
	{"receive a socket", FETCHER, NULL, receive_socket_from_connector},
	{"send to supervisor", EVERY, NULL, send_to_supervisor},
	{"send to capture", INSTALLER, NULL, send_to_capture},
	{"send to fetcher", CAPTURE | CONNECTOR | INSTALLER, NULL, send_to_fetcher},
	{"send a socket", CONNECTOR, NULL, send_socket_to_fetcher},
	{"send to connector", FETCHER, NULL, send_to_connector},
	{"send to installer", CAPTURE | FETCHER, NULL, send_to_installer},
	{"log", EVERY, NULL, write_log},
	{"clock", EVERY, NULL, read_clock},
	{"receive packets", CAPTURE, NULL, receive_packets},
	{"renew channels", EVERY, prepare_renewal, renew_channel},
	{"cache", FETCHER, NULL, write_cache},
	{"cache at its limit", FETCHER, ignore_file_signal, overfill_cache},
	{"netlink", INSTALLER, NULL, ask_netlink},
	{"replay", INSTALLER, NULL, replay},
#if !defined(PULLGATE_ADDRESS_SANITIZER)
	{"memory", EVERY, NULL, use_memory},
	{"exit", EVERY, NULL, leave_by_exit},
	{"memory used up", EVERY, NULL, exhaust_memory},
#endif
};

static void test_allowed(void **state)
{
	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
			struct cell cell;
			char log[4096];
			int status;

			if ((allowed[i].roles & 1U << role) == 0)
				continue;
			cell = cell_open_as(role, CELL_USER, CELL_GROUP, allowed[i].prepare,
				allowed[i].work, &role);
			status = cell_close(&cell, log, sizeof(log));
			if (status != 0)
				fail_msg("%s, %s: status %x: %s", role_name(role), allowed[i].name,
					(unsigned)status, log);
		}
	}
}

/* ---- what is forbidden kills ---- */

struct attempt {
	const char *name;
	unsigned roles;
	long number;
	long arguments[6];
};

#define OTHER_HALF (1L << 32) /* the upper half of a register, which the kernel ignores */

static const struct attempt forbidden[] = {
	/* Other powers. */
	{"open", EVERY, SYS_openat, {AT_FDCWD, (long)"/dev/null", O_WRONLY}},
	{"open the old way", EVERY, SYS_open, {(long)"/etc/shadow", O_RDONLY}},
	{"create", EVERY, SYS_openat, {AT_FDCWD, (long)"/tmp/x", O_CREAT | O_WRONLY, 0600}},
	{"execve", EVERY, SYS_execve, {(long)"/bin/true"}},
	{"execveat", EVERY, SYS_execveat, {AT_FDCWD, (long)"/bin/true"}},
	{"fork", EVERY, SYS_fork, {0}},
	{"clone", EVERY, SYS_clone, {SIGCHLD}},
	{"clone3", EVERY, SYS_clone3, {0}},
	{"kill", EVERY, SYS_kill, {1, 0}},
	{"kill itself", EVERY, SYS_tgkill, {1, 1, 0}},
	{"ptrace", EVERY, SYS_ptrace, {PTRACE_TRACEME}},
	{"another's memory", EVERY, SYS_process_vm_readv, {1}},
	{"mount", EVERY, SYS_mount, {0}},
	{"unshare", EVERY, SYS_unshare, {CLONE_NEWUSER}},
	{"setns", EVERY, SYS_setns, {0}},
	{"chroot", EVERY, SYS_chroot, {(long)"/"}},
	{"setuid", EVERY, SYS_setuid, {0}},
	{"setresuid", EVERY, SYS_setresuid, {0, 0, 0}},
	{"setgid", EVERY, SYS_setgid, {0}},
	{"setgroups", EVERY, SYS_setgroups, {0}},
	{"capset", EVERY, SYS_capset, {0}},
	{"prctl", EVERY, SYS_prctl, {PR_SET_DUMPABLE, 1}},
	{"prlimit", EVERY, SYS_prlimit64, {0}},
	{"another filter", EVERY, SYS_seccomp, {0}},
	{"bpf", EVERY, SYS_bpf, {0}},
	{"io_uring", EVERY, SYS_io_uring_setup, {1}},
	{"perf", EVERY, SYS_perf_event_open, {0}},
	{"keyctl", EVERY, SYS_keyctl, {0}},
	{"userfaultfd", EVERY, SYS_userfaultfd, {0}},
	{"memfd", EVERY, SYS_memfd_create, {(long)"x"}},
	{"personality", EVERY, SYS_personality, {0x0400000}}, /* READ_IMPLIES_EXEC */
	{"read a file descriptor", CAPTURE | INSTALLER, SYS_read, {0}},
	{"write to standard output", EVERY, SYS_write, {1}},
	{"write to the control channel", EVERY, SYS_write, {FD_CONTROL}},
	{"another number of this ABI", EVERY, 0x40000000 | SYS_close, {0}}, /* x32 */

	/* Memory that can be run. */
	{"mmap to run", EVERY, SYS_mmap,
		{0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{"mmap to write and run", EVERY, SYS_mmap,
		{0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
	{"mmap a descriptor to write", EVERY, SYS_mmap,
		{0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, FD_TIMESTAMPS}},
	{"mmap a descriptor", EVERY, SYS_mmap, {0, 4096, PROT_READ, MAP_SHARED, FD_TIMESTAMPS}},
	{"mprotect to run", EVERY, SYS_mprotect, {0x10000, 4096, PROT_READ | PROT_EXEC}},
	{"mprotect to write", EVERY, SYS_mprotect, {0x10000, 4096, PROT_READ | PROT_WRITE}},
	{"pkey_mprotect", EVERY, SYS_pkey_mprotect, {0x10000, 4096, PROT_READ, -1}},
	{"mremap to a place", EVERY, SYS_mremap,
		{0x10000, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, 0x20000}},
	{"mlock", EVERY, SYS_mlock, {0x10000, 4096}},

	/* Sockets of its own. */
	{"socket", CAPTURE | FETCHER | INSTALLER, SYS_socket, {AF_INET, SOCK_STREAM}},
	{"Unix socket", CAPTURE | FETCHER | INSTALLER, SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"raw socket", EVERY, SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_RAW}},
	{"packet socket", EVERY, SYS_socket, {AF_PACKET, SOCK_RAW}},
	{"netlink socket", CAPTURE | FETCHER | INSTALLER, SYS_socket,
		{AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}},
	{"generic netlink socket", EVERY, SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},
	{"vsock", EVERY, SYS_socket, {40, SOCK_STREAM}},
	{"Bluetooth", EVERY, SYS_socket, {31, SOCK_RAW}},
	{"socketpair", EVERY, SYS_socketpair, {AF_UNIX, SOCK_STREAM}},
	{"connect", CAPTURE | FETCHER | INSTALLER, SYS_connect, {FD_CONTROL}},
	{"listen", EVERY, SYS_listen, {FD_CONTROL}},
	{"accept", EVERY, SYS_accept4, {FD_CONTROL}},

	/* The packet socket: received on by recvmmsg, and nothing else. */
	{"send frames", CAPTURE, SYS_sendto, {FD_PACKET, (long)"x", 1, 0, (long)"address", 8}},
	{"send frames unaddressed", CAPTURE, SYS_sendto, {FD_PACKET, (long)"x", 1}},
	{"send frames by sendmsg", CAPTURE, SYS_sendmsg, {FD_PACKET}},
	{"send frames by sendmmsg", CAPTURE, SYS_sendmmsg, {FD_PACKET}},
	{"send frames by write", CAPTURE, SYS_write, {FD_PACKET, (long)"x", 1}},
	{"send frames by writev", CAPTURE, SYS_writev, {FD_PACKET}},
	{"send frames, another half", CAPTURE, SYS_sendto, {FD_PACKET | OTHER_HALF, (long)"x", 1}},
	{"bind", EVERY, SYS_bind, {FD_PACKET}},
	{"promiscuous mode", CAPTURE, SYS_setsockopt, {FD_PACKET, SOL_PACKET}},
	{"interface flags", EVERY, SYS_ioctl, {FD_PACKET, 0x8914}},
	{"a byte waiting", CAPTURE | FETCHER | INSTALLER, SYS_ioctl, {FD_PACKET, FIONREAD}},
	{"recvfrom packets", CAPTURE, SYS_recvfrom, {FD_PACKET}},
	{"recvmsg packets", CAPTURE, SYS_recvmsg, {FD_PACKET}},
	{"recvmmsg elsewhere", CAPTURE, SYS_recvmmsg, {FD_CONTROL}},
	{"packet socket as channel", CAPTURE, SYS_dup3,
		{FD_PACKET, FD_CHANNEL(ROLE_FETCHER), O_CLOEXEC}},
	{"packet socket as channel, another half", CAPTURE, SYS_dup3,
		{FD_PACKET | OTHER_HALF, FD_CHANNEL(ROLE_FETCHER), O_CLOEXEC}},
	{"packet socket by dup", EVERY, SYS_dup, {FD_PACKET}},
	{"packet socket by dup2", EVERY, SYS_dup2, {FD_PACKET, FD_CHANNEL(ROLE_FETCHER)}},
	{"packet socket by fcntl", EVERY, SYS_fcntl, {FD_PACKET, F_DUPFD, 0}},

	/* The channels: each its way. */
	{"an address on a channel", CAPTURE | CONNECTOR | INSTALLER, SYS_sendto,
		{FD_CHANNEL(ROLE_FETCHER), (long)"x", 1, 0, (long)"address", 8}},
	{"an address on a socket", FETCHER, SYS_sendto,
		{FD_INHERITED_END, (long)"x", 1, 0, (long)"address", 8}},
	{"an address to the supervisor", EVERY, SYS_sendto,
		{FD_CONTROL, (long)"x", 1, 0, (long)"address", 8}},
	{"a descriptor to the supervisor", EVERY, SYS_sendmsg, {FD_CONTROL}},
	{"a descriptor to capture", EVERY, SYS_sendmsg, {FD_CHANNEL(ROLE_CAPTURE)}},
	{"a descriptor to installer", EVERY, SYS_sendmsg, {FD_CHANNEL(ROLE_INSTALLER)}},
	{"a descriptor to fetcher", CAPTURE | FETCHER | INSTALLER, SYS_sendmsg,
		{FD_CHANNEL(ROLE_FETCHER)}},
	{"a descriptor from capture", CAPTURE | FETCHER | INSTALLER, SYS_recvmsg,
		{FD_CHANNEL(ROLE_CAPTURE)}},
	{"a descriptor from fetcher", CAPTURE | FETCHER | INSTALLER, SYS_recvmsg,
		{FD_CHANNEL(ROLE_FETCHER)}},
	{"a descriptor from installer", CAPTURE | FETCHER | INSTALLER, SYS_recvmsg,
		{FD_CHANNEL(ROLE_INSTALLER)}},
	{"installer to connector", INSTALLER, SYS_sendto,
		{FD_CHANNEL(ROLE_CONNECTOR), (long)"x", 1}},
	{"another control channel", EVERY, SYS_dup3, {FD_INHERITED_END, FD_CONTROL, O_CLOEXEC}},
	{"another packet socket", EVERY, SYS_dup3, {FD_INHERITED_END, FD_PACKET, O_CLOEXEC}},
	{"another standard error", EVERY, SYS_dup3, {FD_INHERITED_END, 2, O_CLOEXEC}},
	{"a channel across exec", EVERY, SYS_dup3, {FD_INHERITED_END, FD_CHANNEL(ROLE_FETCHER), 0}},
	{"who is the peer", CAPTURE | INSTALLER, SYS_getsockopt,
		{FD_CONTROL, SOL_SOCKET, SO_PEERCRED}},
	{"who is the peer", FETCHER | CONNECTOR, SYS_getsockopt,
		{FD_CONTROL, SOL_SOCKET, SO_PEERCRED}},

	/* Installer: its sockets, each its way. */
	{"replay by sendmsg", INSTALLER, SYS_sendmsg, {FD_REPLAY_IPV4}},
	{"receive from the raw socket", INSTALLER, SYS_recvfrom, {FD_REPLAY_IPV4}},
	{"raw socket's options", INSTALLER, SYS_setsockopt, {FD_REPLAY_IPV4}},
	{"netlink group", INSTALLER, SYS_setsockopt, {CELL_NETLINK, SOL_NETLINK}},
	{"sendmsg on what comes later", INSTALLER, SYS_sendmsg, {FD_INHERITED_END + 4}},

	/* Fetcher: the cache's files, and no other. */
	{"write elsewhere", FETCHER, SYS_pwrite64, {2, (long)"x", 1, 0}},
	{"write what comes later", FETCHER, SYS_pwrite64, {FD_INHERITED_END, (long)"x", 1, 0}},
	{"write elsewhere, another half", FETCHER, SYS_pwrite64, {2 | OTHER_HALF, (long)"x", 1, 0}},
	{"write at the file's place", FETCHER, SYS_write, {FD_CACHE, (long)"x", 1}},
	{"truncate what comes later", FETCHER, SYS_ftruncate, {FD_INHERITED_END, 0}},
	{"flush what comes later", FETCHER, SYS_fdatasync, {FD_INHERITED_END}},
	{"move in what comes later", FETCHER, SYS_lseek, {FD_INHERITED_END, 0, SEEK_END}},
	{"move in the cache", FETCHER, SYS_lseek, {FD_CACHE, 0, SEEK_SET}},
	{"reserve room", FETCHER, SYS_fallocate, {FD_CACHE, 0, 0, 4096}},
	{"the cache's mode", FETCHER, SYS_fchmod, {FD_CACHE, 0666}},
	{"the cache's lock", FETCHER, SYS_flock, {FD_CACHE, 8}},
	{"write a file", CAPTURE | CONNECTOR | INSTALLER, SYS_pwrite64,
		{FD_CACHE, (long)"x", 1, 0}},

	/* Fetcher and connector: only the options that they set. */
	{"mark packets", CONNECTOR, SYS_setsockopt, {FD_INHERITED_END, SOL_SOCKET, SO_MARK}},
	{"bind to a device", CONNECTOR, SYS_setsockopt,
		{FD_INHERITED_END, SOL_SOCKET, SO_BINDTODEVICE}},
	{"another congestion control", CONNECTOR, SYS_setsockopt,
		{FD_INHERITED_END, IPPROTO_TCP, TCP_CONGESTION}},
	{"be another host", CONNECTOR, SYS_setsockopt,
		{FD_INHERITED_END, IPPROTO_IP, IP_TRANSPARENT}},
	{"be another host by IPv6", CONNECTOR, SYS_setsockopt,
		{FD_INHERITED_END, IPPROTO_IPV6, IPV6_TRANSPARENT}},
	{"bind an Internet address", CONNECTOR, SYS_bind,
		{FD_INHERITED_END, 0, sizeof(struct sockaddr_in)}},
	{"open to write", CONNECTOR, SYS_openat,
		{AT_FDCWD, (long)"/etc/hosts", O_RDWR | O_CLOEXEC}},
	{"open in a directory", CONNECTOR, SYS_openat,
		{FD_CONTROL, (long)"hosts", O_RDONLY | O_CLOEXEC}},
	{"mark packets", FETCHER, SYS_setsockopt, {FD_INHERITED_END, SOL_SOCKET, SO_MARK}},
	{"bind to a device", FETCHER, SYS_setsockopt, {FD_INHERITED_END, SOL_SOCKET, 25}},
	{"another congestion control", FETCHER, SYS_setsockopt,
		{FD_INHERITED_END, IPPROTO_TCP, TCP_CONGESTION}},
	{"as many datagrams as it likes", CONNECTOR, SYS_sendmmsg,
		{FD_INHERITED_END, 0, 1024, MSG_NOSIGNAL}},
	{"signals when data comes", FETCHER, SYS_fcntl,
		{FD_INHERITED_END, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC}},
	{"signals from a socket", FETCHER, SYS_fcntl, {FD_INHERITED_END, F_SETOWN, 1}},
	{"futex wait", FETCHER | CONNECTOR, SYS_futex, {0, FUTEX_WAIT_PRIVATE}},
	{"thread's name", FETCHER, SYS_prctl, {PR_SET_NAME, (long)"x"}},
};

static int try_call(const void *argument)
{
	const struct attempt *attempt = argument;
	const long *with = attempt->arguments;

	syscall(attempt->number, with[0], with[1], with[2], with[3], with[4], with[5]);
	return 1;
}

static void test_forbidden(void **state)
{
	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
			int status;

			if ((forbidden[i].roles & 1U << role) == 0)
				continue;
			status = cell_run(role, try_call, &forbidden[i]);
			if (!killed_by_filter(status))
				fail_msg("%s, %s: not killed by the filter (status %x)",
					role_name(role), forbidden[i].name, (unsigned)status);
		}
	}
}

#if defined(__x86_64__)
static int call_as_32_bit(const void *argument)
{
	long result = 6; /* close(2) there, lstat(2) here */

	(void)argument;
	__asm__ volatile("int $0x80" : "+a"(result) : "b"(0L) : "memory");
	return 1;
}

/* A kernel without 32-bit calls answers with SIGSEGV. */
static void test_other_architecture(void **state)
{
	(void)state;
	cell_need_root();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		int status = cell_run(role, call_as_32_bit, NULL);

		assert_true(killed_by_filter(status) ||
			    (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
	}
}
#endif

/* ---- the filter is the table ---- */

static bool listed_without_conditions(const struct call_list *list, long number)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->calls[i].number == number && list->calls[i].conditions[0].op == 0)
			return true;
	}
	return false;
}

/*
 * The kernel's own trampolines of user probes, which it hides from filters since 6.14 (kernel's
 * kernel/seccomp.c) and answers itself: useless to anyone else.
 */
static bool never_filtered(long number)
{
#if defined(__x86_64__)
	return number == 335 || number == 336;
#else
	(void)number;
	return false;
#endif
}

/* Every number that a kernel of these years has, with arguments that no condition admits. */
static void test_every_number(void **state)
{
	(void)state;
	cell_need_root();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		for (long number = 0; number < 512; number++) {
			struct attempt attempt = {"", 0, number, {-1, -1, -1, -1, -1, -1}};
			bool expected = listed_without_conditions(&calls_every_process, number) ||
					listed_without_conditions(calls_of_role(role), number);
			int status;

			if (never_filtered(number))
				continue;
			status = cell_run(role, try_call, &attempt);
			if (killed_by_filter(status) == expected)
				fail_msg("%s: call %ld is %slisted, status %x", role_name(role),
					number, expected ? "" : "not ", (unsigned)status);
		}
	}
}

static void assert_reasons(const struct call_list *list)
{
	assert_true(list->count > 0);
	for (size_t i = 0; i < list->count; i++) {
		assert_non_null(list->calls[i].reason);
		assert_true(strlen(list->calls[i].reason) > 0);
	}
}

static void test_every_call_has_a_reason(void **state)
{
	(void)state;
	assert_reasons(&calls_every_process);
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		assert_reasons(calls_of_role(role));
	assert_reasons(&calls_fetcher_files);
	assert_int_equal(calls_of_role(ROLE_SUPERVISOR)->count, 0);
}

/* ---- stopped and continued ---- */

static int wait_for_word(const void *argument)
{
	struct pollfd control = {.fd = FD_CONTROL, .events = POLLIN};

	(void)argument;
	if (send(FD_CONTROL, "ready", 5, 0) != 5)
		return 1;
	return poll(&control, 1, 60000) == 1 ? 0 : 2;
}

static char state_of(pid_t pid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
	fclose(file);
	return state;
}

static void wait_for_state(pid_t pid, char state)
{
	while (state_of(pid) != state)
		usleep(1000);
}

static void test_stopped_and_continued(void **state)
{
	(void)state;
	cell_need_root();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		struct cell cell = cell_open(role, wait_for_word, NULL);
		char text[64];

		assert_int_equal(recv(cell.outside[FD_CONTROL], text, sizeof(text), 0), 5);
		wait_for_state(cell.pid, 'S');
		assert_int_equal(kill(cell.pid, SIGSTOP), 0);
		wait_for_state(cell.pid, 'T');
		assert_int_equal(kill(cell.pid, SIGCONT), 0);
		/* Back in poll, by restart_syscall, or dead of it: 'Z'. */
		while (state_of(cell.pid) == 'T' || state_of(cell.pid) == 'R')
			usleep(1000);
		send(cell.outside[FD_CONTROL], "go", 2, MSG_NOSIGNAL);
		assert_int_equal(cell_close(&cell, text, sizeof(text)), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_forbidden),
#if defined(__x86_64__)
		cmocka_unit_test(test_other_architecture),
#endif
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_every_call_has_a_reason),
		cmocka_unit_test(test_stopped_and_continued),
	};

	return cmocka_run_group_tests_name("sandbox: calls", tests, NULL, NULL);
}
