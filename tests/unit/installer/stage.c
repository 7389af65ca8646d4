/* SPDX-License-Identifier: ISC */
/* The installer with the kernel, the replay socket and the clock replaced. */
#include "stage.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "installer/address_watch.h"
#include "installer/install.h"
#include "installer/renewal.h"
#include "installer/replay.h"
#include "installer/start.h"
#include "installer/survey.h"

struct installer installer;
struct channel capture, fetcher, supervisor;
int64_t now_ms;

struct kernel kernel;

int64_t __wrap_clock_ms(void);
int __wrap_device_set(struct device *device, const struct device_change *changes, size_t count);
int __wrap_replay_send(const struct message_demand *demand);
void __wrap_address_watch_refresh(struct installer *self);

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}

uint32_t number_of(const uint8_t *key)
{
	uint32_t number;

	memcpy(&number, key, sizeof(number));
	return number;
}

static void note(const char *format, uint32_t number)
{
	kernel.used += (size_t)snprintf(
		kernel.text + kernel.used, sizeof(kernel.text) - kernel.used, format, number);
}

int __wrap_device_set(struct device *device, const struct device_change *changes, size_t count)
{
	(void)device;
	kernel.calls++;
	note("[", 0);
	for (size_t i = 0; i < count; i++) {
		uint32_t number = number_of(changes[i].public_key);

		kernel.changes++;
		if ((changes[i].flags & WGPEER_F_REMOVE_ME) != 0)
			note("-", 0);
		if ((changes[i].flags & WGPEER_F_UPDATE_ONLY) != 0)
			note("~", 0);
		if ((changes[i].flags & WGPEER_F_REPLACE_ALLOWEDIPS) != 0)
			note("=", 0);
		if (changes[i].flags == 0)
			note("+", 0);
		note("%u", number);
		if (changes[i].endpoint != NULL)
			note("@%u", changes[i].endpoint_port);
		if (changes[i].sets_keepalive)
			note("k%u", changes[i].persistent_keepalive);
		if (changes[i].preshared_key != NULL)
			kernel.preshared_key = changes[i].preshared_key[0];
		kernel.allowed_ip_count = changes[i].allowed_ip_count;
		if ((changes[i].flags & WGPEER_F_REMOVE_ME) != 0
				? kernel.refuses_removals
				: number == kernel.refused_key && kernel.refused_key != 0) {
			note("!]", 0);
			return -EINVAL;
		}
	}
	note("]", 0);
	return 0;
}

int __wrap_replay_send(const struct message_demand *demand)
{
	kernel.replays++;
	kernel.replayed_initiation = demand->initiation[147];
	note("r%u", number_of(demand->key));
	return 0;
}

void __wrap_address_watch_refresh(struct installer *self)
{
	(void)self;
}

static void connect_pair(struct channel *theirs, enum role peer)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	*theirs = (struct channel){.fd = ends[0], .self = peer, .peer = ROLE_INSTALLER};
	installer.process.channels[peer] =
		(struct channel){.fd = ends[1], .self = ROLE_INSTALLER, .peer = peer};
}

struct message_installer_settings settings_of(enum connect_mode connect, uint32_t max_peers)
{
	return (struct message_installer_settings){.interface = "wg0",
		.connect = connect,
		.allowed = {.count = 2, .item = {prefix_of("10.0.0.0/8"), prefix_of("fd64::/32")}},
		.max_allowed_ips = 4,
		.max_peers = max_peers,
		.idle_after_ms = 300000,
		.unconfirmed_after_ms = 30000,
		.min_revalidate_ms = 10000,
		.on_stale = ON_STALE_KEEP,
		.removal_guard_percent = 5,
		.requests_per_second = 500};
}

void apply(enum connect_mode connect, uint32_t max_peers)
{
	struct message_installer_settings settings = settings_of(connect, max_peers);

	start_apply_settings(&installer, &settings);
}

