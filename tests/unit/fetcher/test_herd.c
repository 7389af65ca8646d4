/* SPDX-License-Identifier: ISC */
/*
 * A herd: 10,000 keys at once, of which the origin once answered 200 for 800, and an origin that
 * takes 100 ms for each request and may be asked 200 times a second. The two real processes against
 * nginx, whose own log is the judge.
 *
 * What the machine's speed decides is printed: how many of the known ones were served within a
 * client's patience (all, where it has a core to spare), and the most requests within any second.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "expect.h"
#include "origin.h"
#include "pair.h"

#define KEYS        10000
#define KNOWN       800
#define EVERY       (KEYS / KNOWN) /* so that the known ones are spread among the others */
#define REQUESTS    200            /* a second */
#define CONCURRENCY 64

#define MEMORY_KIB (128 * 1024) /* a sanitizer's own included */

/* More than whatever waits for its answer when the last one known has had his. */
#define QUIET_MS 6000

static struct pair pair;

/* What nginx says of one request. */
struct logged {
	int64_t began_ms, ended_ms;
	bool is_known; /* it didn't answer 404 */
};

static const uint8_t *key_of(unsigned number)
{
	static uint8_t key[32];

	memset(key, 0xa5, sizeof(key));
	key[0] = (uint8_t)number;
	key[1] = (uint8_t)(number >> 8);
	return key;
}

static bool is_known(unsigned number)
{
	return number % EVERY == 0 && number / EVERY < KNOWN;
}

static unsigned number_of(const uint8_t key[static 32])
{
	return key[0] | (unsigned)key[1] << 8;
}

struct count {
	unsigned answers, known, unknown_failed;
	int64_t known_ms; /* when the last of the known ones was found */
	bool is_found[KEYS];
};

/* Takes an answer within the time; false without one. */
static bool take_answer(struct count *count, int wait_ms)
{
	struct pollfd wait = {.fd = pair.installer.fd, .events = POLLIN};
	struct message_peer peer;

	if (poll(&wait, 1, wait_ms) == 0)
		return false;
	pair_answer(&pair, &peer);
	count->answers++;
	if (!is_known(number_of(peer.key))) {
		count->unknown_failed += peer.answer == PEER_FAILED;
		return true;
	}
	if (peer.answer == PEER_FOUND) {
		count->known_ms = clock_ms();
		count->known++;
		count->is_found[number_of(peer.key)] = true;
	}
	return true;
}

/* Asks for one key; while the fetcher's queue is full, answers are taken. */
static void ask(struct count *count, unsigned number)
{
	struct message message = {.type = MESSAGE_TYPE_LOOKUP, .lookup.id = ++pair.last_id};
	int error;

	memcpy(message.lookup.key, key_of(number), 32);
	while ((error = channel_send(&pair.capture, &message)) == -EAGAIN)
		take_answer(count, 1);
	assert_int_equal(error, 0);
	while (take_answer(count, 0))
		;
}

static int by_time(const void *a, const void *b)
{
	const struct logged *first = a, *second = b;

	return (first->began_ms > second->began_ms) - (first->began_ms < second->began_ms);
}

/* All that nginx has logged since it was started, in the order in which they came. */
static size_t read_log(struct logged *requests, size_t room)
{
	FILE *file = fopen(origin_path(&origin, "access.log"), "re");
	char line[1024];
	size_t count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *times = strstr(line, "ended=");
		int64_t ended_s, took_s;
		int ended_ms, took_ms;

		assert_non_null(times);
		assert_int_equal(sscanf(times, "ended=%" SCNd64 ".%d took=%" SCNd64 ".%d", &ended_s,
					 &ended_ms, &took_s, &took_ms),
			4);
		assert_true(count < room);
		requests[count].ended_ms = ended_s * 1000 + ended_ms;
		requests[count].began_ms = requests[count].ended_ms - (took_s * 1000 + took_ms);
		requests[count].is_known = strncmp(line, "404 ", 4) != 0;
		count++;
	}
	fclose(file);
	qsort(requests, count, sizeof(requests[0]), by_time);
	return count;
}

/* The most requests that came within any second. */
static size_t most_in_a_second(const struct logged *requests, size_t count)
{
	size_t most = 0;

	for (size_t first = 0, last = 0; last < count; last++) {
		while (requests[last].began_ms - requests[first].began_ms >= 1000)
			first++;
		if (last - first + 1 > most)
			most = last - first + 1;
	}
	return most;
}

