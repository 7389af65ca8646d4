/* SPDX-License-Identifier: ISC */
/*
 * Writes seed inputs made with the production encoders and the recorded initiations:
 *
 *     fuzz_seeds DIRECTORY        files DIRECTORY/TARGET/NAME
 *
 * Netlink dumps and HTTP responses are recorded by record.py. The corpus in the tree is both,
 * minimised by scripts/lib/fuzz -m.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/timestamp_record.h"
#include "common/message.h"
#include "fetcher/cache_record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/vectors/initiation_vectors.h"

struct seed {
	uint8_t bytes[65536];
	size_t used;
};

static const char *directory;

static void put(struct seed *seed, const void *bytes, size_t length)
{
	FUZZ_CHECK(length <= sizeof(seed->bytes) - seed->used);
	memcpy(seed->bytes + seed->used, bytes, length);
	seed->used += length;
}

static void put_byte(struct seed *seed, unsigned value)
{
	put(seed, &(uint8_t){(uint8_t)value}, 1);
}

static void put_u16(struct seed *seed, size_t value)
{
	put_byte(seed, (unsigned)value & 0xff);
	put_byte(seed, (unsigned)(value >> 8) & 0xff);
}

static void put_piece(struct seed *seed, const void *bytes, size_t length)
{
	put_u16(seed, length);
	put(seed, bytes, length);
}

static void put_text(struct seed *seed, const char *text)
{
	put(seed, text, strlen(text));
}

/* Writes DIRECTORY/TARGET/NAME and empties the seed. */
static void save(struct seed *seed, const char *target, const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, target);
	FUZZ_CHECK(mkdir(path, 0777) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s/%s", directory, target, name);
	file = fopen(path, "wb");
	FUZZ_CHECK(file != NULL);
	FUZZ_CHECK(fwrite(seed->bytes, 1, seed->used, file) == seed->used);
	FUZZ_CHECK(fclose(file) == 0);
	seed->used = 0;
}

static struct prefix prefix(const char *text)
{
	struct prefix read;

	FUZZ_CHECK(prefix_parse(&read, text) == 0);
	return read;
}

static struct address address(const char *text)
{
	struct prefix read = prefix(text);
	struct address result = {.family = read.family};

	memcpy(result.bytes, read.bytes, sizeof(result.bytes));
	return result;
}

static void fill_settings(struct message *message)
{
	switch (message->type) {
	case MESSAGE_TYPE_FETCHER_SETTINGS:
		message->fetcher_settings.timeout_ms = 2000;
		message->fetcher_settings.max_allowed_ips = 8;
		break;
	case MESSAGE_TYPE_FETCHER_ORIGIN:
		strcpy(message->fetcher_origin.url, "https://control.example.net/peer/{key}");
		break;
	case MESSAGE_TYPE_CONNECTOR_ORIGIN:
		strcpy(message->connector_origin.host, "control.example.net");
		message->connector_origin.port = 443;
		break;
	case MESSAGE_TYPE_INSTALLER_SETTINGS:
		strcpy(message->installer_settings.interface, "wg0");
		message->installer_settings.allowed.count = 2;
		message->installer_settings.allowed.item[0] = prefix("10.64.0.0/10");
		message->installer_settings.allowed.item[1] = prefix("fd64::/32");
		break;
	default:
		break;
	}
}

