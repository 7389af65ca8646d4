/* SPDX-License-Identifier: ISC */
/* The caches kept on disk: what comes back after a restart, and after whatever befell the files. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"
#include "fetcher/cache_file.h"
#include "fetcher/cache_store.h"

#define CAPACITY 2000
#define OWNER    "wg0 https://control.example.net/peer/{key}"
#define HOUR_MS  3600000

/* A fetcher's caches, and its store. */
struct run {
	struct peer_cache *peers;
	struct negative_cache *negatives;
	struct cache_store *store;
};

/* As if the time had come. */
#define LATER (clock_ms() + 2 * CACHE_STORE_SYNC_MS)

static struct files {
	int database, log;
} files;

static struct files make_files(void)
{
	return (struct files){.database = memfd_create("database", MFD_CLOEXEC),
		.log = memfd_create("log", MFD_CLOEXEC)};
}

static void close_files(const struct files *which)
{
	close(which->database);
	close(which->log);
}

static int open_files(void **state)
{
	(void)state;
	files = make_files();
	return files.database < 0 || files.log < 0;
}

static int forget_files(void **state)
{
	(void)state;
	close_files(&files);
	return 0;
}

static struct run start_patiently(
	const struct files *which, const char *owner, bool keep_keys, int64_t patience_ms)
{
	struct run run = {.peers = peer_cache_new(CAPACITY), .negatives = negative_cache_new()};

	assert_non_null(run.peers);
	assert_non_null(run.negatives);
	cache_file_use(which->database, which->log);
	run.store = cache_store_new(run.peers, run.negatives);
	assert_non_null(run.store);
	cache_store_open(run.store, owner, keep_keys, patience_ms);
	return run;
}

/* All is read, however long it takes. */
static struct run start_over(const struct files *which, const char *owner, bool keep_keys)
{
	return start_patiently(which, owner, keep_keys, HOUR_MS);
}

static struct run start(void)
{
	return start_over(&files, OWNER, true);
}

/* As a kill does: nothing is written at an end. */
static void stop(struct run *run)
{
	cache_store_free(run->store);
	peer_cache_free(run->peers);
	free(run->negatives);
}

static void write_all(struct run *run)
{
	for (int64_t now_ms = LATER;
		cache_store_due_ms(run->store) != 0 && now_ms < LATER + HOUR_MS;
		now_ms += CACHE_STORE_SYNC_MS)
		cache_store_write(run->store, now_ms);
}

static void name_key(uint8_t key[static WIREGUARD_KEY_BYTES], unsigned number)
{
	memset(key, 0, WIREGUARD_KEY_BYTES);
	key[0] = (uint8_t)(number >> 8);
	key[1] = (uint8_t)number;
	key[31] = 0x55;
}

/* Each generation has another of everything. */
static struct message_peer peer_of(unsigned number, uint8_t generation)
{
	struct message_peer peer = {
		.answer = PEER_FOUND, .persistent_keepalive = generation, .has_preshared_key = 1};

	name_key(peer.key, number);
	name_key(peer.public_key, number);
	memset(peer.preshared_key, generation, sizeof(peer.preshared_key));
	peer.preshared_key[0] = (uint8_t)number;
	peer.allowed_ips.count = 1 + number % 3;
	for (uint32_t i = 0; i < peer.allowed_ips.count; i++)
		peer.allowed_ips.item[i] = (struct prefix){.family = 4,
			.length = 32,
			.bytes = {generation, (uint8_t)(number >> 8), (uint8_t)number, (uint8_t)i}};
	return peer;
}

static void put_peer(struct run *run, const struct message_peer *peer)
{
	static const struct cache_control control = {.max_age = {true, 60}};
	static const struct freshness freshness = {.may_store = true,
		.fresh_ms = HOUR_MS,
		.stale_if_error_ms = HOUR_MS,
		.stale_while_revalidate_ms = 1000};
	static const struct validators validators = {
		.etag = "\"e\"", .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT"};

	assert_int_equal(
		peer_cache_put(run->peers, peer, &control, &freshness, &validators, clock_ms()), 0);
}

static void put(struct run *run, unsigned number, uint8_t generation)
{
	struct message_peer peer = peer_of(number, generation);

	put_peer(run, &peer);
}

static const struct cached_peer *find(struct run *run, unsigned number)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	name_key(key, number);
	return peer_cache_peek(run->peers, key);
}

static void take_away(struct run *run, unsigned number)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	name_key(key, number);
	peer_cache_remove(run->peers, key);
}

