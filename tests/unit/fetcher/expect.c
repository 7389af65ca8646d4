/* SPDX-License-Identifier: ISC */
/* What tests of the two real processes expect of them. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct origin origin;
char ca_path[128];

void make_key(uint8_t key[static 32], unsigned number)
{
	memset(key, 0x5a, 32);
	memcpy(key, &number, sizeof(number));
}

struct pair_settings http_settings(void)
{
	return (struct pair_settings){.host = "127.0.0.1",
		.port = ORIGIN_HTTP,
		.url = "http://127.0.0.1:8080/peer/{key}"};
}

struct pair_settings https_settings(uint16_t port)
{
	struct pair_settings settings = {.host = "localhost", .port = port};

	settings.url = port == ORIGIN_HTTPS_1   ? "https://localhost:8441/peer/{key}"
		       : port == ORIGIN_HTTPS_2 ? "https://localhost:8442/peer/{key}"
						: "https://localhost:8443/peer/{key}";
	settings.materials[MATERIAL_CA] = ca_path;
	return settings;
}

void expect_answer(struct pair *pair, const uint8_t key[static 32], struct message_peer *peer,
	enum peer_answer answer)
{
	if (pair_fetch(pair, key, peer) == answer)
		return;
	pair_show_log(pair);
	fail_msg("answer %d where %d is right", (int)peer->answer, (int)answer);
}

void expect_found(struct pair *pair, unsigned number)
{
	struct message_peer peer;
	uint8_t key[32];

	make_key(key, number);
	origin_put(&origin, key, "\"allowed_ips\": [\"10.64.0.7/32\"]");
	expect_answer(pair, key, &peer, PEER_FOUND);
	assert_memory_equal(peer.public_key, key, 32);
	assert_int_equal(peer.allowed_ips.count, 1);
}

void expect_failed(struct pair *pair, unsigned number, const char *reason)
{
	unsigned before = pair_logged(pair, reason);
	struct message_peer peer;
	uint8_t key[32];

	make_key(key, number);
	assert_int_equal(pair_fetch(pair, key, &peer), PEER_FAILED);
	if (pair_logged(pair, reason) == before) { /* each retry has its line too */
		pair_show_log(pair);
		fail_msg("not logged: %s", reason);
	}
}

/* Once the origin is back it is found to be, at the latest after the breaker's longest pause. */
void find_again(struct pair *pair, unsigned number)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	struct message_peer peer = {.answer = PEER_FAILED};
	uint8_t key[32];

	make_key(key, number);
	origin_put(&origin, key, "\"allowed_ips\": [\"10.64.0.7/32\"]");
	for (int i = 0; i < 200 && pair_fetch(pair, key, &peer) != PEER_FOUND; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(peer.answer, PEER_FOUND);
}

int open_origin(void **state)
{
	(void)state;
	origin_open(&origin);
	snprintf(ca_path, sizeof(ca_path), "%s", origin_path(&origin, "ca.pem"));
	origin_start(&origin);
	return 0;
}

int close_origin(void **state)
{
	(void)state;
	origin_close(&origin);
	return 0;
}
