/* SPDX-License-Identifier: ISC */
/* The fetcher at work. */
#include "fetcher/dispatch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "fetcher/wiping_memory.h"

/* Messages of one process that are read in one turn, so that none starves the others. */
#define MESSAGES_A_TURN 64

/* A request can end as soon as it is started; the rest is left to the next turn. */
#define ROUNDS_A_TURN 16

/* Lines about what isn't bounded by the rate of requests. */
#define LINES_A_SECOND 100

/* The longest sleep; everything that has a time is looked at so often anyway. */
#define TURN_MS 1000

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

/* Settings */

static bool settings_differ(
	const struct message_fetcher_settings *a, const struct message_fetcher_settings *b)
{
	return strcmp(a->url, b->url) != 0 || a->timeout_ms != b->timeout_ms;
}

static bool material_differs(const struct material_set *a, const struct material_set *b)
{
	for (size_t i = 0; i < MATERIAL_KINDS; i++) {
		if (a->items[i].length != b->items[i].length ||
			memcmp(a->items[i].bytes, b->items[i].bytes, a->items[i].length) != 0)
			return true;
	}
	return false;
}

/* Everything under way goes back into the queue, for another origin or other credentials. */
static void break_off(struct fetcher *fetcher)
{
	struct lookup *lookup;

	while ((lookup = http_client_cancel(fetcher->http)) != NULL)
		lookup_table_requeue(fetcher->lookups, lookup);
}

/* 0, or -EINVAL with *what and *why. */
static int check_settings(struct fetcher *fetcher, const struct message_fetcher_settings *settings,
	struct url_template *url, const char **what, const char **why)
{
	struct material_set *fresh = &fetcher->material[!fetcher->in_use];

	*what = "material";
	*why = "could not be read";
	if (fetcher->material_error != 0)
		return -EINVAL;
	*what = "bearer_token_file";
	if (material_trim_token(fresh, why) != 0)
		return -EINVAL;
	*what = "url";
	if (url_template_read(url, settings->url, why) != 0)
		return -EINVAL;
	*what = "ca_file";
	*why = "needed for https";
	return url->https && fresh->items[MATERIAL_CA].length == 0 ? -EINVAL : 0;
}

static void adopt_origin(struct fetcher *fetcher, const struct url_template *url)
{
	fetcher->url = *url;
	break_off(fetcher);
	material_clear(&fetcher->material[fetcher->in_use]);
	fetcher->in_use = !fetcher->in_use;
	if (http_client_configure(fetcher->http, url, &fetcher->material[fetcher->in_use],
		    fetcher->settings.timeout_ms) != 0)
		log_fatal("out_of_memory", "");
	socket_pool_reset(&fetcher->sockets, url->https);
	negative_cache_clear(fetcher->negatives);
	fetcher->held_until_ms = 0;
}

/* A burst of a tenth of a second's worth: no second at the origin shows much more than the rate. */
static void limit_requests(struct fetcher *fetcher, uint64_t per_second)
{
	token_bucket_init(&fetcher->bucket, per_second, per_second / 10, clock_ms());
}

/* Takes settings into use; 0, or -EINVAL when they can't be, with the old ones kept. */
static int apply_settings(struct fetcher *fetcher, const struct message_fetcher_settings *settings)
{
	struct material_set *fresh = &fetcher->material[!fetcher->in_use];
	const char *what, *why;
	struct url_template url;
	bool origin_changes;

	if (check_settings(fetcher, settings, &url, &what, &why) != 0) {
		log_event(LOG_LEVEL_ERROR, "settings_refused", "what=%s reason=\"%s\"", what, why);
		material_clear(fresh);
		fetcher->material_error = 0;
		return -EINVAL;
	}
	origin_changes = settings_differ(&fetcher->settings, settings) ||
			 material_differs(&fetcher->material[fetcher->in_use], fresh);
	if (fetcher->settings.requests_per_second != settings->requests_per_second)
		limit_requests(fetcher, settings->requests_per_second);
	fetcher->settings = *settings;
	if (fetcher->settings.concurrency == 0)
		fetcher->settings.concurrency = 1;
	log_set_verbose(settings->verbose);
	if (origin_changes)
		adopt_origin(fetcher, &url);
	else
		material_clear(fresh);
	return 0;
}

static void take_material(struct fetcher *fetcher, enum material_kind kind, int fd)
{
	int error = material_read(&fetcher->material[!fetcher->in_use], kind, fd);

	if (error == 0)
		return;
	log_event(LOG_LEVEL_ERROR, "material_unreadable", "what=%s error=\"%s\"",
		material_name(kind), strerror(-error));
	fetcher->material_error = error;
}