static void refuse(struct run *run, unsigned number, enum peer_answer answer, uint32_t valid_ms)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	name_key(key, number);
	peer_cache_remove(run->peers, key);
	negative_cache_put(run->negatives, key, answer, valid_ms, clock_ms());
}

/* PEER_FAILED: nothing is known. */
static enum peer_answer refusal_of(struct run *run, unsigned number)
{
	enum peer_answer answer = PEER_FAILED;
	uint8_t key[WIREGUARD_KEY_BYTES];

	name_key(key, number);
	negative_cache_get(run->negatives, key, &answer, clock_ms());
	return answer;
}

/* Whether it is the peer of that generation, and of no other. */
static bool is_of(const struct cached_peer *cached, unsigned number, uint8_t generation)
{
	struct message_peer peer = peer_of(number, generation), read;

	cached_peer_read(&read, cached, clock_ms());
	read.valid_ms = read.stale_ms = 0;
	return memcmp(&read, &peer, sizeof(peer)) == 0;
}

static off_t size_of(int fd)
{
	return lseek(fd, 0, SEEK_END);
}

static void restart(struct run *run)
{
	stop(run);
	*run = start();
}

static void peers_come_back_whole(void **state)
{
	struct run run = start();
	struct message_peer read;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		put(&run, i, 1);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 300);
	for (unsigned i = 0; i < 300; i++)
		assert_true(is_of(find(&run, i), i, 1));
	cached_peer_read(&read, find(&run, 7), clock_ms());
	assert_in_range(read.valid_ms, HOUR_MS - 60000, HOUR_MS);
	assert_in_range(read.stale_ms, HOUR_MS - 60000, HOUR_MS);
	assert_string_equal(cached_peer_etag(find(&run, 7)), "\"e\"");
	assert_string_equal(
		cached_peer_last_modified(find(&run, 7)), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(cached_peer_control(find(&run, 7))->max_age.seconds, 60);
	assert_int_equal(cached_peer_while_revalidate_ms(find(&run, 7), clock_ms()), 1000);
	stop(&run);
}

static void changes_come_back(void **state)
{
	struct run run = start();

	(void)state;
	put(&run, 1, 1);
	put(&run, 2, 1);
	write_all(&run);
	restart(&run);
	put(&run, 1, 2);
	write_all(&run);
	restart(&run);
	assert_true(is_of(find(&run, 1), 1, 2));
	assert_true(is_of(find(&run, 2), 2, 1));
	stop(&run);
}

static void definite_answers_win_across_restarts(void **state)
{
	struct run run = start();

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		put(&run, i, 1);
	write_all(&run);
	refuse(&run, 1, PEER_REVOKED, HOUR_MS);
	refuse(&run, 2, PEER_ABSENT, 3000); /* too short to be kept */
	refuse(&run, 3, PEER_ABSENT, HOUR_MS);
	take_away(&run, 4);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 1);
	assert_non_null(find(&run, 5));
	assert_int_equal(refusal_of(&run, 1), PEER_REVOKED);
	assert_int_equal(refusal_of(&run, 2), PEER_FAILED);
	assert_int_equal(refusal_of(&run, 3), PEER_ABSENT);
	put(&run, 3, 2);
	refuse(&run, 3, PEER_ABSENT, 0);
	put(&run, 3, 2);
	write_all(&run);
	restart(&run);
	assert_true(is_of(find(&run, 3), 3, 2));
	assert_int_equal(refusal_of(&run, 3), PEER_FAILED);
	stop(&run);
}

static void holds_no_more_than_the_caches(void **state)
{
	struct run run = start();

	(void)state;
	for (unsigned i = 0; i < CAPACITY + 100; i++)
		put(&run, i, 1);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), CAPACITY);
	assert_null(find(&run, 99));
	assert_non_null(find(&run, 100));
	stop(&run);
}

static void a_commit_is_for_so_many_and_not_at_once(void **state)
{
	struct run run = start();
	int64_t now_ms = clock_ms() + 1000;

	(void)state;
	for (unsigned i = 0; i < CACHE_STORE_KEYS_EACH + 1; i++)
		put(&run, i, 1);
	assert_true(cache_store_due_ms(run.store) <= now_ms);
	cache_store_write(run.store, now_ms);
	assert_true(cache_store_due_ms(run.store) > clock_ms());
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), CACHE_STORE_KEYS_EACH);
	stop(&run);
}

static void no_note_is_lost(void **state)
{
	struct run run = start();

	(void)state;
	put(&run, 1, 1);
	for (unsigned i = 0; i < CACHE_STORE_NOTES_MAX + 10; i++)
		put(&run, 2 + i % 2, 1);
	take_away(&run, 1);
	write_all(&run);
	restart(&run);
	assert_null(find(&run, 1));
	assert_non_null(find(&run, 3));
	stop(&run);
}

