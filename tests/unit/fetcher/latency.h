/* SPDX-License-Identifier: ISC */
/*
 * Latency for tests without netem: a TUN device, and a process that gives each packet back after a
 * time with its two addresses exchanged. So whoever connects to LATENCY_ADDRESS reaches the servers
 * of this network namespace that listen on all addresses, and the checksums stay right.
 */
#ifndef PULLGATE_TEST_LATENCY_H
#define PULLGATE_TEST_LATENCY_H

#include <sys/types.h>

#define LATENCY_ADDRESS "10.99.0.2"

/* Each way. Returns the process, or -1 where there is no TUN device. */
pid_t latency_start(int one_way_ms);
void latency_stop(pid_t relay);

#endif
