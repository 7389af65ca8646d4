/* SPDX-License-Identifier: ISC */
/* The REVALIDATEs on their way. */
#include "installer/questions.h"

#include <string.h>

#define PLACE_BITS 8

_Static_assert(QUESTIONS_MAX == 1 << PLACE_BITS, "an id has room for each place");

static struct question *find_free(struct questions *questions)
{
	for (uint32_t i = 0; i < QUESTIONS_MAX; i++) {
		if (questions->items[i].id == 0)
			return &questions->items[i];
	}
	return NULL;
}

struct question *questions_add(struct questions *questions,
	const uint8_t key[static WIREGUARD_KEY_BYTES], uint32_t slot, int64_t now_ms)
{
	struct question *question = find_free(questions);

	if (question == NULL)
		return NULL;
	*question = (struct question){.id = QUESTION_ID_BIT | ++questions->sequence << PLACE_BITS |
					    (uint64_t)(question - questions->items),
		.slot = slot,
		.asked_ms = now_ms};
	memcpy(question->key, key, WIREGUARD_KEY_BYTES);
	questions->count++;
	return question;
}

struct question *questions_find(
	struct questions *questions, uint64_t id, const uint8_t key[static WIREGUARD_KEY_BYTES])
{
	struct question *question = &questions->items[id % QUESTIONS_MAX];

	if (id == 0 || question->id != id || memcmp(question->key, key, WIREGUARD_KEY_BYTES) != 0)
		return NULL;
	return question;
}

void questions_forget(struct questions *questions, struct question *question)
{
	*question = (struct question){.id = 0};
	questions->count--;
}

struct question *questions_find_older(
	struct questions *questions, int64_t patience_ms, int64_t now_ms)
{
	for (uint32_t i = 0; i < QUESTIONS_MAX && questions->count > 0; i++) {
		struct question *question = &questions->items[i];

		if (question->id != 0 && now_ms - question->asked_ms >= patience_ms)
			return question;
	}
	return NULL;
}