/* The most that were under way at one time. */
static size_t most_at_a_time(const struct logged *requests, size_t count)
{
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t under_way = 0;

		for (size_t j = 0; j <= i; j++)
			under_way += requests[j].ended_ms > requests[i].began_ms;
		if (under_way > most)
			most = under_way;
	}
	return most;
}

/* The requests for unknown keys between the first for a known one and the last. */
static size_t unknown_among_known(const struct logged *requests, size_t count)
{
	size_t unknown = 0, among = 0;
	bool has_begun = false;

	for (size_t i = 0; i < count; i++) {
		if (requests[i].is_known) {
			has_begun = true;
			among = unknown;
		} else if (has_begun) {
			unknown++;
		}
	}
	return among;
}

/* The fetcher's greatest use of memory so far. */
static unsigned memory_kib(void)
{
	char path[64], line[256];
	unsigned kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pair.fetcher);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "VmHWM: %u kB", &kib);
	fclose(file);
	return kib;
}

/* What a client does after 5 s. */
static void retry_for_known(struct count *count)
{
	for (unsigned number = 0; number < KEYS; number++) {
		if (is_known(number) && !count->is_found[number])
			ask(count, number);
	}
	while (count->known < KNOWN)
		assert_true(take_answer(count, PAIR_PATIENCE_MS));
}

/* As many at a time as are under way; all are found. */
static void meet_the_known(struct count *count)
{
	for (unsigned number = 0; number < KEYS; number++) {
		if (!is_known(number))
			continue;
		origin_put(&origin, key_of(number), "\"allowed_ips\": [\"10.64.0.1/32\"]");
		ask(count, number);
		while (count->answers + CONCURRENCY < pair.last_id)
			assert_true(take_answer(count, PAIR_PATIENCE_MS));
	}
	while (count->answers < pair.last_id)
		assert_true(take_answer(count, PAIR_PATIENCE_MS));
	retry_for_known(count);
}

static void ask_for_all(struct count *count)
{
	for (unsigned number = 0; number < KEYS; number++)
		ask(count, number);
	/* An answer that finds the installer's queue full is lost, as with any busy installer. */
	while (count->answers < KEYS && take_answer(count, QUIET_MS))
		;
}

static void known_keys_are_served_in_a_herd(void **state)
{
	const struct pair_settings settings = {.host = "127.0.0.1",
		.port = ORIGIN_HTTP,
		.url = "http://127.0.0.1:8080/slow/{key}",
		.concurrency = CONCURRENCY,
		.requests_per_second = REQUESTS,
		.max_peers = KEYS};
	static struct count before, herd;
	static struct logged requests[3 * KEYS];
	size_t met, count, at_a_time, among;
	int64_t began_ms;
	unsigned kib, most_kib;

	(void)state;
	pair_start(&pair, origin.directory, &settings);
	meet_the_known(&before);
	met = read_log(requests, 3 * KEYS);
	kib = memory_kib();
	began_ms = clock_ms();
	ask_for_all(&herd);
	most_kib = memory_kib();
	print_message("herd: %u keys at once, %u answered; of %u known ones %u served, the last "
		      "after %" PRId64 " ms; %u others shed\n",
		KEYS, herd.answers, KNOWN, herd.known, herd.known_ms - began_ms,
		herd.unknown_failed);
	count = read_log(requests, 3 * KEYS);
	retry_for_known(&herd);
	pair_stop(&pair);
	at_a_time = most_at_a_time(requests, count);
	among = unknown_among_known(requests + met, count - met);
	print_message("herd: at the origin %zu requests, at most %zu within any second and %zu at "
		      "a time, %zu for others among those for known ones; memory %u KiB before, "
		      "at most %u KiB\n",
		count, most_in_a_second(requests, count), at_a_time, among, kib, most_kib);
	assert_true(among < KNOWN / 4);
	assert_true(at_a_time <= CONCURRENCY);
	assert_true(most_kib < MEMORY_KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_keys_are_served_in_a_herd),
	};

	if (!pair_can_run())
		return 77;
	return cmocka_run_group_tests(tests, open_origin, close_origin);
}
