/* SPDX-License-Identifier: ISC */
/* Connecting: the first address that works, within the time there is. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "connector/attempt.h"

static struct attempt attempt;
static struct address_list list;

static void add(const void *address, socklen_t length)
{
	memset(&list.items[list.count], 0, sizeof(list.items[0]));
	memcpy(&list.items[list.count], address, length);
	list.lengths[list.count++] = length;
}

/* A bound socket's address; nobody listens there unless the caller does. */
static int bind_somewhere(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &length), 0);
	return fd;
}

static int add_listener(void)
{
	struct sockaddr_in address;
	int fd = bind_somewhere(&address);

	assert_int_equal(listen(fd, 16), 0);
	add(&address, sizeof(address));
	return fd;
}

static int add_refusing(void)
{
	struct sockaddr_in address;
	int fd = bind_somewhere(&address);

	add(&address, sizeof(address));
	return fd;
}

/* A listener that answers no more, for its queue is full; fillers are what fills it. */
static int add_silent(int fillers[static 8])
{
	struct sockaddr_in address;
	int fd = bind_somewhere(&address);

	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fillers[i], (struct sockaddr *)&address, sizeof(address)) != 0)
			assert_int_equal(errno, EINPROGRESS);
	}
	add(&address, sizeof(address));
	return fd;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static enum attempt_state finish(enum attempt_state state)
{
	while (state == ATTEMPT_PENDING) {
		struct pollfd wait = {.fd = attempt.fd, .events = POLLOUT};

		assert_int_equal(poll(&wait, 1, 10000), 1);
		state = attempt_continue(&attempt, true, 0);
	}
	return state;
}

static int forget(void **state)
{
	(void)state;
	list.count = 0;
	return 0;
}

static int option(int level, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(attempt.fd, level, name, &value, &length), 0);
	return value;
}

static void connects(void **state)
{
	int listener = add_listener();

	(void)state;
	assert_int_equal(finish(attempt_begin(&attempt, 7, &list, 1000, 0)), ATTEMPT_CONNECTED);
	assert_int_equal(attempt.id, 7);
	assert_memory_equal(attempt_address(&attempt), &list.items[0], list.lengths[0]);
	assert_int_equal(fcntl(attempt.fd, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(attempt.fd, F_GETFL) & O_NONBLOCK) != 0);
	/* All that the fetcher would want set. */
	assert_true(option(IPPROTO_TCP, TCP_NODELAY) != 0);
	assert_true(option(SOL_SOCKET, SO_KEEPALIVE) != 0);
	assert_int_equal(option(IPPROTO_TCP, TCP_KEEPIDLE), ATTEMPT_KEEPALIVE_IDLE_S);
	assert_int_equal(option(IPPROTO_TCP, TCP_KEEPINTVL), ATTEMPT_KEEPALIVE_INTERVAL_S);
	assert_int_equal(option(IPPROTO_TCP, TCP_KEEPCNT), ATTEMPT_KEEPALIVE_COUNT);
	assert_int_equal(option(IPPROTO_TCP, TCP_USER_TIMEOUT), ATTEMPT_UNACKNOWLEDGED_MS);
	attempt_cancel(&attempt);
	assert_int_equal(attempt.fd, -1);
	close(listener);
}

static void says_who_refused(void **state)
{
	char address[ADDRESSES_TEXT_BYTES], expected[ATTEMPT_REASON_BYTES];
	int refusing[2] = {add_refusing(), add_refusing()};

	(void)state;
	assert_int_equal(finish(attempt_begin(&attempt, 1, &list, 1000, 0)), ATTEMPT_FAILED);
	snprintf(expected, sizeof(expected), "%.60s: Connection refused",
		addresses_format(address, &list.items[1]));
	assert_string_equal(attempt.reason, expected);
	assert_int_equal(attempt.fd, -1);
	close_all(refusing, 2);
	list.count = 0;
	assert_int_equal(attempt_begin(&attempt, 1, &list, 1000, 0), ATTEMPT_FAILED);
	assert_string_equal(attempt.reason, "no address");
}

static void goes_on_to_the_next(void **state)
{
	int refusing = add_refusing(), listener = add_listener();

	(void)state;
	assert_int_equal(finish(attempt_begin(&attempt, 1, &list, 1000, 0)), ATTEMPT_CONNECTED);
	assert_memory_equal(attempt_address(&attempt), &list.items[1], list.lengths[1]);
	attempt_cancel(&attempt);
	close(refusing);
	close(listener);
}

static void does_not_wait_for_ever(void **state)
{
	int fillers[8], silent = add_silent(fillers);

	(void)state;
	assert_int_equal(attempt_begin(&attempt, 1, &list, 1000, 5000), ATTEMPT_PENDING);
	assert_int_equal(attempt.address_deadline_ms, 6000);
	assert_int_equal(attempt_continue(&attempt, false, 5999), ATTEMPT_PENDING);
	assert_int_equal(attempt_continue(&attempt, false, 6000), ATTEMPT_FAILED);
	assert_non_null(strstr(attempt.reason, "Connection timed out"));
	assert_int_equal(attempt.fd, -1);
	close_all(fillers, 8);
	close(silent);
}

/* A silent first address gets its share of the time, not all of it. */
static void shares_the_time(void **state)
{
	int fillers[8], silent = add_silent(fillers), listener;

	(void)state;
	add(&list.items[0], list.lengths[0]);
	add(&list.items[0], list.lengths[0]);
	listener = add_listener();
	assert_int_equal(attempt_begin(&attempt, 1, &list, 1000, 0), ATTEMPT_PENDING);
	assert_int_equal(attempt.address_deadline_ms, 250);
	assert_int_equal(attempt_continue(&attempt, false, 250), ATTEMPT_PENDING);
	assert_int_equal(attempt.address_deadline_ms, 500);
	/* Late, as after a resolver that was slow: what is left is shared. */
	assert_int_equal(attempt_continue(&attempt, false, 800), ATTEMPT_PENDING);
	assert_int_equal(attempt.address_deadline_ms, 900);
	assert_int_equal(finish(attempt_continue(&attempt, false, 900)), ATTEMPT_CONNECTED);
	assert_memory_equal(attempt_address(&attempt), &list.items[3], list.lengths[3]);
	attempt_cancel(&attempt);
	/* And past the end nothing more is tried. */
	assert_int_equal(attempt_begin(&attempt, 1, &list, 1000, 0), ATTEMPT_PENDING);
	assert_int_equal(attempt_continue(&attempt, false, 1000), ATTEMPT_FAILED);
	close_all(fillers, 8);
	close(silent);
	close(listener);
}

static void connects_to_a_unix_socket(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char directory[] = "/tmp/pullgate-attempt-XXXXXX";
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/origin", directory);
	add(&address, sizeof(address));
	assert_int_equal(attempt_begin(&attempt, 1, &list, 1000, 0), ATTEMPT_FAILED);
	assert_non_null(strstr(attempt.reason, "No such file or directory"));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(attempt_begin(&attempt, 1, &list, 1000, 0), ATTEMPT_CONNECTED);
	attempt_cancel(&attempt);
	close(listener);
	unlink(address.sun_path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(connects, forget),
		cmocka_unit_test_setup(says_who_refused, forget),
		cmocka_unit_test_setup(goes_on_to_the_next, forget),
		cmocka_unit_test_setup(does_not_wait_for_ever, forget),
		cmocka_unit_test_setup(shares_the_time, forget),
		cmocka_unit_test_setup(connects_to_a_unix_socket, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