static void fill_path(struct message *message)
{
	const struct initiation_vector *vector = &initiation_vectors[0];

	switch (message->type) {
	case MESSAGE_TYPE_LOCAL_ADDRESSES:
		message->local_addresses.addresses.count = 2;
		message->local_addresses.addresses.item[0] = address("192.0.2.1");
		message->local_addresses.addresses.item[1] = address("2001:db8::1");
		break;
	case MESSAGE_TYPE_KNOWN:
		message->known.keys.count = 2;
		memcpy(message->known.keys.item[0], vector->initiator_public_key, 32);
		memcpy(message->known.keys.item[1], vector->gateway_public_key, 32);
		break;
	case MESSAGE_TYPE_DEMAND:
		message->demand.id = UINT64_C(0x1122334455667788);
		memcpy(message->demand.key, vector->initiator_public_key, 32);
		message->demand.source = address("203.0.113.9");
		message->demand.source_port = 40000;
		message->demand.destination = address("192.0.2.1");
		message->demand.destination_port = 51820;
		message->demand.arrival_index = 2;
		memcpy(message->demand.initiation, vector->message, sizeof(vector->message));
		break;
	case MESSAGE_TYPE_PEER:
		message->peer.id = 7;
		memcpy(message->peer.key, vector->initiator_public_key, 32);
		memcpy(message->peer.public_key, vector->initiator_public_key, 32);
		message->peer.valid_ms = 300000;
		message->peer.allowed_ips.count = 2;
		message->peer.allowed_ips.item[0] = prefix("10.64.0.7");
		message->peer.allowed_ips.item[1] = prefix("fd64::/64");
		message->peer.persistent_keepalive = 25;
		break;
	case MESSAGE_TYPE_CONNECTED:
		strcpy(message->connected.address, "[2001:db8::1]:443");
		break;
	case MESSAGE_TYPE_CONNECT_FAILED:
		strcpy(message->connect_failed.reason, "Connection refused");
		break;
	default:
		break;
	}
}

/* Who may send it to whom, as fuzz_channel's first byte has it. */
static unsigned roles_of(enum message_type type)
{
	for (unsigned roles = 0; roles < ROLE_COUNT * ROLE_COUNT; roles++) {
		if (message_allowed(
			    type, (enum role)(roles / ROLE_COUNT), (enum role)(roles % ROLE_COUNT)))
			return roles;
	}
	return 0;
}

static void save_message(struct seed *seed, enum message_type type)
{
	static struct message message;
	uint8_t bytes[MESSAGE_BYTES_MAX];
	const char *name = message_name(type);
	int length;

	memset(&message, 0, sizeof(message));
	message.type = type;
	fill_settings(&message);
	if (type == MESSAGE_TYPE_DEMAND) { /* the one with addresses that must not be empty */
		message.demand.source.family = message.demand.destination.family = 4;
	}
	fill_path(&message);
	length = message_encode(&message, bytes, sizeof(bytes));
	FUZZ_CHECK(length > 0);
	put(seed, bytes, (size_t)length);
	save(seed, "message", name);
	put_byte(seed, roles_of(type));
	put_byte(seed, type == MESSAGE_TYPE_MATERIAL || type == MESSAGE_TYPE_RENEW ||
				       type == MESSAGE_TYPE_CONNECTED
			       ? 0x81
			       : 0);
	put(seed, bytes, (size_t)length);
	save(seed, "channel", name);
}

/* KNOWN with so many keys, by hand: no encoder makes more than the limit. */
static void save_known(struct seed *seed, const char *name, size_t keys)
{
	static const uint8_t key[WIREGUARD_KEY_BYTES] = {9};

	put(seed, (const uint8_t[]){0x93, MESSAGE_TYPE_KNOWN, 0, 0xc5}, 4);
	put_byte(seed, (unsigned)(keys * sizeof(key) >> 8));
	put_byte(seed, (unsigned)(keys * sizeof(key) & 0xff));
	for (size_t i = 0; i < keys; i++)
		put(seed, key, sizeof(key));
	save(seed, "message", name);
}

static void save_messages(struct seed *seed)
{
	save_known(seed, "regression-known-full", 64);
	save_known(seed, "regression-known-one-too-many", 65);
#define SAVE(number, NAME, member, sender, receiver) save_message(seed, MESSAGE_TYPE_##NAME);
	MESSAGE_TABLE(SAVE)
#undef SAVE
}

