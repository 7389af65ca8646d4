/* SPDX-License-Identifier: ISC */
/* When which installed peer is asked about again. */
#include "installer/renewal.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "common/siphash.h"
#include "installer/condemned.h"
#include "installer/update.h"

/* When the fetcher's queue is full, or there is no fetcher. */
#define PAUSE_FULL_MS 100
/* How often those are looked for that wait too long for an answer. */
#define LOOK_MS 1000

int renewal_init(struct installer *installer)
{
	removal_guard_init(&installer->peers.guard, installer->renewal.guard_percent);
	return siphash_draw_seed(installer->renewal.seed);
}

uint32_t renewal_have(const struct installer *installer)
{
	uint32_t half = installer->renewal.requests_per_second / 2;

	return half > 0 ? half : 1;
}

uint32_t renewal_needed(const struct installer *installer)
{
	return (uint32_t)((installer->peers.load + 999999) / 1000000);
}

void renewal_apply(struct installer *installer, const struct message_installer_settings *settings)
{
	struct renewal *renewal = &installer->renewal;
	uint32_t rate = (uint32_t)settings->requests_per_second;

	renewal->min_revalidate_ms = (uint32_t)settings->min_revalidate_ms;
	renewal->on_stale = (enum on_stale)settings->on_stale;
	renewal->guard_percent = (uint32_t)settings->removal_guard_percent;
	removal_guard_set(&installer->peers.guard, renewal->guard_percent, clock_ms());
	if (rate == renewal->requests_per_second)
		return;
	renewal->requests_per_second = rate;
	/* A tenth of a second's at once, as the fetcher has it. */
	token_bucket_init(
		&renewal->pace, renewal_have(installer), renewal_have(installer) / 10, clock_ms());
}

/* The next of a sequence that nobody can foresee. */
static uint64_t draw(struct renewal *renewal)
{
	renewal->drawn++;
	return siphash(renewal->seed, &renewal->drawn, sizeof(renewal->drawn));
}

void renewal_found(
	struct installer *installer, uint32_t slot, const struct message_peer *configuration)
{
	struct renewal *renewal = &installer->renewal;
	struct peer *peer = &installer->peers.items[slot];
	int64_t now_ms = clock_ms();
	int64_t next_ms = freshness_renewed(&peer->freshness, (uint32_t)configuration->valid_ms,
		(uint32_t)configuration->stale_ms, renewal->min_revalidate_ms, now_ms,
		draw(renewal));

	peer->condemned = CONDEMNED_NOT;
	peer->fingerprint = update_fingerprint(installer, configuration);
	peers_set_load(&installer->peers, slot,
		freshness_load(&peer->freshness, renewal->min_revalidate_ms));
	peers_set_stale(&installer->peers, slot, false);
	removal_guard_forget(&installer->peers.guard, &peer->guard_mark);
	due_queue_set(&installer->peers.due, slot, next_ms);
}

void renewal_spared(struct installer *installer, uint32_t slot)
{
	struct renewal *renewal = &installer->renewal;

	installer->peers.items[slot].condemned = CONDEMNED_NOT;
	due_queue_set(&installer->peers.due, slot,
		freshness_spared(&installer->peers.items[slot].freshness,
			renewal->min_revalidate_ms, clock_ms(), draw(renewal)));
}

void renewal_ask_early(struct installer *installer, uint32_t count)
{
	struct due_queue *due = &installer->peers.due;
	int64_t now_ms = clock_ms(), at_ms;

	for (uint32_t place = 0; place < due->count && count > 0; place++) {
		uint32_t slot = due_queue_at(due, place, &at_ms);
		const struct peer *peer = &installer->peers.items[slot];

		if (peer->condemned != CONDEMNED_NOT ||
			freshness_first_ms(&peer->freshness, installer->renewal.min_revalidate_ms) >
				now_ms)
			continue;
		if (at_ms > now_ms)
			due_queue_set(due, slot, now_ms);
		count--;
	}
}

void renewal_failed(struct installer *installer, uint32_t slot)
{
	struct renewal *renewal = &installer->renewal;
	struct freshness *freshness = &installer->peers.items[slot].freshness;
	int64_t now_ms = clock_ms();

	if (freshness_is_over(freshness, now_ms)) {
		if (renewal->on_stale == ON_STALE_REMOVE) {
			condemned_add(installer, slot, CONDEMNED_STALE, DUE_AT_ONCE);
			return;
		}
		peers_set_stale(&installer->peers, slot, true);
	}
	due_queue_set(&installer->peers.due, slot,
		freshness_failed(freshness, renewal->min_revalidate_ms, now_ms, draw(renewal)));
}