/* What changes while rows are still to be read counts, not they. */
static void reading_on_revives_nothing(void **state)
{
	struct run run = start();

	(void)state;
	for (unsigned i = 0; i < CAPACITY; i++)
		put(&run, i, 1);
	write_all(&run);
	stop(&run);
	run = start_patiently(&files, OWNER, true, 0);
	assert_int_equal(peer_cache_count(run.peers), 0);
	refuse(&run, CAPACITY - 1, PEER_REVOKED, HOUR_MS);
	refuse(&run, CAPACITY - 2, PEER_ABSENT, 3000);
	take_away(&run, CAPACITY - 3);
	put(&run, CAPACITY - 4, 2);
	write_all(&run);
	assert_int_equal(peer_cache_count(run.peers), CAPACITY - 3);
	assert_true(is_of(find(&run, CAPACITY - 4), CAPACITY - 4, 2));
	assert_true(is_of(find(&run, CAPACITY - 5), CAPACITY - 5, 1));
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), CAPACITY - 3);
	assert_int_equal(refusal_of(&run, CAPACITY - 1), PEER_REVOKED);
	assert_true(is_of(find(&run, CAPACITY - 4), CAPACITY - 4, 2));
	stop(&run);
}

static void another_owner_finds_nothing(void **state)
{
	struct run run = start();

	(void)state;
	put(&run, 1, 1);
	write_all(&run);
	stop(&run);
	run = start_over(&files, "wg0 https://other.example.net/peer/{key}", true);
	assert_int_equal(peer_cache_count(run.peers), 0);
	put(&run, 2, 1);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 0);
	stop(&run);
}

static void an_origin_that_changes_leaves_nothing(void **state)
{
	struct run run = start();

	(void)state;
	put(&run, 1, 1);
	write_all(&run);
	peer_cache_clear(run.peers);
	cache_store_forget(run.store, "another");
	put(&run, 2, 1);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 0);
	stop(&run);
	run = start_over(&files, "another", true);
	assert_int_equal(peer_cache_count(run.peers), 0); /* emptied by the one before */
	stop(&run);
}

static bool holds(int fd, const void *bytes, size_t length)
{
	size_t size = (size_t)size_of(fd);
	char *all = malloc(size + 1);
	bool is_there;

	assert_non_null(all);
	assert_int_equal(pread(fd, all, size, 0), size);
	is_there = memmem(all, size, bytes, length) != NULL;
	free(all);
	return is_there;
}

static void preshared_keys_stay_away_on_demand(void **state)
{
	struct message_peer without = peer_of(3, 1), with = peer_of(1, 1);
	struct run run = start();

	(void)state;
	without.has_preshared_key = 0;
	memset(without.preshared_key, 0, sizeof(without.preshared_key));
	put(&run, 1, 1);
	put(&run, 2, 1);
	put_peer(&run, &without);
	write_all(&run);
	assert_true(holds(files.log, with.preshared_key, sizeof(with.preshared_key)));
	stop(&run);
	run = start_over(&files, OWNER, false);
	assert_int_equal(peer_cache_count(run.peers), 1);
	assert_non_null(find(&run, 3));
	put(&run, 2, 1);
	write_all(&run);
	assert_non_null(find(&run, 2));
	assert_false(holds(files.database, with.preshared_key, sizeof(with.preshared_key)));
	assert_false(holds(files.log, with.preshared_key, sizeof(with.preshared_key)));
	stop(&run);
	run = start_over(&files, OWNER, false);
	assert_int_equal(peer_cache_count(run.peers), 1);
	assert_non_null(find(&run, 3));
	stop(&run);
}

static void preshared_keys_go_when_the_setting_does(void **state)
{
	struct message_peer with = peer_of(1, 1);
	struct run run = start();

	(void)state;
	put(&run, 1, 1);
	write_all(&run);
	cache_store_keep_preshared_keys(run.store, false);
	assert_false(holds(files.database, with.preshared_key, sizeof(with.preshared_key)));
	assert_false(holds(files.log, with.preshared_key, sizeof(with.preshared_key)));
	put(&run, 1, 1);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 0);
	stop(&run);
}

