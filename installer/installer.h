/* SPDX-License-Identifier: ISC */
/*
 * The whole state of pullgate-installer, and the constants that bound it. The way of a demand
 * through the files: dispatch.c takes DEMAND and PEER; tickets.c and policy.c judge; install.c tells
 * the kernel by device.c and replays by replay.c; announce.c tells capture. Beside it survey.c reads
 * the interface again and again, reconcile.c compares, sweep.c removes. And who is installed is asked
 * about again by renewal.c when freshness.c says so; renewal_answer.c takes the answer, update.c or
 * condemned.c does what follows from it, removal_guard.c doubts it.
 */
#ifndef PULLGATE_INSTALLER_INSTALLER_H
#define PULLGATE_INSTALLER_INSTALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/line_budget.h"
#include "common/process.h"
#include "common/siphash.h"
#include "common/token_bucket.h"
#include "installer/addresses.h"
#include "installer/device.h"
#include "installer/eviction.h"
#include "installer/peers.h"
#include "installer/policy.h"
#include "installer/questions.h"
#include "installer/reconcile.h"
#include "installer/tickets.h"

enum {
	/* Peers that share one message to the kernel: 94 us each instead of 130 (measured). */
	INSTALL_BATCH = 32,

	/*
	 * Bounds on what an owned capture and fetcher could do together. Two thousand a second is what
	 * one processor's kernel installs in a quarter of its time, and four times an origin's default
	 * rate; updates count as installations. Removals by answers (404, 410) are the rarer.
	 */
	INSTALLS_PER_SECOND = 2000,
	INSTALLS_BURST = 4000,
	REMOVALS_PER_SECOND = 100,
	REMOVALS_BURST = 1000,

	/* Peers without a handshake: an eighth of max_peers, but so many at least. */
	UNCONFIRMED_MIN = 1024,
	UNCONFIRMED_PART = 8,

	/* What one turn reads at most, so that no neighbour keeps us from the others: of each channel,
	 * and of demands in all, which answers without a ticket make us look for (dispatch.c). The
	 * latter is more than the channel's queue can hold. */
	MESSAGES_A_TURN = 64,
	DEMANDS_A_TURN = 4096,

	/* A capture whose queue stays full for so long reads nothing, or pretends to. */
	CAPTURE_DEAF_MS = 10000,

	/* Lines about refused answers. */
	REFUSAL_LINES_A_SECOND = 50,

	/* Room in the table of allowed IPs: this many a peer on average. */
	ALLOWED_IPS_A_PEER = 4,
};

/* Secrets at rest lie here, in locked memory that is left out of dumps. Copies on the stack and in
 * libnl's outgoing messages are wiped within the call that makes them. */
struct secrets {
	uint8_t netlink_buffer[NETLINK_BUFFER_BYTES] __attribute__((aligned(16)));
	uint8_t private_key[WIREGUARD_KEY_BYTES];
	struct install_item {
		struct ticket *ticket;
		uint32_t slot; /* its peer */
		bool is_new;   /* the table had no such peer before */
		bool replaces_allowed_ips;
		struct message_peer peer; /* with the preshared key */
	} batch[INSTALL_BATCH];
};

/* The interface as it was last seen. */
struct gateway {
	uint32_t interface_index;
	uint16_t listen_port;
	uint8_t public_key[WIREGUARD_KEY_BYTES];
	bool is_usable; /* has a private key and a listen port */
	bool is_gone;   /* was missing or no WireGuard when last looked for */
};

/* The reading of the interface, over and over. */
struct survey {
	int64_t next_ms;               /* when the next dump begins */
	int64_t began_ms;              /* the reading under way, interrupted attempts included */
	int64_t ended_ms, duration_ms; /* of the last one */
	unsigned attempts;             /* dumps in a row that were interrupted */
	int64_t progress_ms;           /* when the last packet of the dump under way came */
	int last_error;                /* so that one trouble is one line */
	struct device_reader reader;
};

/* What follows a dump: who is gone, who must go. */
struct sweep {
	bool is_running;
	uint32_t next_slot;
	int64_t resume_ms;
	struct eviction_candidates candidates;
};

/* What capture has yet to be told. */
struct announce {
	bool owes_gateway, owes_addresses, owes_known;
	uint32_t number;       /* of the capture process that it is told to; peers carry theirs */
	uint32_t next_slot;    /* where the walk over the peers goes on */
	bool restarts;         /* peers came behind it: walk once more */
	int64_t full_since_ms; /* capture's queue was found full then, and not emptied since; 0: no */
};

/* The asking about installed peers, over and over. */
struct renewal {
	uint32_t min_revalidate_ms;
	enum on_stale on_stale;
	uint32_t guard_percent;
	uint32_t requests_per_second; /* the fetcher's */
	struct token_bucket pace;
	uint8_t seed[SIPHASH_SEED_BYTES];
	uint64_t drawn; /* numbers from it */
	struct questions questions;
	int64_t resume_ms; /* the fetcher had no room for questions: none before */
	int64_t look_ms;   /* when those without an answer are next looked for */
	int64_t remove_ms; /* condemned peers rest until then */
	uint64_t unanswered;
	struct renewal_lines {
		bool said_stopped;
		int64_t stopped_ms, stale_ms, not_held_ms; /* each is said again then */
	} lines;
};

struct counters {
	uint64_t without_ticket;  /* PEERs that nobody waited for */
	uint64_t refused_demands; /* for a full table of tickets */
	uint64_t rate_limited;    /* installations and removals */
	uint64_t rejected;        /* by the policy */
	uint64_t no_room;         /* max_peers, or too many unconfirmed ones */
	struct count_report report;
	struct line_budget refusal_lines;
};

struct installer {
	struct process process;
	char interface[16];
	enum connect_mode connect;
	uint32_t max_peers, max_peers_at_start;
	struct eviction eviction;
	struct policy policy;

	struct secrets *secrets;
	struct device device;
	struct netlink route, notices; /* questions about addresses; notices of their change */
	struct gateway gateway;
	struct addresses addresses;
	bool owes_device; /* the supervisor has yet to be told DEVICE */

	struct peers peers;
	struct tickets tickets;
	struct reconcile reconcile;
	uint32_t batch_count;
	uint32_t demands_left; /* of DEMANDS_A_TURN */
	struct token_bucket installs, removals;
	struct renewal renewal;

	struct survey survey;
	struct sweep sweep;
	struct announce announce;
	struct counters counters;
};

#endif
