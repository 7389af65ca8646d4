/* SPDX-License-Identifier: ISC */
/* What tests of the two real processes expect of them, with one origin for all of a program's tests. */
#ifndef PULLGATE_TEST_EXPECT_H
#define PULLGATE_TEST_EXPECT_H

#include <stdint.h>

#include "origin.h"
#include "pair.h"

extern struct origin origin;
extern char ca_path[128]; /* of the authority that origin's certificate comes from */

/* Set-up and tear-down of a group of tests: starts and ends the origin. */
int open_origin(void **state);
int close_origin(void **state);

/* The key with that number. */
void make_key(uint8_t key[static 32], unsigned number);

/* For the origin's plain port, and for one of its TLS ports. */
struct pair_settings http_settings(void);
struct pair_settings https_settings(uint16_t port);

/* Asks for a key, and fails with the end of the log when the answer is another one. */
void expect_answer(struct pair *pair, const uint8_t key[static 32], struct message_peer *peer,
	enum peer_answer answer);

/* Makes the origin know the numbered key, and expects it to be found. */
void expect_found(struct pair *pair, unsigned number);

/* Expects a failure, and the reason in the log. */
void expect_failed(struct pair *pair, unsigned number, const char *reason);

/* Once the origin is back it is found to be, at the latest after the breaker's longest pause. */
void find_again(struct pair *pair, unsigned number);

#endif