static void a_foreign_file_is_left_alone(void **state)
{
	static const char text[] = "somebody's notes, by accident under that name; not a database. "
				   "They go on for a while, so that a head is full of them.";
	char read[sizeof(text)];
	struct run run;

	(void)state;
	assert_int_equal(pwrite(files.database, text, sizeof(text), 0), sizeof(text));
	run = start();
	put(&run, 1, 1);
	write_all(&run);
	assert_int_equal(cache_store_due_ms(run.store), 0);
	assert_non_null(find(&run, 1));
	stop(&run);
	assert_int_equal(size_of(files.database), sizeof(text));
	assert_int_equal(size_of(files.log), 0);
	assert_int_equal(pread(files.database, read, sizeof(read), 0), sizeof(read));
	assert_memory_equal(read, text, sizeof(text));
}

/* Of somebody else's programs, with tables of the same names. */
static void another_database_is_left_alone(void **state)
{
	struct run run = start();
	off_t size;

	(void)state;
	put(&run, 1, 1);
	write_all(&run);
	restart(&run); /* the log is taken over */
	stop(&run);
	assert_int_equal(pwrite(files.database, "\0\0\0\1", 4, 68), 4);
	size = size_of(files.database);
	run = start();
	assert_int_equal(peer_cache_count(run.peers), 0);
	assert_int_equal(cache_store_due_ms(run.store), 0);
	stop(&run);
	assert_int_equal(size_of(files.database), size);
}

static void another_version_is_emptied(void **state)
{
	struct run run = start();

	(void)state;
	put(&run, 1, 1);
	write_all(&run);
	restart(&run);
	stop(&run);
	assert_int_equal(pwrite(files.database, "\0\0\0\x7f", 4, 60), 4);
	run = start();
	assert_int_equal(peer_cache_count(run.peers), 0);
	put(&run, 2, 1);
	write_all(&run);
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 1);
	stop(&run);
}

static void rows_that_say_nothing_are_dropped(void **state)
{
	struct run run = start();

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		put(&run, i, 1);
	write_all(&run);
	restart(&run);
	stop(&run);
	/* One byte of an allowed IP: 10.0.1.0 of generation 1 is written as it is. */
	{
		struct message_peer peer = peer_of(1, 1);
		size_t size = (size_t)size_of(files.database);
		char *all = malloc(size), *at;

		assert_int_equal(pread(files.database, all, size, 0), size);
		at = memmem(all, size, peer.allowed_ips.item, sizeof(struct prefix));
		assert_non_null(at);
		assert_int_equal(pwrite(files.database, "\x7", 1, at - all + 5), 1);
		free(all);
	}
	run = start();
	assert_int_equal(peer_cache_count(run.peers), 2);
	assert_null(find(&run, 1));
	restart(&run);
	assert_int_equal(peer_cache_count(run.peers), 2);
	stop(&run);
}

/* Calls in a child, whose limits are its own. */
static void in_child(void (*work)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define NEED(condition)                            \
	do {                                       \
		if (!(condition))                  \
			_exit(__LINE__ % 200 + 1); \
	} while (0)

static void fill_the_file(void)
{
	const struct rlimit small = {.rlim_cur = 128 << 10, .rlim_max = 1 << 20};
	const struct rlimit large = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
	struct run run = start();
	int64_t now_ms = LATER;

	NEED(setrlimit(RLIMIT_FSIZE, &small) == 0);
	for (unsigned i = 0; i < CAPACITY; i++)
		put(&run, i, 1);
	while (cache_store_due_ms(run.store) != 0 && cache_store_due_ms(run.store) <= now_ms)
		cache_store_write(run.store, now_ms);
	NEED(size_of(files.database) == 0 && size_of(files.log) == 0);
	/* All goes on in memory, and again on disk as soon as there is room. */
	NEED(peer_cache_count(run.peers) == CAPACITY && is_of(find(&run, 7), 7, 1));
	NEED(setrlimit(RLIMIT_FSIZE, &large) == 0);
	put(&run, 1, 2);
	cache_store_write(run.store, cache_store_due_ms(run.store));
	put(&run, 2, 2);
	write_all(&run);
	restart(&run);
	NEED(peer_cache_count(run.peers) == 1 && is_of(find(&run, 2), 2, 2));
	stop(&run);
}

static void a_full_disk_leaves_nothing_old(void **state)
{
	(void)state;
	in_child(fill_the_file);
}

static void copy_file(int to, int from, size_t most)
{
	char *all = malloc(most + 1);
	ssize_t got = pread(from, all, most, 0);

	assert_non_null(all);
	assert_true(got >= 0);
	assert_int_equal(ftruncate(to, 0), 0);
	assert_int_equal(pwrite(to, all, (size_t)got, 0), got);
	free(all);
}

static size_t below(size_t bound)
{
	return bound == 0 ? 0 : (size_t)random() % bound;
}

static void spoil(int fd)
{
	size_t size = (size_t)size_of(fd), at = below(size), length = 1 + below(6000);
	char bytes[6001];

	if (random() % 2 == 0)
		memset(bytes, 0, sizeof(bytes));
	else
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)random();
	if (length > size - at)
		length = size - at;
	assert_int_equal(pwrite(fd, bytes, length, (off_t)at), length);
}

