/* SPDX-License-Identifier: ISC */
/* The fetcher at work. */
#include "fetcher/dispatch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "fetcher/cache_file.h"
#include "fetcher/connections.h"
#include "fetcher/lookups.h"
#include "fetcher/requests.h"
#include "fetcher/settings.h"
#include "fetcher/wiping_memory.h"

/* A request can end as soon as it is started; the rest is left to the next turn. */
#define ROUNDS_A_TURN 16

/* The longest sleep; everything that has a time is looked at so often anyway. */
#define TURN_MS 1000

/* Where no cache is configured its number is /dev/null's. */
static bool has_cache_file(void)
{
	struct stat status;

	return fstat(FD_CACHE, &status) == 0 && S_ISREG(status.st_mode);
}

static void make_caches(struct fetcher *fetcher)
{
	/* As many as there may be in the kernel. */
	fetcher->peers = peer_cache_new((uint32_t)fetcher->settings.max_peers);
	if (fetcher->peers == NULL)
		log_fatal("out_of_memory", "");
	if (!has_cache_file())
		return;
	cache_file_use(FD_CACHE, FD_CACHE_LOG);
	if (cache_file_install() == 0)
		fetcher->store = cache_store_new(fetcher->peers, fetcher->negatives);
	if (fetcher->store == NULL)
		log_fatal("out_of_memory", "");
}

void fetcher_open(struct fetcher *fetcher)
{
	if (wiping_memory_install() != 0)
		log_fatal("start_failed", "reason=\"libcurl can't be initialised\"");
	origins_limit_requests(&fetcher->origins, 0, clock_ms());
	fetcher->lookups = lookup_table_new();
	fetcher->negatives = negative_cache_new();
	fetcher->http = http_client_new();
	if (fetcher->lookups == NULL || fetcher->negatives == NULL || fetcher->http == NULL ||
		origins_open(&fetcher->origins, fetcher->http) != 0 ||
		material_open(&fetcher->material[0]) != 0 ||
		material_open(&fetcher->material[1]) != 0)
		log_fatal("out_of_memory", "");
	if (jitter_init(&fetcher->jitter) != 0)
		log_fatal("start_failed", "reason=\"no random bytes\"");
	settings_await(fetcher);
	make_caches(fetcher);
}

void fetcher_read_cache(struct fetcher *fetcher)
{
	char owner[CACHE_STORE_OWNER_BYTES];

	if (fetcher->store == NULL)
		return;
	settings_name_owner(fetcher, owner);
	cache_store_open(
		fetcher->store, owner, fetcher->settings.persist_psk != 0, CACHE_STORE_READ_MS);
}

const char *fetcher_directory(const struct fetcher *fetcher)
{
	return fetcher->settings.directory[0] != '\0' ? fetcher->settings.directory : NULL;
}

/* Another directory isn't the root, which can't be changed any more. */
static void take_settings(struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	if (strcmp(fetcher->settings.directory, settings->directory) != 0) {
		log_event(LOG_LEVEL_NOTICE, "origin_moved", "effect=\"a fresh start\"");
		_exit(EXIT_SUCCESS);
	}
	settings_apply(fetcher, settings);
}

static void take_control(struct fetcher *fetcher)
{
	struct message message;
	int fd;

	while (process_receive_control(&fetcher->process, &message, &fd)) {
		if (message.type == MESSAGE_TYPE_FETCHER_SETTINGS)
			take_settings(fetcher, &message.fetcher_settings);
		else if (message.type == MESSAGE_TYPE_FETCHER_ORIGIN)
			settings_take_origin(fetcher, &message.fetcher_origin);
		else if (message.type == MESSAGE_TYPE_MATERIAL && fd >= 0)
			settings_take_material(
				fetcher, (enum material_kind)message.material.kind, fd);
		else if (message.type == MESSAGE_TYPE_RENEW && message.renew.role == ROLE_CONNECTOR)
			connections_ask_again(fetcher);
		if (fd >= 0)
			close(fd);
	}
}

static void take_lookups(struct fetcher *fetcher, int64_t now_ms)
{
	struct message message;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		if (!process_receive(&fetcher->process, ROLE_CAPTURE, &message))
			return;
		/* What the supervisor said before this LOOKUP was sent is in force for it. */
		take_control(fetcher);
		lookups_take(fetcher, &message.lookup, now_ms);
	}
}

static void take_renewals(struct fetcher *fetcher, int64_t now_ms)
{
	struct message message;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		if (!process_receive(&fetcher->process, ROLE_INSTALLER, &message))
			return;
		lookups_renew(fetcher, &message.revalidate, now_ms);
	}
}

/* The loop */

/* The earlier of wake_ms and at_ms; what was due when the last turn looked was done then. */
static int64_t wake_at(const struct fetcher *fetcher, int64_t wake_ms, int64_t at_ms)
{
	return at_ms > fetcher->looked_ms && at_ms < wake_ms ? at_ms : wake_ms;
}

/* When there can be something to do for an origin by time alone, or wake_ms if that is earlier. */
static int64_t wake_for(
	struct fetcher *fetcher, const struct origin *origin, int64_t wake_ms, int64_t now_ms)
{
	bool is_queued = lookup_table_queued(fetcher->lookups) > 0;
	bool is_waited_for = is_queued && connections_are_waited_for(fetcher, origin, now_ms);