/* A packet from the wire with that message, behind `how` and the interface of its arrival. */
static void put_packet(struct seed *seed, unsigned how, bool is_ipv6, const uint8_t *message)
{
	static const uint8_t ipv4[28] = {0x45, 0, 0, 176, 0, 0, 0x40, 0, 64, 17, 0, 0, 203, 0, 113,
		9, 192, 0, 2, 1, 0x9c, 0x40, 0xca, 0x6c, 0, 156};
	static const uint8_t ipv6[48] = {0x60, [5] = 156, [6] = 17, 64, 0x20, 0x01, 0x0d, 0xb8, 0,
		1, [23] = 9, [24] = 0x20, 0x01, 0x0d, 0xb8, [39] = 1, [40] = 0x9c, 0x40, 0xca, 0x6c,
		0, 156};
	size_t header = is_ipv6 ? sizeof(ipv6) : sizeof(ipv4);

	put_byte(seed, how);
	put_byte(seed, 2);
	put_u16(seed, header + sizeof(initiation_vectors[0].message));
	put(seed, is_ipv6 ? ipv6 : ipv4, header);
	put(seed, message, sizeof(initiation_vectors[0].message));
}

/* `how` of fuzz_initiation.c: 1 makes mac1, 2 seals the fields in their places. */
static void save_initiations(struct seed *seed)
{
	uint8_t fields[148] = {1};
	char name[32];

	for (unsigned i = 0; i < 6; i++) {
		put_packet(seed, 0, i % 2 == 1, initiation_vectors[i].message);
		snprintf(name, sizeof(name), "recorded-%u", i);
		save(seed, "initiation", name);
	}
	for (unsigned i = 0; i < 6; i++)
		put_packet(seed, 0x30, false, initiation_vectors[i].message);
	save(seed, "initiation", "recorded-all");
	memcpy(fields + 8, initiation_vectors[2].initiator_public_key, 32);
	memcpy(fields + 40, initiation_vectors[1].initiator_public_key, 32);
	memcpy(fields + 88, initiation_vectors[1].timestamp, 12);
	for (unsigned i = 0; i < 4; i++) {
		fields[92] = (uint8_t)(fields[92] + (i == 3 ? -2 : 1));
		fields[8 + i] ^= 1;
		put_packet(seed, 0x33 + 0x40 * i, i == 2, fields);
	}
	save(seed, "initiation", "sealed");
	put_packet(seed, 1, false, fields);
	save(seed, "initiation", "mac1-alone");
}

#define BODY(more)                                                            \
	"{\"public_key\": \"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\", " \
	"\"allowed_ips\": [\"10.64.0.7/32\", \"fd64::7\"]" more "}"

/* All but the body. limit: of allowed IPs, and MSGPACK_BODY. */
static void put_answer(struct seed *seed, unsigned status, unsigned limit,
	const char *cache_control, const char *age, const char *retry_after)
{
	static const char date[] = "Mon, 21 Sep 2026 14:13:07 GMT";

	put_u16(seed, status);
	put_byte(seed, limit);
	put_piece(seed, cache_control, strlen(cache_control));
	put_piece(seed, age, strlen(age));
	put_piece(seed, date, strlen(date));
	put_piece(seed, retry_after, strlen(retry_after));
}

static void save_answer(struct seed *seed, const char *name, unsigned status,
	const char *cache_control, const char *age, const char *retry_after, const char *body)
{
	put_answer(seed, status, 8, cache_control, age, retry_after);
	put_text(seed, body);
	save(seed, "answer", name);
}

#define MSGPACK_BODY 0x80
#define MSGPACK_KEY              \
	"\xaapublic_key\xd9\x2c" \
	"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define MSGPACK_IPS           \
	"\xab"                \
	"allowed_ips\x92\xac" \
	"10.64.0.7/32\xa7"    \
	"fd64::7"

static void save_msgpack(struct seed *seed, const char *name, const void *body, size_t length)
{
	put_answer(seed, 200, MSGPACK_BODY | 8, "max-age=60", "", "");
	put(seed, body, length);
	save(seed, "answer", name);
}

