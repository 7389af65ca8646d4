/* SPDX-License-Identifier: ISC */
/*
 * getaddrinfo in the connector's sandbox, with a name server of the test's own: it is libc's, and
 * with every version of libc it may need other system calls.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"
#include "name_server.h"

struct question {
	const char *name;
	int family;
	int error;          /* getaddrinfo's */
	const char *answer; /* one address that must be among them, or NULL */
	const char *resolv_conf;
};

static int prepare(const void *argument)
{
	const struct question *question = argument;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	int fd, error = name_server_start();

	if (error != 0)
		return error;
	if (question->resolv_conf != NULL) {
		fd = open("/etc/resolv.conf", O_WRONLY | O_TRUNC | O_CLOEXEC);
		if (fd < 0 || write(fd, question->resolv_conf, strlen(question->resolv_conf)) < 0)
			return -EIO;
		close(fd);
	}
	/* As the connector does, so that what is loaded once is loaded. */
	if (getaddrinfo("localhost", "1", &hints, &found) == 0)
		freeaddrinfo(found);
	return 0;
}

static int has_address(const struct addrinfo *found, const char *wanted)
{
	char text[INET6_ADDRSTRLEN];

	for (; found != NULL; found = found->ai_next) {
		if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
			    NI_NUMERICHOST) == 0 &&
			strcmp(text, wanted) == 0)
			return 1;
	}
	return 0;
}

/* Twice: the second time some is in memory and other is not. */
static int resolve(const void *argument)
{
	const struct question *question = argument;
	struct addrinfo hints = {.ai_family = question->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV};

	for (int i = 0; i < 2; i++) {
		struct addrinfo *found = NULL;
		int error = getaddrinfo(question->name, "443", &hints, &found);

		if (error != question->error) {
			dprintf(2, "getaddrinfo says %d\n", error);
			return 1;
		}
		if (error == 0 && question->answer != NULL && !has_address(found, question->answer))
			return 2;
		if (error == 0)
			freeaddrinfo(found);
	}
	return 0;
}

/* Skips where namespaces can't be made. */
static void ask(const struct question *question, cell_function *work)
{
	struct cell cell =
		cell_open_as(ROLE_CONNECTOR, CELL_USER, CELL_GROUP, prepare, work, question);
	char log[4096];
	int status = cell_close(&cell, log, sizeof(log));

	if (WIFEXITED(status) && WEXITSTATUS(status) == 101) {
		print_message("skipped: no network or mount namespace can be made here\n");
		skip();
	}
	if (status != 0)
		fail_msg("%s: status %x: %s", question->name, (unsigned)status, log);
}

static void test_resolves(void **state)
{
	static const struct question questions[] = {
		{"host.example", AF_UNSPEC, 0, "127.0.0.1", NULL},
		{"host.example", AF_UNSPEC, 0, "2000::2", NULL},
		{"host.example", AF_INET, 0, "127.0.0.2", NULL},
		{"host.example", AF_INET6, 0, "2000::1", NULL},
		{"listed.example", AF_UNSPEC, 0, "192.0.2.7", NULL},
		{"127.0.0.9", AF_UNSPEC, 0, "127.0.0.9", NULL},
		{"::1", AF_UNSPEC, 0, "::1", NULL},
	};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		ask(&questions[i], resolve);
}

static void test_truncated_goes_by_tcp(void **state)
{
	static const struct question question = {"big.example", AF_UNSPEC, 0, "127.0.0.1", NULL};

	(void)state;
	cell_need_root();
	ask(&question, resolve);
}

static void test_no_such_name(void **state)
{
	static const struct question question = {"none.example", AF_UNSPEC, EAI_NONAME, NULL, NULL};

	(void)state;
	cell_need_root();
	ask(&question, resolve);
}

/* Refused at once, thanks to IP_RECVERR; by IPv6 too. */
static void test_no_name_server(void **state)
{
	static const struct question questions[] = {
		{"host.example", AF_UNSPEC, EAI_AGAIN, NULL, "nameserver 127.0.0.77\n"},
		{"host.example", AF_UNSPEC, EAI_AGAIN, NULL, "nameserver ::1\n"},
		{"host.example", AF_UNSPEC, 0, "127.0.0.1",
			"nameserver 127.0.0.77\nnameserver 127.0.0.1\noptions timeout:1\n"},
		{"host.example", AF_UNSPEC, 0, "127.0.0.1",
			"nameserver 127.0.0.1\noptions single-request rotate edns0 trust-ad\n"},
		{"host", AF_UNSPEC, 0, "127.0.0.1",
			"nameserver 127.0.0.1\nsearch none.example example\noptions use-vc\n"},
	};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		ask(&questions[i], resolve);
}

/* Connects to the name server's TCP side as if it were the origin. */
static int connect_to_origin(const void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
	socklen_t size = sizeof(one);

	(void)argument;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		return 1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS)
		return 2;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &one, &size) != 0 || one != 0)
		return 3;
	return close(fd);
}

static void test_connects(void **state)
{
	static const struct question question = {.name = "origin"};

	(void)state;
	cell_need_root();
	ask(&question, connect_to_origin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolves),
		cmocka_unit_test(test_truncated_goes_by_tcp),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_no_name_server),
		cmocka_unit_test(test_connects),
	};

	return cmocka_run_group_tests_name("sandbox: resolver", tests, NULL, NULL);
}