	wake_ms =
		wake_at(fetcher, wake_ms, socket_pool_retry_at_ms(&origin->sockets, is_waited_for));
	if (!is_queued)
		return wake_ms;
	wake_ms = wake_at(fetcher, wake_ms, origin->held_until_ms);
	return wake_at(fetcher, wake_ms, origin->breaker.until_ms);
}

/* How long there is nothing to do but for sockets and messages. */
static int sleep_ms(struct fetcher *fetcher)
{
	int64_t now_ms = clock_ms();
	int64_t wake_ms = now_ms + TURN_MS;
	struct origin *next = requests_next_origin(fetcher, now_ms);

	for (size_t i = 0; i < fetcher->origins.count; i++)
		wake_ms = wake_for(fetcher, &fetcher->origins.items[i], wake_ms, now_ms);
	if (lookup_table_count(fetcher->lookups) > 0)
		wake_ms = wake_at(fetcher, wake_ms, fetcher->tended_ms + FETCHER_TEND_MS);
	if (next != NULL && now_ms + token_bucket_wait_ms(&next->bucket, now_ms) < wake_ms)
		wake_ms = now_ms + token_bucket_wait_ms(&next->bucket, now_ms);
	if (fetcher->store != NULL)
		wake_ms = wake_at(fetcher, wake_ms, cache_store_due_ms(fetcher->store));
	return wake_ms > now_ms ? (int)(wake_ms - now_ms) : 0;
}

/* The spares of one origin, in what is waited for. */
struct watched {
	struct pollfd spares[SOCKET_POOL_SPARES];
	size_t count;
};

/* Appends them to extra, which has so many; how many that has then. */
static size_t watch_spares(struct watched *watched, const struct origin *origin,
	struct curl_waitfd *extra, size_t count)
{
	watched->count = socket_pool_watch(&origin->sockets, watched->spares);
	for (size_t i = 0; i < watched->count; i++)
		extra[count++] = (struct curl_waitfd){
			.fd = watched->spares[i].fd, .events = CURL_WAIT_POLLIN};
	return count;
}

/* Takes what poll said of them from extra, and returns where the next origin's begin. */
static const struct curl_waitfd *check_spares(
	struct watched *watched, struct origin *origin, const struct curl_waitfd *extra)
{
	for (size_t i = 0; i < watched->count; i++)
		watched->spares[i].revents = extra[i].revents;
	socket_pool_check(&origin->sockets, watched->spares, watched->count, clock_ms());
	return extra + watched->count;
}

static void wait_for_something(struct fetcher *fetcher, bool is_ready[static ROLE_COUNT])
{
	struct curl_waitfd extra[ORIGINS_MAX * SOCKET_POOL_SPARES + ROLE_COUNT];
	const struct curl_waitfd *next = extra;
	struct origins *origins = &fetcher->origins;
	struct watched watched[ORIGINS_MAX];
	struct pollfd channels[ROLE_COUNT];
	size_t count = 0;

	process_watch(&fetcher->process, channels);
	for (size_t i = 0; i < origins->count; i++)
		count = watch_spares(&watched[i], &origins->items[i], extra, count);
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (channels[i].fd >= 0)
			extra[count++] = (struct curl_waitfd){
				.fd = channels[i].fd, .events = CURL_WAIT_POLLIN};
	}
	http_client_poll(fetcher->http, extra, (unsigned)count, sleep_ms(fetcher));
	for (size_t i = 0; i < origins->count; i++)
		next = check_spares(&watched[i], &origins->items[i], next);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		is_ready[i] = channels[i].fd >= 0 && (next++)->revents != 0;
}

static void take_messages(struct fetcher *fetcher, const bool is_ready[static ROLE_COUNT])
{
	int64_t now_ms = clock_ms();

	if (is_ready[ROLE_SUPERVISOR])
		take_control(fetcher);
	if (is_ready[ROLE_CONNECTOR])
		connections_take(fetcher, now_ms);
	if (is_ready[ROLE_CAPTURE])
		take_lookups(fetcher, now_ms);
	if (is_ready[ROLE_INSTALLER])
		take_renewals(fetcher, now_ms);
}

/* Ends what has ended and starts what can start, until neither changes anything. */
static void run_requests(struct fetcher *fetcher)
{
	size_t started;

	requests_tend(fetcher, clock_ms());
	for (int i = 0; i < ROUNDS_A_TURN; i++) {
		http_client_perform(fetcher->http);
		requests_take_results(fetcher);
		started = requests_start(fetcher, clock_ms());
		if (started == 0)
			break;
		/* The supervisor waits for its answer however much there is to do. */
		take_control(fetcher);
	}
}

void fetcher_turn(struct fetcher *fetcher)
{
	bool is_ready[ROLE_COUNT];
	int64_t now_ms;

	wait_for_something(fetcher, is_ready);
	take_messages(fetcher, is_ready);
	run_requests(fetcher);
	now_ms = clock_ms();
	connections_expire(fetcher, now_ms);
	connections_ask(fetcher, now_ms);
	for (size_t i = 0; i < fetcher->origins.count; i++) {
		if (now_ms - fetcher->asked_ms > SOCKET_POOL_TRIM_MS)
			socket_pool_trim(&fetcher->origins.items[i].sockets);
	}
	lookups_report(fetcher, now_ms);
	if (fetcher->store != NULL)
		cache_store_write(fetcher->store, now_ms);
	fetcher->looked_ms = now_ms;
}