/* Fields in every form, and members of every type. */
static void save_msgpack_answers(struct seed *seed)
{
	static const char least[] = "\x82" MSGPACK_KEY MSGPACK_IPS;
	static const char most[] =
		"\xde\0\x05" MSGPACK_KEY MSGPACK_IPS "\xadpreshared_key\xda\0\x2c"
		"/////wUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
		"\xb4persistent_keepalive\xcd\0\x19"
		"\xa4note\xdc\0\x0a\xc0\xc2\xc3\xff\xd3\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xcb\x3f\xf8\0\0\0\0\0\0\xc4\1x\xd6\xff\0\0\0\0\x81\xa1x\x90\xdf\0\0\0\0";

	save_msgpack(seed, "msgpack-least", least, sizeof(least) - 1);
	save_msgpack(seed, "msgpack-most", most, sizeof(most) - 1);
	save_msgpack(seed, "msgpack-claims", "\xdd\xff\xff\xff\xff\x80", 6);
}

static void save_answers(struct seed *seed)
{
	save_answer(seed, "found", 200, "max-age=60, stale-if-error=600", "7", "", BODY(""));
	save_answer(seed, "found-whole", 200, "private, max-age=\"60\", stale-while-revalidate=5",
		"", "",
		BODY(", \"preshared_key\": \"/////wUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\", "
		     "\"persistent_keepalive\": 25, \"note\": {\"a\": [1.5e3, true, null]}"));
	save_answer(seed, "found-no-store", 200, "no-store", "", "", BODY(""));
	save_answer(seed, "bad-secret", 200, "", "", "",
		BODY(", \"preshared_key\": \"/////wUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB=\""));
	save_answer(seed, "absent", 404, "max-age=5, stale-if-error=9", "", "", "<html>");
	save_answer(seed, "revoked", 410, "", "", "", "");
	save_answer(seed, "busy", 503, "", "", "120", "");
	save_answer(seed, "busy-date", 429, "", "", "Thu, 01 Oct 2026 08:49:37 GMT", "");
	save_answer(seed, "busy-rfc850", 503, "", "", "Thursday, 01-Oct-26 08:49:37 GMT", "");
	save_answer(seed, "busy-asctime", 503, "", "", "Thu Oct  1 08:49:37 2026", "");
	save_answer(seed, "refused", 403, "", "", "", "");
	save_answer(seed, "moved", 302, "", "", "", "");
}

static void save_texts(struct seed *seed, const char *target, const char *const *texts)
{
	char name[16];

	for (unsigned i = 0; texts[i] != NULL; i++) {
		put_text(seed, texts[i]);
		snprintf(name, sizeof(name), "%02u", i);
		save(seed, target, name);
	}
}

static const char *const plain_texts[] = {"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
	"/////wUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", "10.64.0.0/10", "192.0.2.1", "0.0.0.0/0",
	"fd64::/32", "::/0", "2001:db8::1/128", "::ffff:192.0.2.1", "eyJhbGciOi.JIUzI1\r\n",
	"says \"no\" \\ \x01\xff and goes on", NULL};

static const char *const urls[] = {"https://control.example.net/peer/{key}",
	"http://127.0.0.1:8080/peer?key={key_hex}", "https://[2001:db8::1]:8443/{key_base64}",
	"unix:/run/origin.sock", "unix:/run/origin.sock:/v1/peer/{key}",
	"https://control.example.net:443/a/{key}/b?c=d&e=%41",
	"file:///etc/pullgate/peers/{key}.json", "file:///p/../{key_hex}", "file:///{key}", NULL};

