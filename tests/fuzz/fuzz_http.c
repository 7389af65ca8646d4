/* SPDX-License-Identifier: ISC */
/*
 * The bytes of an origin's response, through libcurl as the fetcher uses it: the input is all that
 * the origin sends over a connection before it closes.
 */
#include "fetcher/http_client.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "fetcher/url_template.h"
#include "fetcher/wiping_memory.h"
#include "tests/fuzz/fuzz.h"

enum { ROUNDS_MAX = 200, ROUND_MS = 100, SENT_MAX = 160 * 1024 };

static const uint8_t key[WIREGUARD_KEY_BYTES] = {1};
static struct socket_pool pool;
static struct material_set material;
static struct url_template url;

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	const char *reason;

	(void)argument_count, (void)arguments;
	FUZZ_CHECK(wiping_memory_install() == 0);
	FUZZ_CHECK(material_open(&material) == 0);
	FUZZ_CHECK(url_template_read(&url, "http://origin.example/peer/{key}", &reason) == 0);
	socket_pool_init(&pool);
	return 0;
}

static int lowest_free(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 0);

	FUZZ_CHECK(fd >= 0);
	close(fd);
	return fd;
}

/* A connection; the origin's end of it. */
static int connect_origin(void)
{
	int ends[2], room = SENT_MAX;
	static uint64_t id;

	socket_pool_ask(&pool, ++id, clock_ms());
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	FUZZ_CHECK(socket_pool_connected(&pool, id, ends[1], clock_ms()) == 0);
	return ends[0];
}

/* The response, once there is a request: the pool closes a spare that speaks unasked. */
static void respond(int origin, const uint8_t *data, size_t size)
{
	char request[2048];

	FUZZ_CHECK(recv(origin, request, sizeof(request), 0) > 0);
	FUZZ_CHECK(memmem(request, sizeof(request), "GET /peer/AQAAA", 15) == request);
	FUZZ_CHECK(send(origin, data, size, MSG_NOSIGNAL) == (ssize_t)size || size > 100000);
	shutdown(origin, SHUT_WR);
}

static void check_text(const char *text, size_t size)
{
	FUZZ_CHECK(text != NULL && strnlen(text, size) < size);
}

/* What http_client.h says of a result, and answer.h of what it means. */
static void check_result(const struct http_result *result)
{
	static struct answer answer;
	const struct answer_rules rules = {.found = {.fresh_ms = 1}, .max_allowed_ips = 64};

	FUZZ_CHECK(result->end == HTTP_COMPLETE || result->end == HTTP_FAILED);
	if (result->end == HTTP_FAILED) {
		check_text(result->reason, sizeof(result->reason));
		FUZZ_CHECK(result->reason[0] != '\0');
		return;
	}
	FUZZ_CHECK(result->version == HTTP_1 && !result->reused);
	FUZZ_CHECK(result->origin.length <= HTTP_CLIENT_BODY_BYTES);
	check_text(result->origin.cache_control, HTTP_CLIENT_FIELD_BYTES);
	check_text(result->origin.age.age, HTTP_CLIENT_FIELD_BYTES);
	check_text(result->origin.age.date, HTTP_CLIENT_FIELD_BYTES);
	check_text(result->origin.etag, HTTP_CLIENT_FIELD_BYTES);
	check_text(result->origin.last_modified, HTTP_CLIENT_FIELD_BYTES);
	check_text(result->origin.retry_after, HTTP_CLIENT_FIELD_BYTES);
	answer_read(&answer, &result->origin, key, &rules, 1790000000);
	FUZZ_CHECK(answer.peer.answer != PEER_FOUND || result->origin.status == 200);
}

static void run(struct http_client *client, int origin, const uint8_t *data, size_t size)
{
	const struct http_options options = {
		.material = &material, .pinned_public_keys = "", .timeout_ms = 10000};
	struct http_route *route = http_client_add_route(client, &pool);
	struct http_result result;
	char expanded[URL_BYTES];

	FUZZ_CHECK(route != NULL && http_client_configure(client, &options) == 0);
	url_template_expand(&url, expanded, key);
	FUZZ_CHECK(http_client_start(client, route, expanded, NULL, &result) == 0);
	http_client_perform(client);
	respond(origin, data, size);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		http_client_perform(client);
		if (http_client_finished(client, &result)) {
			FUZZ_CHECK(result.context == &result);
			check_result(&result);
			http_client_release(client, &result);
			return;
		}
		http_client_poll(client, NULL, 0, ROUND_MS);
	}
	FUZZ_CHECK(false && "a response that is over ends its transfer");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int lowest = lowest_free(), origin = connect_origin();
	struct http_client *client = http_client_new();

	FUZZ_CHECK(client != NULL);
	run(client, origin, data, size);
	http_client_free(client);
	FUZZ_CHECK(pool.connection_count == 0 && pool.spare_count == 0);
	socket_pool_reset(&pool, false);
	close(origin);
	FUZZ_CHECK(lowest_free() == lowest);
	return 0;
}