static void await_settings(struct fetcher *fetcher)
{
	struct message message;
	int fd;

	for (;;) {
		process_await(&fetcher->process, &message, &fd);
		if (message.type == MESSAGE_TYPE_FETCHER_SETTINGS && fd < 0)
			break;
		if (message.type != MESSAGE_TYPE_MATERIAL || fd < 0)
			log_fatal("start_failed", "reason=\"expected settings, got %s\"",
				message_name(message.type));
		take_material(fetcher, (enum material_kind)message.material.kind, fd);
		close(fd);
	}
	if (apply_settings(fetcher, &message.fetcher_settings) != 0)
		log_fatal("start_failed", "reason=\"the settings can't be used\"");
}

void fetcher_open(struct fetcher *fetcher)
{
	if (wiping_memory_install() != 0)
		log_fatal("start_failed", "reason=\"libcurl can't be initialised\"");
	socket_pool_init(&fetcher->sockets);
	limit_requests(fetcher, 0);
	fetcher->lookups = lookup_table_new();
	fetcher->negatives = negative_cache_new();
	fetcher->http = http_client_new(&fetcher->sockets);
	if (fetcher->lookups == NULL || fetcher->negatives == NULL || fetcher->http == NULL ||
		material_open(&fetcher->material[0]) != 0 ||
		material_open(&fetcher->material[1]) != 0)
		log_fatal("out_of_memory", "");
	await_settings(fetcher);
}

/* Answers */

/* Whoever floods us with lookups, or reads no answers, must not flood the log. */
static bool may_log(struct fetcher *fetcher)
{
	return line_budget_take(&fetcher->lines, clock_ms(), LINES_A_SECOND);
}

/* What was lost and failed, in one line now and then. */
static void report(struct fetcher *fetcher, int64_t now_ms)
{
	uint64_t unasked = fetcher->process.channels[ROLE_CONNECTOR].dropped;

	if (count_report_due(&fetcher->report, fetcher->lost + fetcher->failed + unasked, now_ms))
		log_event(LOG_LEVEL_NOTICE, "dropped",
			"answers_lost=%" PRIu64 " lookups_failed=%" PRIu64
			" unsent_connects=%" PRIu64,
			fetcher->lost, fetcher->failed, unasked);
}

/* An answer that finds the installer gone or busy is lost: the client's retry asks again. */
static void send_peer(struct fetcher *fetcher, const struct message *message)
{
	int error = channel_send(&fetcher->process.channels[ROLE_INSTALLER], message);

	if (error == 0)
		return;
	fetcher->lost++;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_WARNING, "answer_lost", "id=%" PRIu64 " error=\"%s\"",
			message->peer.id, strerror(-error));
}

/* Sends the answer to everybody who waits for it. */
static void answer_lookup(
	struct fetcher *fetcher, const struct lookup *lookup, const struct message_peer *peer)
{
	struct message message = {.type = MESSAGE_TYPE_PEER, .peer = *peer};

	for (unsigned i = 0; i < lookup->id_count; i++) {
		message.peer.id = lookup->ids[i];
		send_peer(fetcher, &message);
	}
	explicit_bzero(&message, sizeof(message));
}

static void log_failure(
	struct fetcher *fetcher, const struct lookup *lookup, const struct answer *answer)
{
	char key[KEY_BASE64_BYTES], quoted[LOG_QUOTED_BYTES];
	int64_t now_ms = clock_ms();

	fetcher->failed++;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_WARNING, "answer_failed", "id=%" PRIu64 " key=%s reason=%s",
			lookup_newest_id(lookup), key_to_base64(key, lookup->key),
			log_quote(quoted, answer->reason));
	if (!answer->credentials_refused ||
		(fetcher->loud_ms != 0 && now_ms - fetcher->loud_ms < FETCHER_LOUD_MS))
		return;
	fetcher->loud_ms = now_ms;
	log_event(LOG_LEVEL_ERROR, "credentials_refused",
		"reason=%s hint=\"see bearer_token_file, client_cert_file, client_key_file\"",
		log_quote(quoted, answer->reason));
}

