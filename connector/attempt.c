/* SPDX-License-Identifier: ISC */
/* One CONNECT. */
#include "connector/attempt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void attempt_cancel(struct attempt *attempt)
{
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->fd = -1;
}

const struct sockaddr_storage *attempt_address(const struct attempt *attempt)
{
	return &attempt->list.items[attempt->next - 1];
}

/* Notes why the address being tried failed, and lets it go. */
static void give_up_address(struct attempt *attempt, int error)
{
	char address[ADDRESSES_TEXT_BYTES];

	snprintf(attempt->reason, sizeof(attempt->reason), "%.80s: %s",
		addresses_format(address, attempt_address(attempt)), strerror(error));
	attempt_cancel(attempt);
}

static int set_number(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

/* The fetcher, who gets the socket, can set nothing. */
static int set_options(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, ATTEMPT_KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, ATTEMPT_KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, ATTEMPT_KEEPALIVE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, ATTEMPT_UNACKNOWLEDGED_MS},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int error = set_number(fd, options[i].level, options[i].option, options[i].value);

		if (error != 0)
			return error;
	}
	return 0;
}

/* Makes the socket and starts to connect it. 0, -EINPROGRESS, or why it failed. */
static int start_address(struct attempt *attempt)
{
	const struct sockaddr_storage *address = attempt_address(attempt);
	socklen_t length = attempt->list.lengths[attempt->next - 1];
	int error;

	attempt->fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (attempt->fd < 0)
		return -errno;
	error = address->ss_family != AF_UNIX ? set_options(attempt->fd) : 0;
	if (error != 0)
		return error;
	return connect(attempt->fd, (const struct sockaddr *)address, length) == 0 ? 0 : -errno;
}

/* Tries the addresses that are left, until one connects or has to be waited for. */
static enum attempt_state try_addresses(struct attempt *attempt, int64_t now_ms)
{
	while (attempt->next < attempt->list.count) {
		int64_t left_ms = attempt->deadline_ms - now_ms;
		int error;

		if (left_ms <= 0)
			break;
		attempt->address_deadline_ms =
			now_ms + left_ms / (int64_t)(attempt->list.count - attempt->next);
		attempt->next++;
		error = start_address(attempt);
		if (error == 0)
			return ATTEMPT_CONNECTED;
		if (error == -EINPROGRESS)
			return ATTEMPT_PENDING;
		give_up_address(attempt, -error);
	}
	return ATTEMPT_FAILED;
}

enum attempt_state attempt_begin(struct attempt *attempt, uint64_t id,
	const struct address_list *list, int64_t timeout_ms, int64_t now_ms)
{
	attempt->id = id;
	attempt->fd = -1;
	attempt->next = 0;
	attempt->list = *list;
	attempt->deadline_ms = now_ms + timeout_ms;
	attempt->address_deadline_ms = attempt->deadline_ms;
	snprintf(attempt->reason, sizeof(attempt->reason), "no address");
	return try_addresses(attempt, now_ms);
}

/* What became of a connect(2) in progress: 0 or the error. */
static int connect_result(int fd)
{
	socklen_t length = sizeof(int);
	int error = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

enum attempt_state attempt_continue(struct attempt *attempt, bool is_ready, int64_t now_ms)
{
	int error;

	if (!is_ready && now_ms < attempt->address_deadline_ms)
		return ATTEMPT_PENDING;
	error = is_ready ? connect_result(attempt->fd) : ETIMEDOUT;
	if (error == 0)
		return ATTEMPT_CONNECTED;
	give_up_address(attempt, error);
	return try_addresses(attempt, now_ms);
}