/* Ends a question without an answer. Whether that matters to its peer. */
static bool give_up(struct installer *installer, struct question *question, uint32_t *slot)
{
	struct peer *peer = &installer->peers.items[question->slot];
	bool waits = key_index_holds(&installer->peers.index, question->slot) &&
		     peer->question == question->id && peer->condemned == CONDEMNED_NOT;

	*slot = question->slot;
	if (waits)
		peer->question = 0;
	questions_forget(&installer->renewal.questions, question);
	return waits;
}

void renewal_ask_again(struct installer *installer)
{
	struct questions *questions = &installer->renewal.questions;
	int64_t now_ms = clock_ms();
	struct question *question;
	uint32_t slot;

	while ((question = questions_find_older(questions, 0, now_ms)) != NULL) {
		if (give_up(installer, question, &slot))
			due_queue_set(&installer->peers.due, slot, now_ms);
	}
	installer->renewal.resume_ms = 0;
}

static void give_up_unanswered(struct installer *installer, int64_t now_ms)
{
	struct renewal *renewal = &installer->renewal;
	struct question *question;
	uint32_t slot;

	if (renewal->questions.count == 0 || now_ms < renewal->look_ms)
		return;
	renewal->look_ms = now_ms + LOOK_MS;
	while ((question = questions_find_older(
			&renewal->questions, QUESTION_PATIENCE_MS, now_ms)) != NULL) {
		renewal->unanswered++;
		if (give_up(installer, question, &slot))
			renewal_failed(installer, slot);
	}
}

/* False if the fetcher can't be asked now. */
static bool ask(struct installer *installer, uint32_t slot, int64_t now_ms)
{
	struct renewal *renewal = &installer->renewal;
	struct message message = {.type = MESSAGE_TYPE_REVALIDATE};
	const uint8_t *key = peers_key(&installer->peers, slot);
	struct question *question = questions_add(&renewal->questions, key, slot, now_ms);
	char text[KEY_BASE64_BYTES];

	message.revalidate.id = question->id;
	memcpy(message.revalidate.key, key, WIREGUARD_KEY_BYTES);
	if (channel_send(&installer->process.channels[ROLE_FETCHER], &message) != 0) {
		questions_forget(&renewal->questions, question);
		return false;
	}
	installer->peers.items[slot].question = question->id;
	due_queue_remove(&installer->peers.due, slot);
	log_event(LOG_LEVEL_DEBUG, "revalidate", "id=%llu key=%s", (unsigned long long)question->id,
		key_to_base64(text, key));
	return true;
}

/* Whose turn it is to be asked about; nobody's while others must go first. */
static uint32_t next_due(const struct installer *installer, int64_t now_ms)
{
	int64_t at_ms;
	uint32_t slot = due_queue_first(&installer->peers.due, &at_ms);

	if (slot == DUE_QUEUE_NONE || at_ms > now_ms ||
		installer->peers.items[slot].condemned != CONDEMNED_NOT)
		return DUE_QUEUE_NONE;
	return slot;
}

void renewal_continue(struct installer *installer, int64_t now_ms)
{
	struct renewal *renewal = &installer->renewal;
	uint32_t slot;

	removal_guard_look(&installer->peers.guard, installer->peers.installed, now_ms);
	give_up_unanswered(installer, now_ms);
	condemned_continue(installer, now_ms);
	while (renewal->questions.count < QUESTIONS_MAX && now_ms >= renewal->resume_ms &&
		(slot = next_due(installer, now_ms)) != DUE_QUEUE_NONE &&
		token_bucket_take(&renewal->pace, now_ms)) {
		if (ask(installer, slot, now_ms))
			continue;
		token_bucket_return(&renewal->pace);
		renewal->resume_ms = now_ms + PAUSE_FULL_MS;
	}
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Until the one that is due first can be asked about. */
static int64_t wait_ms(struct installer *installer, int64_t at_ms, int64_t now_ms)
{
	struct renewal *renewal = &installer->renewal;

	if (renewal->questions.count == QUESTIONS_MAX)
		return LOOK_MS; /* an answer comes sooner */
	if (at_ms <= now_ms)
		at_ms = later(
			renewal->resume_ms, now_ms + token_bucket_wait_ms(&renewal->pace, now_ms));
	return later(at_ms - now_ms, 0);
}

int renewal_timeout_ms(struct installer *installer, int64_t now_ms)
{
	int64_t at_ms, left_ms = condemned_wait_ms(installer, now_ms);

	if (left_ms < 0 && due_queue_first(&installer->peers.due, &at_ms) != DUE_QUEUE_NONE)
		left_ms = wait_ms(installer, at_ms, now_ms);
	if (installer->renewal.questions.count > 0 && (left_ms < 0 || left_ms > LOOK_MS))
		left_ms = LOOK_MS;
	return left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
}