/* Ends a lookup with its answer, and wipes the answer. */
static void end_lookup(struct fetcher *fetcher, struct lookup *lookup, struct answer *answer)
{
	const struct message_peer *peer = &answer->peer;

	if (peer->answer == PEER_FAILED)
		log_failure(fetcher, lookup, answer);
	else if (peer->answer != PEER_FOUND)
		negative_cache_put(fetcher->negatives, lookup->key, (enum peer_answer)peer->answer,
			(uint32_t)peer->valid_ms, clock_ms());
	if (answer->hold_ms > 0)
		fetcher->held_until_ms = clock_ms() + answer->hold_ms;
	answer_lookup(fetcher, lookup, peer);
	lookup_table_remove(fetcher->lookups, lookup);
	explicit_bzero(answer, sizeof(*answer));
}

static void fail_lookup(struct fetcher *fetcher, struct lookup *lookup, const char *reason)
{
	struct answer answer;

	answer_fail(&answer, lookup->key, "%s", reason);
	end_lookup(fetcher, lookup, &answer);
}

static void fail_queued(struct fetcher *fetcher, const char *reason)
{
	struct lookup *lookup;

	while ((lookup = lookup_table_newest(fetcher->lookups)) != NULL)
		fail_lookup(fetcher, lookup, reason);
}

static void log_response(
	const struct lookup *lookup, const struct http_result *result, const struct answer *answer)
{
	char key[KEY_BASE64_BYTES];

	log_event(LOG_LEVEL_INFO, "response",
		"id=%" PRIu64 " key=%s status=%ld answer=%s time_ms=%" PRId64 " http=%s reused=%s",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), result->origin.status,
		answer_name((enum peer_answer)answer->peer.answer), result->time_ms,
		result->version == HTTP_2 ? "2" : "1.1", result->reused ? "yes" : "no");
}

static void take_response(
	struct fetcher *fetcher, struct lookup *lookup, const struct http_result *result)
{
	const struct answer_rules rules = {
		.fresh_ttl_ms = fetcher->settings.fresh_ttl_ms,
		.negative_ttl_ms = fetcher->settings.negative_ttl_ms,
		.max_allowed_ips = fetcher->settings.max_allowed_ips,
	};
	struct answer answer;

	answer_read(&answer, &result->origin, lookup->key, &rules, time(NULL));
	log_response(lookup, result, &answer);
	end_lookup(fetcher, lookup, &answer);
}

