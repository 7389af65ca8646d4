/* SPDX-License-Identifier: ISC */
/* A network namespace with a name server (RFC 1035). */
#include "name_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUESTION_BYTES_MAX 512
#define ANSWER_BYTES_MAX   (QUESTION_BYTES_MAX + 128)
#define HEADER_BYTES       12

#define TYPE_A    1
#define TYPE_AAAA 28

#define FLAGS_RESPONSE  0x8180
#define FLAGS_TRUNCATED 0x8380
#define FLAGS_NO_NAME   0x8183

static int bring_up_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		error = -errno;
	close(fd);
	return error;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = -EIO;
	close(fd);
	return error;
}

static int make_etc(void)
{
	int error;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("etc", "/etc", "tmpfs", 0, "mode=755") != 0)
		return -errno;
	umask(0022);
	error = write_file("/etc/nsswitch.conf", "hosts: files dns\n");
	if (error == 0)
		error = write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n");
	if (error == 0)
		error = write_file("/etc/hosts", "127.0.0.1 localhost\n192.0.2.7 listed.example\n");
	return error;
}

static int open_server(int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		(type == SOCK_STREAM && listen(fd, 8) != 0))
		return -errno;
	return fd;
}

static void put_16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Appends one address record for the question's name. */
static size_t put_address(uint8_t *to, uint8_t type, uint8_t last)
{
	uint8_t length = type == TYPE_A ? 4 : 16;

	memset(to, 0, 12U + length);
	put_16(to, 0xc000 | HEADER_BYTES);
	to[3] = type;
	to[5] = 1;  /* class Internet */
	to[9] = 60; /* seconds */
	to[11] = length;
	to[12] = type == TYPE_A ? 127 : 0x20;
	to[11 + length] = last;
	return 12U + length;
}

/* Length of the answer, 0 when the question is none. */
static size_t answer(uint8_t *to, const uint8_t *question, size_t length, bool by_tcp)
{
	size_t end = HEADER_BYTES;
	uint8_t type;
	bool none, truncated;

	while (end < length && question[end] != 0)
		end += 1U + question[end];
	if (end + 5 > length)
		return 0;
	type = question[end + 2];
	end += 5;
	none = memcmp(question + HEADER_BYTES, "\4none", 5) == 0;
	truncated = memcmp(question + HEADER_BYTES, "\3big", 4) == 0 && !by_tcp;
	memcpy(to, question, end);
	memset(to + 6, 0, 6);
	put_16(to + 2, none ? FLAGS_NO_NAME : truncated ? FLAGS_TRUNCATED : FLAGS_RESPONSE);
	if (none || truncated || (type != TYPE_A && type != TYPE_AAAA))
		return end;
	put_16(to + 6, 2);
	end += put_address(to + end, type, 1);
	return end + put_address(to + end, type, 2);
}

static void serve_datagram(int fd)
{
	uint8_t question[QUESTION_BYTES_MAX], reply[ANSWER_BYTES_MAX];
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	ssize_t length = recvfrom(fd, question, sizeof(question), 0, (void *)&client, &size);

	if (length > 0)
		sendto(fd, reply, answer(reply, question, (size_t)length, false), 0,
			(void *)&client, size);
}

static void serve_connection(int listening)
{
	uint8_t prefix[2], question[QUESTION_BYTES_MAX], reply[2 + ANSWER_BYTES_MAX];
	int fd = accept(listening, NULL, NULL);

	while (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
		size_t length = (size_t)prefix[0] << 8 | prefix[1];

		if (length > sizeof(question) ||
			recv(fd, question, length, MSG_WAITALL) != (ssize_t)length)
			break;
		length = answer(reply + 2, question, length, true);
		put_16(reply, (unsigned)length);
		send(fd, reply, 2 + length, MSG_NOSIGNAL);
	}
	close(fd);
}

/* Ends when nobody holds the other end of lifeline any more. */
_Noreturn static void serve(int datagrams, int connections, int lifeline)
{
	struct pollfd set[] = {{.fd = datagrams, .events = POLLIN},
		{.fd = connections, .events = POLLIN}, {.fd = lifeline}};

	for (;;) {
		if (poll(set, 3, -1) < 0 || set[2].revents != 0)
			_exit(1);
		if (set[0].revents != 0)
			serve_datagram(datagrams);
		if (set[1].revents != 0)
			serve_connection(connections);
	}
}

/* Leaves one descriptor open in the caller, whose end ends the server. */
static int start_server(int datagrams, int connections)
{
	int lifeline[2];
	pid_t child;

	if (pipe2(lifeline, O_CLOEXEC) != 0)
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		close(lifeline[1]);
		if (dup2(STDIN_FILENO, STDOUT_FILENO) < 0 || dup2(STDIN_FILENO, STDERR_FILENO) < 0)
			_exit(1);
		serve(datagrams, connections, lifeline[0]);
	}
	close(lifeline[0]);
	return 0;
}

int name_server_start(void)
{
	int error, datagrams, connections;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
		return -errno;
	error = bring_up_loopback();
	if (error == 0)
		error = make_etc();
	if (error != 0)
		return error;
	datagrams = open_server(SOCK_DGRAM);
	connections = open_server(SOCK_STREAM);
	if (datagrams < 0 || connections < 0)
		return -EADDRINUSE;
	error = start_server(datagrams, connections);
	close(datagrams);
	close(connections);
	return error;
}
