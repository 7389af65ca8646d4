/* SPDX-License-Identifier: ISC */
/* Sockets, asked of the connector and taken from it. */
#include "fetcher/connections.h"

#include <unistd.h>

#include "common/clock.h"
#include "fetcher/lookups.h"
#include "fetcher/requests.h"

/* What a CONNECT takes beyond the time-out: a resolver that has to try several name servers. */
#define CONNECT_EXTRA_MS 10000

/*
 * libcurl 7.88 keeps the CA's bytes and an OpenSSL store made of them for each TLS connection: some
 * seven times the file's length (measured with Debian's bundle of 220 kB: 1.4 MB). So many
 * connections are made that they stay within this.
 */
#define TLS_MEMORY_BYTES (512U << 20)
#define TLS_COPIES       8
#define TLS_OWN_BYTES    (128U << 10)

/* The greatest concurrency: what the limit of descriptors (sandbox/limits.c) is made for. */
#define CONNECTIONS_MAX 1024

static size_t count_https(const struct origins *origins)
{
	size_t count = 0;

	for (size_t i = 0; i < origins->count; i++)
		count += origins->items[i].url.template.https;
	return count;
}

/* How many connections there may be to an origin: its share of the descriptors that the sandbox
 * leaves, and of the memory. Over HTTP/2 they carry more requests than that. */
static size_t connections_max(const struct fetcher *fetcher, const struct origin *origin)
{
	const struct material_set *material = &fetcher->material[fetcher->in_use];
	size_t each = TLS_OWN_BYTES + TLS_COPIES * material->items[MATERIAL_CA].length;
	size_t most = CONNECTIONS_MAX / fetcher->origins.count;
	size_t room = TLS_MEMORY_BYTES / each;

	if (most > fetcher->settings.concurrency)
		most = fetcher->settings.concurrency;
	if (!origin->url.template.https)
		return most;
	room /= count_https(&fetcher->origins);
	return most < room ? most : room;
}

/* 0, or why it can't be sent now. */
static int send_connect(struct fetcher *fetcher, const struct origin *origin, uint64_t id)
{
	struct message message = {
		.type = MESSAGE_TYPE_CONNECT, .connect = {.id = id, .origin = origin->place}};

	return channel_send(&fetcher->process.channels[ROLE_CONNECTOR], &message);
}

/* For that many lookups that wait for this origin. */
static void ask_for(struct fetcher *fetcher, struct origin *origin, size_t queued, int64_t now_ms)
{
	size_t wanted = socket_pool_wanted(
		&origin->sockets, queued, origin->active, connections_max(fetcher, origin), now_ms);

	for (; wanted > 0; wanted--) {
		uint64_t id = ++fetcher->connect_id;

		socket_pool_ask(&origin->sockets, id, now_ms);
		if (send_connect(fetcher, origin, id) == 0)
			continue;
		socket_pool_unask(&origin->sockets, id);
		break;
	}
}

bool connections_are_waited_for(
	struct fetcher *fetcher, const struct origin *origin, int64_t now_ms)
{
	const struct origin *first = origins_first(&fetcher->origins, 0, now_ms);

	return first == NULL || first == origin;
}

void connections_ask(struct fetcher *fetcher, int64_t now_ms)
{
	size_t queued = lookup_table_queued(fetcher->lookups);

	for (size_t i = 0; i < fetcher->origins.count; i++) {
		struct origin *origin = &fetcher->origins.items[i];
		bool is_waited_for = connections_are_waited_for(fetcher, origin, now_ms);

		if (origin->url.template.is_file)
			continue;
		ask_for(fetcher, origin, is_waited_for ? queued : 0, now_ms);
	}
}

static void ask_again(struct fetcher *fetcher, struct origin *origin)
{
	for (size_t i = 0; i < origin->sockets.connect_count; i++) {
		struct connect_request *request = &origin->sockets.connects[i];

		request->asked_ms = clock_ms();
		send_connect(fetcher, origin, request->id);
	}
}

void connections_ask_again(struct fetcher *fetcher)
{
	for (size_t i = 0; i < fetcher->origins.count; i++)
		ask_again(fetcher, &fetcher->origins.items[i]);
}

static void take_socket(
	struct fetcher *fetcher, const struct message_connected *message, int fd, int64_t now_ms)
{
	if (fd < 0) {
		process_report_offence(&fetcher->process, ROLE_CONNECTOR);
		return;
	}
	for (size_t i = 0; i < fetcher->origins.count; i++) {
		struct origin *origin = &fetcher->origins.items[i];

		if (socket_pool_connected(&origin->sockets, message->id, fd, now_ms) != 0)
			continue;
		breaker_connected(&origin->breaker, now_ms);
		return;
	}
	close(fd); /* asked for before the settings changed */
}

/* Waiting any longer is for nothing. */
static void fail_stranded(struct fetcher *fetcher, const char *reason, int64_t now_ms)
{
	if (origins_are_hopeless(&fetcher->origins, now_ms))
		lookups_fail_idle(fetcher, reason);
}

static void take_connect_failure(
	struct fetcher *fetcher, const struct message_connect_failed *message, int64_t now_ms)
{
	for (size_t i = 0; i < fetcher->origins.count; i++) {
		struct origin *origin = &fetcher->origins.items[i];

		if (socket_pool_connect_failed(&origin->sockets, message->id, now_ms) != 0)
			continue;
		requests_no_connection(fetcher, origin, message->reason);
		fail_stranded(fetcher, message->reason, now_ms);
		return;
	}
}

void connections_take(struct fetcher *fetcher, int64_t now_ms)
{
	struct message message;
	int fd;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		if (!process_receive_descriptor(&fetcher->process, ROLE_CONNECTOR, &message, &fd))
			return;
		if (message.type == MESSAGE_TYPE_CONNECTED) {
			take_socket(fetcher, &message.connected, fd, now_ms);
			continue;
		}
		if (fd >= 0) {
			close(fd); /* none belongs to it */
			process_report_offence(&fetcher->process, ROLE_CONNECTOR);
			return;
		}
		take_connect_failure(fetcher, &message.connect_failed, now_ms);
	}
}

void connections_expire(struct fetcher *fetcher, int64_t now_ms)
{
	int64_t timeout_ms = (int64_t)fetcher->settings.timeout_ms + CONNECT_EXTRA_MS;
	size_t expired = 0;

	for (size_t i = 0; i < fetcher->origins.count; i++)
		expired +=
			socket_pool_expire(&fetcher->origins.items[i].sockets, timeout_ms, now_ms);
	if (expired > 0)
		fail_stranded(fetcher, "the connector doesn't answer", now_ms);
}