static void take_result(struct fetcher *fetcher, const struct http_result *result)
{
	struct lookup *lookup = result->context;

	if (result->end == HTTP_COMPLETE) {
		take_response(fetcher, lookup, result);
		return;
	}
	if (result->end == HTTP_NO_SOCKET) {
		token_bucket_return(&fetcher->bucket);
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	if (result->end == HTTP_CLOSED_UNUSED && !lookup->retried) {
		lookup->retried = true;
		lookup_table_requeue(fetcher->lookups, lookup);
		return;
	}
	fail_lookup(fetcher, lookup, result->reason);
}

static void take_results(struct fetcher *fetcher)
{
	struct http_result result;

	while (http_client_finished(fetcher->http, &result)) {
		take_result(fetcher, &result);
		http_client_release(fetcher->http, &result);
	}
}

/* Requests */

static void start_request(struct fetcher *fetcher, struct lookup *lookup)
{
	char key[KEY_BASE64_BYTES], url[URL_BYTES];

	lookup_table_start(fetcher->lookups, lookup);
	/* Its length was tried with another key when the settings came. */
	if (url_template_expand(&fetcher->url, url, lookup->key) == NULL ||
		http_client_start(fetcher->http, url, lookup) != 0) {
		fail_lookup(fetcher, lookup, "no memory for the request");
		return;
	}
	log_event(LOG_LEVEL_INFO, "request", "id=%" PRIu64 " key=%s url=%s",
		lookup_newest_id(lookup), key_to_base64(key, lookup->key), url);
}

static bool is_held(const struct fetcher *fetcher, int64_t now_ms)
{
	return now_ms < fetcher->held_until_ms;
}

static bool can_start(const struct fetcher *fetcher, int64_t now_ms)
{
	size_t active = lookup_table_active(fetcher->lookups);

	return lookup_table_queued(fetcher->lookups) > 0 && !is_held(fetcher, now_ms) &&
	       active < fetcher->settings.concurrency &&
	       socket_pool_can_start(&fetcher->sockets, active);
}

/* Returns how many it started. */
static size_t start_requests(struct fetcher *fetcher, int64_t now_ms)
{
	size_t started = 0;

	for (; can_start(fetcher, now_ms) && token_bucket_take(&fetcher->bucket, now_ms); started++)
		start_request(fetcher, lookup_table_newest(fetcher->lookups));
	return started;
}

/* Gives up what has waited too long, or is going to. */
static void expire_lookups(struct fetcher *fetcher, int64_t now_ms)
{
	struct lookup *lookup;

	while ((lookup = lookup_table_oldest(fetcher->lookups)) != NULL) {
		int64_t until_ms = lookup->asked_ms + FETCHER_PATIENCE_MS;

		if (now_ms >= until_ms)
			fail_lookup(fetcher, lookup, "waited 5000 ms for its turn");
		else if (fetcher->held_until_ms >= until_ms)
			fail_lookup(fetcher, lookup, "the origin asked to wait (Retry-After)");
		else
			break;
	}
}

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

static void ask_for_sockets(struct fetcher *fetcher, int64_t now_ms)
{
	struct channel *connector = &fetcher->process.channels[ROLE_CONNECTOR];
	size_t wanted = socket_pool_wanted(&fetcher->sockets, lookup_table_queued(fetcher->lookups),
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
static void ask_again(struct fetcher *fetcher)
{
	for (size_t i = 0; i < fetcher->sockets.connect_count; i++) {
		struct connect_request *request = &fetcher->sockets.connects[i];
		struct message message = {.type = MESSAGE_TYPE_CONNECT};

		message.connect.id = request->id;
		request->asked_ms = clock_ms();
		channel_send(&fetcher->process.channels[ROLE_CONNECTOR], &message);
	}
}

/* Messages */

static bool answer_from_cache(
	struct fetcher *fetcher, const struct message_lookup *lookup, int64_t now_ms)
{
	struct message message = {.type = MESSAGE_TYPE_PEER};
	char key[KEY_BASE64_BYTES];
	enum peer_answer answer;
	uint32_t left_ms = negative_cache_get(fetcher->negatives, lookup->key, &answer, now_ms);

	if (left_ms == 0)
		return false;
	message.peer.id = lookup->id;
	memcpy(message.peer.key, lookup->key, sizeof(message.peer.key));
	message.peer.answer = answer;
	message.peer.valid_ms = left_ms;
	if (may_log(fetcher))
		log_event(LOG_LEVEL_INFO, "answer_cached",
			"id=%" PRIu64 " key=%s answer=%s valid_ms=%u", lookup->id,
			key_to_base64(key, lookup->key), answer_name(answer), left_ms);
	send_peer(fetcher, &message);
	return true;
}

static void take_lookup(
	struct fetcher *fetcher, const struct message_lookup *message, int64_t now_ms)
{
	struct lookup *displaced;
	char key[KEY_BASE64_BYTES];
	enum lookup_added added;

	fetcher->asked_ms = now_ms;
	if (answer_from_cache(fetcher, message, now_ms))
		return;
	added = lookup_table_add(fetcher->lookups, message->key, message->id, now_ms, &displaced);
	if (displaced != NULL)
		fail_lookup(fetcher, displaced, "too many lookups wait");
	if (added == LOOKUP_COLLAPSED && may_log(fetcher))
		log_event(LOG_LEVEL_INFO, "collapsed", "id=%" PRIu64 " key=%s", message->id,
			key_to_base64(key, message->key));
}

static void take_control(struct fetcher *fetcher)
{
	struct message message;
	int fd;

	while (process_receive_control(&fetcher->process, &message, &fd)) {
		if (message.type == MESSAGE_TYPE_FETCHER_SETTINGS)
			apply_settings(fetcher, &message.fetcher_settings);
		else if (message.type == MESSAGE_TYPE_MATERIAL && fd >= 0)
			take_material(fetcher, (enum material_kind)message.material.kind, fd);
		else if (message.type == MESSAGE_TYPE_RENEW && message.renew.role == ROLE_CONNECTOR)
			ask_again(fetcher);
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
		take_lookup(fetcher, &message.lookup, now_ms);
	}
}

static void take_socket(
	struct fetcher *fetcher, const struct message_connected *message, int fd, int64_t now_ms)
{
	if (fd < 0)
		process_report_offence(&fetcher->process, ROLE_CONNECTOR);
	else if (socket_pool_connected(&fetcher->sockets, message->id, fd, now_ms) != 0)
		close(fd); /* asked for before the settings changed */
}

/* Without anything under way that could make room, waiting any longer is for nothing. */
static void fail_stranded(struct fetcher *fetcher, const char *reason)
{
	size_t active = lookup_table_active(fetcher->lookups);

	if (active == 0 && !socket_pool_can_start(&fetcher->sockets, 0))
		fail_queued(fetcher, reason);
}

static void take_connect_failure(
	struct fetcher *fetcher, const struct message_connect_failed *message, int64_t now_ms)
{
	if (socket_pool_connect_failed(&fetcher->sockets, message->id, now_ms) == 0)
		fail_stranded(fetcher, message->reason);
}

static void take_sockets(struct fetcher *fetcher, int64_t now_ms)
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

/* The installer has nothing to say yet; its end is noticed, and anything else is an offence. */
static void take_installer(struct fetcher *fetcher)
{
	struct message message;

	process_receive(&fetcher->process, ROLE_INSTALLER, &message);
}

/* The loop */

/* The earlier of wake_ms and at_ms; what was due when the last turn looked was done then. */
static int64_t wake_at(const struct fetcher *fetcher, int64_t wake_ms, int64_t at_ms)
{
	return at_ms > fetcher->looked_ms && at_ms < wake_ms ? at_ms : wake_ms;
}

/* How long there is nothing to do but for sockets and messages. */
static int sleep_ms(struct fetcher *fetcher)
{
	const struct lookup *oldest = lookup_table_oldest(fetcher->lookups);
	int64_t now_ms = clock_ms();
	int64_t wake_ms = now_ms + TURN_MS;

	wake_ms = wake_at(
		fetcher, wake_ms, socket_pool_retry_at_ms(&fetcher->sockets, oldest != NULL));
	if (oldest != NULL) {
		wake_ms = wake_at(fetcher, wake_ms, oldest->asked_ms + FETCHER_PATIENCE_MS);
		wake_ms = wake_at(fetcher, wake_ms, fetcher->held_until_ms);
	}
	if (can_start(fetcher, now_ms) &&
		now_ms + token_bucket_wait_ms(&fetcher->bucket, now_ms) < wake_ms)
		wake_ms = now_ms + token_bucket_wait_ms(&fetcher->bucket, now_ms);
	return wake_ms > now_ms ? (int)(wake_ms - now_ms) : 0;
}

static void wait_for_something(struct fetcher *fetcher, bool is_ready[static ROLE_COUNT])
{
	struct curl_waitfd extra[SOCKET_POOL_SPARES + ROLE_COUNT];
	struct pollfd channels[ROLE_COUNT], spares[SOCKET_POOL_SPARES];
	size_t spare_count = socket_pool_watch(&fetcher->sockets, spares);
	size_t count = spare_count;

	process_watch(&fetcher->process, channels);
	for (size_t i = 0; i < spare_count; i++)
		extra[i] = (struct curl_waitfd){.fd = spares[i].fd, .events = CURL_WAIT_POLLIN};
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (channels[i].fd >= 0)
			extra[count++] = (struct curl_waitfd){
				.fd = channels[i].fd, .events = CURL_WAIT_POLLIN};
	}
	http_client_poll(fetcher->http, extra, (unsigned)count, sleep_ms(fetcher));
	for (size_t i = 0; i < spare_count; i++)
		spares[i].revents = extra[i].revents;
	socket_pool_check(&fetcher->sockets, spares, spare_count, clock_ms());
	count = spare_count;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		is_ready[i] = channels[i].fd >= 0 && extra[count++].revents != 0;
}

static void take_messages(struct fetcher *fetcher, const bool is_ready[static ROLE_COUNT])
{
	int64_t now_ms = clock_ms();

	if (is_ready[ROLE_SUPERVISOR])
		take_control(fetcher);
	if (is_ready[ROLE_CONNECTOR])
		take_sockets(fetcher, now_ms);
	if (is_ready[ROLE_CAPTURE])
		take_lookups(fetcher, now_ms);
	if (is_ready[ROLE_INSTALLER])
		take_installer(fetcher);
}

/* Ends what has ended and starts what can start, until neither changes anything. */
static void run_requests(struct fetcher *fetcher)
{
	size_t started;

	expire_lookups(fetcher, clock_ms());
	for (int i = 0; i < ROUNDS_A_TURN; i++) {
		http_client_perform(fetcher->http);
		take_results(fetcher);
		started = start_requests(fetcher, clock_ms());
		if (started == 0)
			break;
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
	if (socket_pool_expire(&fetcher->sockets,
		    (int64_t)fetcher->settings.timeout_ms + CONNECT_EXTRA_MS, now_ms) > 0)
		fail_stranded(fetcher, "the connector doesn't answer");
	ask_for_sockets(fetcher, now_ms);
	if (now_ms - fetcher->asked_ms > SOCKET_POOL_TRIM_MS)
		socket_pool_trim(&fetcher->sockets);
	report(fetcher, now_ms);
	fetcher->looked_ms = now_ms;
}
