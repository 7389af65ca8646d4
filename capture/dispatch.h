/* SPDX-License-Identifier: ISC */
/*
 * capture at work: packets in, DEMAND and LOOKUP out, and what the supervisor and the installer
 * say.
 *
 * Packets wait here rather than in their socket, which would keep the oldest and drop the newest:
 * each turn of the loop first empties it, as far as the cheap checks go, and then does curve work
 * for a while, in the schedule's order. Both are bounded, so that messages never wait for long.
 *
 * A demand goes to the installer first (it makes the ticket) and, once that is queued, as LOOKUP to
 * the fetcher. What can't be sent because a queue is full, or because nobody is at the other end,
 * stays owed by the pending demand: it is tried again soon, or when the channel is renewed. A
 * renewed channel begins empty and the process behind it knows nothing, so all pending demands are
 * sent again: to a new fetcher the LOOKUP, to a new installer both, for an answer may have been
 * lost with the old one.
 */
#ifndef PULLGATE_CAPTURE_DISPATCH_H
#define PULLGATE_CAPTURE_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/judge.h"
#include "capture/packet_batch.h"
#include "capture/schedule.h"
#include "common/line_budget.h"
#include "common/message.h"
#include "common/process.h"

/* Locked memory of the process; `incoming` takes the private key on its way. */
struct capture_secrets {
	struct judge_secrets judge;
	struct message incoming;
};

struct dispatch {
	struct process *process;
	struct judge *judge;
	struct schedule schedule;
	int64_t (*clock_us)(void); /* clock_us of common/clock.h; tests have their own */
	struct capture_secrets *secrets;
	uint64_t max_peers;
	bool verbose;
	bool owes; /* a queue was full: something is to be sent again soon */
	struct line_budget demand_lines, drop_lines;
	struct count_report dropped_report;
	int64_t reported_ms;
	uint64_t packets, reported_packets, expired, stale_outcomes, not_kept;
	struct packet_batch batch;
};

/* Everything stays the caller's. `settings` are those that the judge was made with. */
void dispatch_init(struct dispatch *dispatch, struct process *process, struct judge *judge,
	struct capture_secrets *secrets, const struct message_capture_settings *settings);

/* One message of the supervisor, a RENEW that was carried out among them. */
void dispatch_control(struct dispatch *dispatch, const struct message *message);

/* One message of the installer; a private key in it is wiped. */
void dispatch_installer(struct dispatch *dispatch, struct message *message, int64_t now_ms);

/* One packet, as judge_arrival takes it; what passes waits for dispatch_work. */
void dispatch_packet(struct dispatch *dispatch, const uint8_t *data, size_t bytes,
	const struct sockaddr_ll *from, int64_t now_ms);

/* A turn's share of curve work, and the demands that come of it. */
void dispatch_work(struct dispatch *dispatch);

/* What is due by itself: demands that expire or are owed, and the line of counters. */
void dispatch_due(struct dispatch *dispatch, int64_t now_ms);

/* Milliseconds until dispatch_work or dispatch_due has something to do. */
int dispatch_timeout(struct dispatch *dispatch);

/* The process' loop. It ends when the supervisor does. */
_Noreturn void dispatch_run(struct dispatch *dispatch, int packet_fd);

#endif