static const char *const configs[] = {
	"; /etc/pullgate/wg0.conf\n[gateway]\ninterface = wg0\n\n[origin]\n"
	"url = https://control.example.net/peer/{key}\nbearer_token_file = /etc/pullgate/token\n\n"
	"[policy]\nallowed_ips = 10.64.0.0/10, fd64::/32\n\n[eviction]\nidle_after = 5min\n",
	"[gateway]\ninterface=wg0\nconnect = initiate\n[origin]\nurl = http://192.0.2.9/{key_hex}\n"
	"insecure_http = yes\nca_file = \ntimeout = 500ms\nconcurrency = 8\nrequests = 50/s\n"
	"[cache]\nfresh_ttl = 1h\nnegative_ttl = 1d\nstale_if_error = 0s\non_stale = remove\n"
	"min_revalidate = 1min\ndirectory = /var/lib/pullgate/wg0\npersist_psk = "
	"no\n[policy]\nallowed_ips = 10.0.0.0/8\n"
	"  allowed_ips = fd64::/64\nmax_allowed_ips = 4\ndefault_route = yes\n[eviction]\n"
	"idle_after = off\nunconfirmed_after = 30s\nmax_peers = 100\nremoval_guard = "
	"100%\n[limits]\n"
	"per_source = 10/s burst 20\n",
	"[gateway]\ninterface = wg0\n[origin]\nurl = unix:/run/origin.sock\n"
	"client_cert_file = /a ; why\nclient_key_file = /b\n[policy]\nallowed_ips = ::/0\n",
	"[gateway]\ninterface = wg0\n[origin]\nurl = "
	"file:///etc/pullgate/peers/{key}.json\n[cache]\n"
	"file_ttl = 10s\n[policy]\nallowed_ips = 10.0.0.0/8\n",
	NULL};

/* A file with so many prefixes. */
static void save_prefixes(struct seed *seed, const char *name, unsigned count)
{
	char line[32];

	put_text(seed, "[gateway]\ninterface = wg0\n[origin]\nurl = https://a/{key}\n[policy]\n");
	for (unsigned i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "allowed_ips = 10.0.%u.0/24\n", i);
		put_text(seed, line);
	}
	save(seed, "config", name);
}

/* The memory of a process that kept two keys' timestamps, whole and torn. */
static void save_timestamps(struct seed *seed)
{
	size_t bytes = timestamp_record_bytes(8);
	struct timestamp_record record;
	void *memory = calloc(1, bytes);

	FUZZ_CHECK(memory != NULL && timestamp_record_attach(&record, memory, bytes) == 0);
	for (unsigned i = 0; i < 4; i++)
		timestamp_record_keep(&record, initiation_vectors[i].initiator_public_key,
			initiation_vectors[i].timestamp, 1000 * (int64_t)i);
	put(seed, memory, bytes);
	save(seed, "timestamps", "whole");
	put(seed, memory, bytes / 2 & ~(size_t)7);
	save(seed, "timestamps", "short");
	free(memory);
}

/* Without the check sum, which the target adds. */
static void save_record(struct seed *seed, enum peer_answer answer, const char *name)
{
	struct cache_record record = {.stored_ms = 1700000000000, .peer = {.answer = answer}};
	uint8_t bytes[CACHE_RECORD_BYTES_MAX];
	int length;

	memset(record.peer.key, 1, sizeof(record.peer.key));
	record.peer.valid_ms = 60000;
	if (answer == PEER_FOUND) {
		memset(record.peer.public_key, 1, sizeof(record.peer.public_key));
		record.peer.stale_ms = 30000;
		record.peer.allowed_ips.count = 1;
		record.peer.allowed_ips.item[0] =
			(struct prefix){.family = 4, .length = 32, .bytes = {10, 64, 0, 7}};
		record.control.max_age = (struct cache_seconds){true, 60};
		strcpy(record.validators.etag, "\"652\"");
		strcpy(record.validators.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
	}
	length = cache_record_encode(&record, bytes);
	FUZZ_CHECK(length > 8);
	put(seed, bytes, (size_t)length - 8);
	save(seed, "record", name);
}

int main(int count, char **arguments)
{
	static struct seed seed;

	if (count != 2) {
		fprintf(stderr, "usage: fuzz_seeds DIRECTORY\n");
		return 2;
	}
	directory = arguments[1];
	save_messages(&seed);
	save_initiations(&seed);
	save_answers(&seed);
	save_msgpack_answers(&seed);
	save_texts(&seed, "text", plain_texts);
	save_texts(&seed, "url", urls);
	save_texts(&seed, "config", configs);
	save_prefixes(&seed, "regression-prefixes-full", 64);
	save_prefixes(&seed, "regression-prefixes-one-too-many", 65);
	save_timestamps(&seed);
	save_record(&seed, PEER_FOUND, "found");
	save_record(&seed, PEER_REVOKED, "revoked");
	return 0;
}
