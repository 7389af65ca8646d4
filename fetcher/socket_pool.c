/* SPDX-License-Identifier: ISC */
/* The sockets to one origin. */
#include "fetcher/socket_pool.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A spare that the origin closes sooner was never welcome. */
#define SPARE_WELCOME_MS 1000

void socket_pool_init(struct socket_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

static void drop_spare(struct socket_pool *pool, size_t index)
{
	close(pool->spares[index].fd);
	pool->spare_count--;
	memmove(&pool->spares[index], &pool->spares[index + 1],
		(pool->spare_count - index) * sizeof(pool->spares[0]));
}

static void retire(struct connection *connection)
{
	/* Only libcurl may close it, for the number must not be used anew before it lets go. */
	shutdown(connection->fd, SHUT_RDWR);
	connection->retired = true;
}

void socket_pool_reset(struct socket_pool *pool, bool https)
{
	while (pool->spare_count > 0)
		drop_spare(pool, pool->spare_count - 1);
	for (size_t i = 0; i < pool->connection_count; i++)
		retire(&pool->connections[i]);
	pool->connect_count = 0;
	pool->https = https;
	/* In clear, libcurl speaks HTTP/1.1 only. */
	pool->version = https ? HTTP_UNKNOWN : HTTP_1;
	pool->refused = false;
	pool->backoff_ms = 0;
}

/* Whether connections that have answered tell what the next ones will be. */
static bool version_is_known(const struct socket_pool *pool)
{
	if (pool->version != HTTP_2)
		return pool->version == HTTP_1;
	for (size_t i = 0; i < pool->connection_count; i++) {
		if (pool->connections[i].answered && !pool->connections[i].retired)
			return true;
	}
	return false;
}

/* Transfers that the connections in libcurl's hands carry. */
static size_t carried(const struct socket_pool *pool)
{
	size_t total = 0;

	for (size_t i = 0; i < pool->connection_count; i++) {
		const struct connection *connection = &pool->connections[i];

		if (connection->retired)
			continue;
		total += pool->version == HTTP_2 && connection->answered ? SOCKET_POOL_STREAMS : 1;
	}
	return total;
}

size_t socket_pool_capacity(const struct socket_pool *pool)
{
	size_t total = carried(pool) + pool->spare_count;

	if (!version_is_known(pool) && total > SOCKET_POOL_UNKNOWN)
		return SOCKET_POOL_UNKNOWN;
	return total;
}

bool socket_pool_can_start(const struct socket_pool *pool, size_t active)
{
	if (pool->refused && pool->spare_count == 0)
		return false;
	return active < socket_pool_capacity(pool);
}

int64_t socket_pool_retry_at_ms(const struct socket_pool *pool, bool lookups_wait)
{
	int64_t pause_ms = pool->backoff_ms;

	if (pause_ms == 0)
		return INT64_MAX;
	if (lookups_wait && pause_ms > SOCKET_POOL_BACKOFF_EAGER_MS)
		pause_ms = SOCKET_POOL_BACKOFF_EAGER_MS;
	return pool->failed_ms + pause_ms;
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* In libcurl's hands and of use. */
static size_t live(const struct socket_pool *pool)
{
	size_t count = 0;

	for (size_t i = 0; i < pool->connection_count; i++)
		count += !pool->connections[i].retired;
	return count;
}

/* Spares that should be in hand or on their way. */
static size_t spares_aim(
	const struct socket_pool *pool, size_t queued, size_t active, size_t concurrency)
{
	size_t more = lesser(queued, less(concurrency, active));
	size_t aim;

	if (!version_is_known(pool))
		more = lesser(more, less(SOCKET_POOL_UNKNOWN, active));
	aim = pool->refused ? more : less(active + more, carried(pool));
	if (aim < SOCKET_POOL_SPARES_KEPT)
		aim = SOCKET_POOL_SPARES_KEPT;
	return lesser(aim, SOCKET_POOL_SPARES);
}

size_t socket_pool_wanted(const struct socket_pool *pool, size_t queued, size_t active,
	size_t concurrency, int64_t now_ms)
{
	size_t coming = pool->spare_count + pool->connect_count;
	/* While connecting fails, one at a time tries. */
	size_t room = less(pool->backoff_ms != 0 ? 1 : SOCKET_POOL_CONNECTS, pool->connect_count);
	size_t wanted;

	if (pool->backoff_ms != 0 && now_ms < socket_pool_retry_at_ms(pool, queued > 0))
		return 0;
	wanted = less(spares_aim(pool, queued, active, concurrency), coming);
	/* The kept spares come on top of the concurrency. Retired ones don't count: libcurl closes them
	 * when it makes a connection, and for that it must get one. */
	wanted = lesser(wanted, less(concurrency + SOCKET_POOL_SPARES_KEPT, live(pool) + coming));
	wanted = lesser(wanted, less(SOCKET_POOL_CONNECTIONS, pool->connection_count + coming));
	return lesser(wanted, room);
}

void socket_pool_ask(struct socket_pool *pool, uint64_t id, int64_t now_ms)
{
	pool->connects[pool->connect_count++] =
		(struct connect_request){.id = id, .asked_ms = now_ms};
}

static int forget_connect(struct socket_pool *pool, uint64_t id)
{
	for (size_t i = 0; i < pool->connect_count; i++) {
		if (pool->connects[i].id != id)
			continue;
		pool->connects[i] = pool->connects[--pool->connect_count];
		return 0;
	}
	return -ENOENT;
}

void socket_pool_unask(struct socket_pool *pool, uint64_t id)
{
	forget_connect(pool, id);
}

static void note_failure(struct socket_pool *pool, int64_t now_ms)
{
	int64_t longer_ms = pool->backoff_ms * 2;

	if (longer_ms < SOCKET_POOL_BACKOFF_MS)
		longer_ms = SOCKET_POOL_BACKOFF_MS;
	if (longer_ms > SOCKET_POOL_BACKOFF_MAX_MS)
		longer_ms = SOCKET_POOL_BACKOFF_MAX_MS;
	pool->backoff_ms = longer_ms;
	pool->failed_ms = now_ms;
}

int socket_pool_connected(struct socket_pool *pool, uint64_t id, int fd, int64_t now_ms)
{
	if (forget_connect(pool, id) != 0)
		return -ENOENT;
	if (pool->spare_count == SOCKET_POOL_SPARES)
		return -ENOSPC;
	pool->spares[pool->spare_count++] = (struct spare){.fd = fd, .since_ms = now_ms};
	return 0;
}

int socket_pool_connect_failed(struct socket_pool *pool, uint64_t id, int64_t now_ms)
{
	if (forget_connect(pool, id) != 0)
		return -ENOENT;
	note_failure(pool, now_ms);
	return 0;
}

size_t socket_pool_expire(struct socket_pool *pool, int64_t timeout_ms, int64_t now_ms)
{
	size_t expired = 0;

	for (size_t i = 0; i < pool->connect_count;) {
		if (now_ms - pool->connects[i].asked_ms < timeout_ms) {
			i++;
			continue;
		}
		pool->connects[i] = pool->connects[--pool->connect_count];
		expired++;
	}
	if (expired > 0)
		note_failure(pool, now_ms);
	return expired;
}

/* An idle connection has nothing to say: data as well as an end means that it is over. */
static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int socket_pool_take(struct socket_pool *pool, int64_t *waited_ms, int64_t now_ms)
{
	while (pool->spare_count > 0 && !is_open(pool->spares[0].fd))
		drop_spare(pool, 0);
	if (pool->spare_count == 0 || pool->connection_count == SOCKET_POOL_CONNECTIONS)
		return -1;
	pool->connections[pool->connection_count++] = (struct connection){.fd = pool->spares[0].fd};
	*waited_ms = now_ms - pool->spares[0].since_ms;
	pool->spare_count--;
	memmove(&pool->spares[0], &pool->spares[1], pool->spare_count * sizeof(pool->spares[0]));
	return pool->connections[pool->connection_count - 1].fd;
}

static struct connection *find_connection(struct socket_pool *pool, int fd)
{
	for (size_t i = 0; i < pool->connection_count; i++) {
		if (pool->connections[i].fd == fd)
			return &pool->connections[i];
	}
	return NULL;
}

void socket_pool_close(struct socket_pool *pool, int fd)
{
	struct connection *connection = find_connection(pool, fd);

	if (connection != NULL)
		*connection = pool->connections[--pool->connection_count];
	close(fd);
}

void socket_pool_answered(
	struct socket_pool *pool, int fd, enum http_version version, int64_t now_ms)
{
	struct connection *connection = find_connection(pool, fd);

	pool->version = version;
	pool->backoff_ms = 0;
	if (connection == NULL)
		return;
	connection->answered = true;
	connection->version = version;
	connection->answered_ms = now_ms;
}

bool socket_pool_must_be_silent(const struct socket_pool *pool, int fd)
{
	for (size_t i = 0; i < pool->connection_count; i++) {
		const struct connection *connection = &pool->connections[i];

		if (connection->fd == fd)
			return connection->retired || connection->version == HTTP_1;
	}
	return false;
}

void socket_pool_ended(struct socket_pool *pool)
{
	pool->refused = false;
}

void socket_pool_refuse(struct socket_pool *pool)
{
	pool->refused = true;
}

bool socket_pool_timed_out(struct socket_pool *pool, int fd, int64_t started_ms)
{
	struct connection *connection = find_connection(pool, fd);

	if (connection == NULL || connection->retired)
		return false;
	if (connection->answered && connection->answered_ms >= started_ms)
		return false;
	retire(connection);
	return true;
}

void socket_pool_give_up(struct socket_pool *pool, int fd)
{
	struct connection *connection = find_connection(pool, fd);

	if (connection != NULL && !connection->retired)
		retire(connection);
}

size_t socket_pool_watch(const struct socket_pool *pool, struct pollfd set[SOCKET_POOL_SPARES])
{
	for (size_t i = 0; i < pool->spare_count; i++)
		set[i] = (struct pollfd){.fd = pool->spares[i].fd, .events = POLLIN};
	return pool->spare_count;
}

void socket_pool_check(
	struct socket_pool *pool, const struct pollfd *set, size_t count, int64_t now_ms)
{
	/* From the end, so that dropping one leaves the indexes before it as they were watched. */
	for (size_t i = count; i-- > 0;) {
		if (set[i].revents == 0)
			continue;
		if (now_ms - pool->spares[i].since_ms < SPARE_WELCOME_MS)
			note_failure(pool, now_ms);
		drop_spare(pool, i);
	}
}

void socket_pool_trim(struct socket_pool *pool)
{
	while (pool->spare_count > SOCKET_POOL_SPARES_KEPT)
		drop_spare(pool, pool->spare_count - 1);
}