int set_up(void **state)
{
	(void)state;
	memset(&installer, 0, sizeof(installer));
	memset(&kernel, 0, sizeof(kernel));
	now_ms = 1000000;
	strcpy(installer.interface, "wg0");
	installer.max_peers_at_start = 2000;
	apply(CONNECT_REPLAY, 2000);
	assert_int_equal(peers_init(&installer.peers, 2000, 4), 0);
	assert_int_equal(tickets_init(&installer.tickets, 64), 0);
	installer.secrets = calloc(1, sizeof(*installer.secrets));
	token_bucket_init(&installer.installs, INSTALLS_PER_SECOND, INSTALLS_BURST, now_ms);
	token_bucket_init(&installer.removals, REMOVALS_PER_SECOND, REMOVALS_BURST, now_ms);
	assert_int_equal(renewal_init(&installer), 0);
	survey_init(&installer);
	installer.gateway = (struct gateway){
		.interface_index = 3, .listen_port = LISTEN_PORT, .is_usable = true};
	installer.addresses.count = 1;
	installer.addresses.item[0] = address_of("192.0.2.1");
	connect_pair(&capture, ROLE_CAPTURE);
	connect_pair(&fetcher, ROLE_FETCHER);
	installer.announce.number = 1;
	installer.demands_left = DEMANDS_A_TURN;
	connect_pair(&supervisor, ROLE_SUPERVISOR);
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	channel_close(&capture);
	channel_close(&fetcher);
	channel_close(&supervisor);
	channel_close(&installer.process.channels[ROLE_SUPERVISOR]);
	channel_close(&installer.process.channels[ROLE_CAPTURE]);
	channel_close(&installer.process.channels[ROLE_FETCHER]);
	peers_destroy(&installer.peers);
	tickets_destroy(&installer.tickets);
	free(installer.secrets);
	return 0;
}

struct message_demand demand_of(uint64_t id, uint32_t key)
{
	struct message_demand demand = {.id = id,
		.source = address_of("203.0.113.9"),
		.source_port = 4000,
		.destination = address_of("192.0.2.1"),
		.destination_port = LISTEN_PORT,
		.arrival_index = 2,
		.initiation = {1}};

	make_key(demand.key, key);
	return demand;
}

void demand(uint64_t id, uint32_t key)
{
	struct message_demand message = demand_of(id, key);

	dispatch_demand(&installer, &message);
}

struct message_peer peer_of(uint64_t id, uint32_t key, enum peer_answer answer)
{
	struct message_peer peer = {.id = id, .answer = answer, .valid_ms = 4321};

	make_key(peer.key, key);
	if (answer != PEER_FOUND)
		return peer;
	make_key(peer.public_key, key);
	peer.has_preshared_key = 1;
	memset(peer.preshared_key, 0xee, sizeof(peer.preshared_key));
	peer.allowed_ips.count = 1;
	peer.allowed_ips.item[0] = prefix_of("10.0.0.0/32");
	peer.allowed_ips.item[0].bytes[2] = (uint8_t)(key >> 8);
	peer.allowed_ips.item[0].bytes[3] = (uint8_t)key;
	return peer;
}

void answer(uint64_t id, uint32_t key, enum peer_answer what)
{
	struct message_peer message = peer_of(id, key, what);

	dispatch_peer(&installer, &message);
}

void install(uint64_t id, uint32_t key)
{
	demand(id, key);
	answer(id, key, PEER_FOUND);
	install_flush(&installer);
}

struct peer *find(uint32_t number)
{
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slot;

	make_key(key, number);
	slot = peers_find(&installer.peers, key);
	return slot != KEY_INDEX_NONE ? &installer.peers.items[slot] : NULL;
}

uint64_t expect_outcome(uint64_t id, uint32_t key, enum outcome_result result)
{
	struct message message;

	assert_int_equal(channel_receive(&capture, &message), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_OUTCOME);
	assert_int_equal(message.outcome.id, id);
	assert_int_equal(number_of(message.outcome.key), key);
	assert_int_equal(message.outcome.result, result);
	return message.outcome.hold_ms;
}

void expect_removed(uint32_t key)
{
	struct message message;

	assert_int_equal(channel_receive(&capture, &message), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_REMOVED);
	assert_int_equal(number_of(message.removed.key), key);
}

void expect_silence(void)
{
	struct message message;

	assert_int_equal(channel_receive(&capture, &message), -EAGAIN);
}

void forget_kernel(void)
{
	kernel.used = 0;
	kernel.text[0] = '\0';
}

void expect_kernel(const char *text)
{
	assert_string_equal(kernel.text, text);
	forget_kernel();
}