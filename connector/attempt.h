/* SPDX-License-Identifier: ISC */
/*
 * One CONNECT: tries an origin's addresses in their order, without blocking, within one time-out.
 * Each address gets its share of the time that is left, so that a dead first one does not use up
 * all of it.
 */
#ifndef PULLGATE_CONNECTOR_ATTEMPT_H
#define PULLGATE_CONNECTOR_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "connector/addresses.h"

/* Half-dead connections are found by the kernel: an idle one is probed after 30 s, three times, and
 * sent bytes that nobody acknowledges for 10 s end it. */
#define ATTEMPT_KEEPALIVE_IDLE_S     30
#define ATTEMPT_KEEPALIVE_INTERVAL_S 10
#define ATTEMPT_KEEPALIVE_COUNT      3
#define ATTEMPT_UNACKNOWLEDGED_MS    10000

#define ATTEMPT_REASON_BYTES 128 /* as CONNECT_FAILED has it, with the terminating zero */

enum attempt_state { ATTEMPT_PENDING, ATTEMPT_CONNECTED, ATTEMPT_FAILED };

struct attempt {
	uint64_t id;
	uint64_t origin; /* the caller's: which one it is for */
	int fd;      /* becomes writable when it is decided; -1 when no address is being tried */
	size_t next; /* index of the address to try after this one */
	struct address_list list;
	int64_t deadline_ms;               /* of the whole */
	int64_t address_deadline_ms;       /* of the address being tried */
	char reason[ATTEMPT_REASON_BYTES]; /* why the last address failed */
};

/*
 * Begins. ATTEMPT_PENDING: poll fd for POLLOUT until address_deadline_ms, then
 * attempt_continue(). ATTEMPT_CONNECTED: fd is the socket, non-blocking and close-on-exec, and the
 * caller's. ATTEMPT_FAILED: reason says why, fd is -1.
 */
enum attempt_state attempt_begin(struct attempt *attempt, uint64_t id,
	const struct address_list *list, int64_t timeout_ms, int64_t now_ms);

/* Goes on; is_ready tells whether poll said anything of fd. */
enum attempt_state attempt_continue(struct attempt *attempt, bool is_ready, int64_t now_ms);

/* Breaks off. */
void attempt_cancel(struct attempt *attempt);

/* The address of a connected attempt. */
const struct sockaddr_storage *attempt_address(const struct attempt *attempt);

#endif
