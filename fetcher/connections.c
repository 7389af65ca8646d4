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

/* How many connections there may be. Over HTTP/2 they carry more requests than that. */
static size_t connections_max(const struct fetcher *fetcher)
{
	const struct material_set *material = &fetcher->material[fetcher->in_use];
	size_t each = TLS_OWN_BYTES + TLS_COPIES * material->items[MATERIAL_CA].length;
	size_t room = TLS_MEMORY_BYTES / each;

	if (!fetcher->url.https || room > fetcher->settings.concurrency)
		return fetcher->settings.concurrency;
	return room;
}

void connections_ask(struct fetcher *fetcher, int64_t now_ms)
{
	struct channel *connector = &fetcher->process.channels[ROLE_CONNECTOR];
	size_t wanted;

	if (fetcher->url.is_file)
		return;
	wanted = socket_pool_wanted(&fetcher->sockets, lookup_table_queued(fetcher->lookups),
		lookup_table_active(fetcher->lookups), connections_max(fetcher), now_ms);

	for (; wanted > 0; wanted--) {
		struct message message = {.type = MESSAGE_TYPE_CONNECT};

		message.connect.id = socket_pool_ask(&fetcher->sockets, now_ms);
		if (channel_send(connector, &message) == 0)
			continue;
		socket_pool_unask(&fetcher->sockets, message.connect.id);
		break;
	}
}

/* A new connector knows nothing of what the last one was asked. */
void connections_ask_again(struct fetcher *fetcher)
{
	for (size_t i = 0; i < fetcher->sockets.connect_count; i++) {
		struct connect_request *request = &fetcher->sockets.connects[i];
		struct message message = {.type = MESSAGE_TYPE_CONNECT};

		message.connect.id = request->id;
		request->asked_ms = clock_ms();
		channel_send(&fetcher->process.channels[ROLE_CONNECTOR], &message);
	}
}

static void take_socket(
	struct fetcher *fetcher, const struct message_connected *message, int fd, int64_t now_ms)
{
	if (fd < 0)
		process_report_offence(&fetcher->process, ROLE_CONNECTOR);
	else if (socket_pool_connected(&fetcher->sockets, message->id, fd, now_ms) != 0)
		close(fd); /* asked for before the settings changed */
	else
		breaker_connected(&fetcher->breaker, now_ms);
}

/* Without anything under way that could make room, waiting any longer is for nothing. */
static void fail_stranded(struct fetcher *fetcher, const char *reason)
{
	size_t active = lookup_table_active(fetcher->lookups);

	if (active == 0 && !socket_pool_can_start(&fetcher->sockets, 0))
		lookups_fail_idle(fetcher, reason);
}

static void take_connect_failure(
	struct fetcher *fetcher, const struct message_connect_failed *message, int64_t now_ms)
{
	if (socket_pool_connect_failed(&fetcher->sockets, message->id, now_ms) != 0)
		return;
	requests_no_connection(fetcher, message->reason);
	fail_stranded(fetcher, message->reason);
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
	if (socket_pool_expire(&fetcher->sockets,
		    (int64_t)fetcher->settings.timeout_ms + CONNECT_EXTRA_MS, now_ms) > 0)
		fail_stranded(fetcher, "the connector doesn't answer");
}
