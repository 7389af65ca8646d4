/* SPDX-License-Identifier: ISC */
/* A judge with a gateway's key and address, and clients that send it packets. */
#ifndef PULLGATE_TEST_GATEWAY_FIXTURE_H
#define PULLGATE_TEST_GATEWAY_FIXTURE_H

#include <linux/if_packet.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/judge.h"

enum { FIXTURE_INTERFACE = 7, FIXTURE_UPLINK = 2, FIXTURE_PORT = 51820 };

struct party {
	uint8_t private_key[WIREGUARD_KEY_BYTES];
	uint8_t public_key[WIREGUARD_KEY_BYTES];
};

struct gateway_fixture {
	struct party gateway;
	struct judge_secrets secrets;
	struct judge judge;
	void *timestamps;
	size_t timestamps_bytes;
};

/* A packet as the packet socket gives it. */
struct arrival {
	uint8_t data[PACKET_BYTES_MAX];
	size_t bytes;
	struct sockaddr_ll from;
};

void make_party(struct party *party);

/* A ready judge that answers for 192.0.2.1 and 2001:db8::1, with 10/s burst 20 a source. */
void fixture_open(struct gateway_fixture *fixture);
void fixture_close(struct gateway_fixture *fixture);

/* The judge's process ends and another one begins, with the same timestamps. */
void fixture_restart(struct gateway_fixture *fixture);

/*
 * The client's initiation with timestamp number `number`, from 203.0.113.HOST over IPv4. The bytes
 * of the message begin at arrival->data + 28.
 */
struct arrival initiation_from(const struct gateway_fixture *fixture, const struct party *client,
	uint32_t number, uint8_t host);

/* The same message from another address. */
struct arrival sent_from(const struct arrival *arrival, uint8_t host);

/* Judges it, without having it wait. `demand` may be NULL. */
enum judgement judge_arrival_at(struct gateway_fixture *fixture, const struct arrival *arrival,
	int64_t now_ms, struct key_demand **demand);

/* As if the client had been installed before. */
void vouch_for(struct gateway_fixture *fixture, const struct party *client);

/* The outcome of the demand that is pending for that client; fails the test without one. */
void end_demand_of(struct gateway_fixture *fixture, const struct party *client,
	enum outcome_result result, uint64_t hold_ms, int64_t now_ms);

#endif
