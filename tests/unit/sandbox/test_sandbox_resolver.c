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
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"
#include "connector/addresses.h"
#include "name_server.h"

struct question {
	const char *name;
	int family;
	int error;                               /* getaddrinfo's */
	const char *answer;                      /* one address that must be among them, or NULL */
	const char *resolv_conf, *nsswitch_conf; /* or NULL */
	bool is_first; /* nothing was resolved before the sandbox closed */
};

/* In place of one of the name server's own; none when text is NULL. */
static int replace_file(const char *path, const char *text)
{
	int fd, error = 0;

	if (text == NULL)
		return 0;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		error = -EIO;
	close(fd);
	return error;
}

static int prepare(const void *argument)
{
	const struct question *question = argument;
	int error = name_server_start();

	if (error == 0)
		error = replace_file("/etc/resolv.conf", question->resolv_conf);
	if (error == 0)
		error = replace_file("/etc/nsswitch.conf", question->nsswitch_conf);
	if (!question->is_first)
		addresses_open();
	return error;
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
		{"host.example", AF_UNSPEC, 0, "127.0.0.1", NULL, NULL, false},
		{"host.example", AF_UNSPEC, 0, "2000::2", NULL, NULL, false},
		{"host.example", AF_INET, 0, "127.0.0.2", NULL, NULL, false},
		{"host.example", AF_INET6, 0, "2000::1", NULL, NULL, false},
		{"listed.example", AF_UNSPEC, 0, "192.0.2.7", NULL, NULL, false},
		{"127.0.0.9", AF_UNSPEC, 0, "127.0.0.9", NULL, NULL, false},
		{"::1", AF_UNSPEC, 0, "::1", NULL, NULL, false},
	};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		ask(&questions[i], resolve);
}

static void test_truncated_goes_by_tcp(void **state)
{
	static const struct question question = {
		"big.example", AF_UNSPEC, 0, "127.0.0.1", NULL, NULL, false};

	(void)state;
	cell_need_root();
	ask(&question, resolve);
}

static void test_no_such_name(void **state)
{
	static const struct question question = {
		"none.example", AF_UNSPEC, EAI_NONAME, NULL, NULL, NULL, false};

	(void)state;
	cell_need_root();
	ask(&question, resolve);
}

/* Refused at once, thanks to IP_RECVERR; by IPv6 too. */
static void test_no_name_server(void **state)
{
	static const struct question questions[] = {
		{"host.example", AF_UNSPEC, EAI_AGAIN, NULL, "nameserver 127.0.0.77\n", NULL,
			false},
		{"host.example", AF_UNSPEC, EAI_AGAIN, NULL, "nameserver ::1\n", NULL, false},
		{"host.example", AF_UNSPEC, 0, "127.0.0.1",
			"nameserver 127.0.0.77\nnameserver 127.0.0.1\noptions timeout:1\n", NULL,
			false},
		{"host.example", AF_UNSPEC, 0, "127.0.0.1",
			"nameserver 127.0.0.1\noptions single-request rotate edns0 trust-ad\n",
			NULL, false},
		{"host", AF_UNSPEC, 0, "127.0.0.1",
			"nameserver 127.0.0.1\nsearch none.example example\noptions use-vc\n", NULL,
			false},
	};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		ask(&questions[i], resolve);
}

/* As when resolv.conf changed: what was read before is read again. */
static void test_first_question(void **state)
{
	static const struct question question = {
		.name = "host.example", .answer = "127.0.0.1", .is_first = true};

	(void)state;
	cell_need_root();
	ask(&question, resolve);
}

/* Modules can't be loaded any more, so none may be asked for. */
static void test_other_services(void **state)
{
	static const struct question question = {.name = "host.example",
		.answer = "127.0.0.1",
		.nsswitch_conf = "hosts: files systemd myhostname mdns4_minimal [NOTFOUND=return] "
				 "resolve dns\n"};

	(void)state;
	cell_need_root();
	ask(&question, resolve);
}

static int set_number(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Connects to the name server's TCP side as if it were the origin. */
static int connect_to_origin(const void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = -1;
	socklen_t size = sizeof(error);

	(void)argument;
	if (set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0 ||
		set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != 0 ||
		set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30) != 0 ||
		set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10) != 0 ||
		set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) != 0 ||
		set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 10000) != 0)
		return 1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS)
		return 2;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
		return 3;
	return close(fd);
}

static int make_other_sockets(const void *argument)
{
	static const int families[] = {AF_INET6, AF_UNIX};

	(void)argument;
	for (size_t i = 0; i < 2; i++) {
		int fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0 || close(fd) != 0)
			return 1;
	}
	return 0;
}

static void test_connects(void **state)
{
	static const struct question question = {.name = "origin"};

	(void)state;
	cell_need_root();
	ask(&question, connect_to_origin);
	ask(&question, make_other_sockets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolves),
		cmocka_unit_test(test_truncated_goes_by_tcp),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_no_name_server),
		cmocka_unit_test(test_first_question),
		cmocka_unit_test(test_other_services),
		cmocka_unit_test(test_connects),
	};

	return cmocka_run_group_tests_name("sandbox: resolver", tests, NULL, NULL);
}