/* What is there afterwards is one of those that were stored, as it was. */
static unsigned check_what_is_left(const struct files *torn, unsigned peers)
{
	struct run run = start_over(torn, OWNER, true);
	unsigned count = peer_cache_count(run.peers), seen = 0;

	for (unsigned i = 0; i < peers; i++) {
		const struct cached_peer *cached = find(&run, i);

		if (cached == NULL)
			continue;
		seen++;
		assert_true(is_of(cached, i, 1) || is_of(cached, i, 2));
	}
	assert_int_equal(seen, count);
	/* And it works. */
	put(&run, 1, 2);
	write_all(&run);
	stop(&run);
	run = start_over(torn, OWNER, true);
	assert_true(find(&run, 1) == NULL || is_of(find(&run, 1), 1, 2));
	stop(&run);
	return seen;
}

static void torn_files_give_no_wrong_peer(void **state)
{
	struct files torn = make_files();
	unsigned emptied = 0, whole = 0;
	struct run run = start();

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		put(&run, i, 1);
	write_all(&run);
	restart(&run);
	for (unsigned i = 0; i < 400; i += 2)
		put(&run, i, 2);
	write_all(&run);
	stop(&run);
	assert_true(size_of(files.log) > 0);
	srandom(1);
	for (int i = 0; i < 300; i++) {
		unsigned left;
		bool is_cut = i % 3 == 0;

		copy_file(torn.database, files.database,
			is_cut ? below((size_t)size_of(files.database) + 1) : SIZE_MAX >> 40);
		copy_file(torn.log, files.log,
			i % 3 == 1 ? below((size_t)size_of(files.log) + 1) : SIZE_MAX >> 40);
		if (!is_cut)
			spoil(random() % 2 == 0 ? torn.database : torn.log);
		left = check_what_is_left(&torn, 400);
		emptied += left == 0;
		whole += left == 400;
	}
	print_message("of 300 torn copies %u were emptied, %u were whole\n", emptied, whole);
	assert_true(emptied > 0 && whole > 0);
	close_files(&torn);
}

static void write_until_killed(unsigned rounds)
{
	struct run run = start();

	for (uint8_t generation = 1; rounds-- > 0; generation ^= 3) {
		for (unsigned i = 0; i < 500; i++)
			put(&run, i, generation);
		write_all(&run);
	}
	_exit(0);
}

static void a_kill_at_any_time_loses_little(void **state)
{
	(void)state;
	srandom(2);
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();
		struct run run;
		unsigned count;

		assert_true(pid >= 0);
		if (pid == 0)
			write_until_killed(1000000);
		usleep((useconds_t)below(40000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		run = start();
		count = peer_cache_count(run.peers);
		/* A commit is whole or not there. */
		assert_true(count == 500 || count % CACHE_STORE_KEYS_EACH == 0);
		for (unsigned number = 0; number < 500; number++)
			assert_true(find(&run, number) == NULL ||
				    is_of(find(&run, number), number, 1) ||
				    is_of(find(&run, number), number, 2));
		stop(&run);
	}
}

static int install(void **state)
{
	(void)state;
	log_open("test_cache_store");
	signal(SIGXFSZ, SIG_IGN);
	return cache_file_install();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_files, forget_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peers_come_back_whole),
		TEST(changes_come_back),
		TEST(definite_answers_win_across_restarts),
		TEST(holds_no_more_than_the_caches),
		TEST(a_commit_is_for_so_many_and_not_at_once),
		TEST(no_note_is_lost),
		TEST(reading_on_revives_nothing),
		TEST(another_owner_finds_nothing),
		TEST(an_origin_that_changes_leaves_nothing),
		TEST(preshared_keys_stay_away_on_demand),
		TEST(preshared_keys_go_when_the_setting_does),
		TEST(a_foreign_file_is_left_alone),
		TEST(another_database_is_left_alone),
		TEST(another_version_is_emptied),
		TEST(rows_that_say_nothing_are_dropped),
		TEST(a_full_disk_leaves_nothing_old),
		TEST(torn_files_give_no_wrong_peer),
		TEST(a_kill_at_any_time_loses_little),
	};

	return cmocka_run_group_tests(tests, install, NULL);
}
