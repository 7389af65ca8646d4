/* SPDX-License-Identifier: ISC */
/*
 * The installer as capture and fetcher see it, with the kernel, the replay socket and the clock
 * replaced, for tests that link with --wrap (CMakeLists.txt).
 */
#ifndef PULLGATE_TESTS_UNIT_INSTALLER_STAGE_H
#define PULLGATE_TESTS_UNIT_INSTALLER_STAGE_H

#include "common/channel.h"
#include "installer/dispatch.h"
#include "unit.h"

#define LISTEN_PORT 51820

extern struct installer installer;
extern struct channel capture, fetcher, supervisor; /* their ends */
extern int64_t now_ms;

/*
 * What the kernel was told. text has a message in brackets; in it for each change the flags
 * (+ none, - remove, ~ update only, = replace allowed IPs), the key's number, @ and the endpoint's
 * port, k and the keepalive; r and a number is a replay.
 */
extern struct kernel {
	unsigned calls, changes;
	char text[65536];
	size_t used;
	uint32_t refused_key; /* refuses a message with this key in it; 0: none */
	bool refuses_removals;
	unsigned replays;
	uint8_t replayed_initiation;
	/* Of the last change. */
	uint8_t preshared_key;
	uint32_t allowed_ip_count;
} kernel;

int set_up(void **state);
int tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

struct message_installer_settings settings_of(enum connect_mode connect, uint32_t max_peers);
void apply(enum connect_mode connect, uint32_t max_peers);

uint32_t number_of(const uint8_t *key);
struct message_demand demand_of(uint64_t id, uint32_t key);
struct message_peer peer_of(uint64_t id, uint32_t key, enum peer_answer answer);

/* What capture and fetcher say; install() is a demand and its answer, and the kernel told. */
void demand(uint64_t id, uint32_t key);
void answer(uint64_t id, uint32_t key, enum peer_answer what);
void install(uint64_t id, uint32_t key);

/* The peer, or NULL. */
struct peer *find(uint32_t number);

/* The next message to capture must be this one; for how long the outcome holds. */
uint64_t expect_outcome(uint64_t id, uint32_t key, enum outcome_result result);
void expect_removed(uint32_t key);
void expect_silence(void);

/* The kernel must have been told this since the last time. */
void expect_kernel(const char *text);
void forget_kernel(void);

#endif
