/* SPDX-License-Identifier: ISC */
/*
 * The REVALIDATEs on their way: which id asks about which peer. A PEER is an answer to one only if
 * id and key are those of a question that is out; it answers once. What gets no answer is forgotten
 * after a time, for messages can be lost.
 */
#ifndef PULLGATE_INSTALLER_QUESTIONS_H
#define PULLGATE_INSTALLER_QUESTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wireguard.h"

/*
 * At a time. The answers fit into the channel at once, with demands' answers beside them
 * (supervisor/channels.c), and take a sixteenth of the fetcher's table; at a second for each answer
 * they make half of the default rate of requests.
 */
#define QUESTIONS_MAX 256

/* REVALIDATE's ids have it, LOOKUP's don't. */
#define QUESTION_ID_BIT (UINT64_C(1) << 63)

/* One that is queued is answered within 60 s (fetcher/fetcher.h), and a request takes 60 s at most
 * (origin.timeout). */
#define QUESTION_PATIENCE_MS 130000

struct question {
	uint64_t id; /* 0: none */
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slot;
	int64_t asked_ms;
};

/* Zeroed at first. */
struct questions {
	uint32_t count;
	uint64_t sequence; /* of ids; in the lowest 8 bits an id has its place */
	struct question items[QUESTIONS_MAX];
};

/* Notes a question about the peer in that slot. NULL when as many as may be are out. */
struct question *questions_add(struct questions *questions,
	const uint8_t key[static WIREGUARD_KEY_BYTES], uint32_t slot, int64_t now_ms);

/* The question that has this id and key, or NULL. */
struct question *questions_find(
	struct questions *questions, uint64_t id, const uint8_t key[static WIREGUARD_KEY_BYTES]);

void questions_forget(struct questions *questions, struct question *question);

/* One that has waited for so long, or NULL. */
struct question *questions_find_older(
	struct questions *questions, int64_t patience_ms, int64_t now_ms);

#endif
