/* SPDX-License-Identifier: ISC */
/*
 * Every message between two processes: number, name, member of struct message, sender, receiver,
 * and its fields with their types and limits. The structures, the encoder, the strict decoder, the
 * greatest sizes and the names in logs all follow from this table.
 *
 * On the wire a message is one msgpack array: the number, then the fields in this order. Field
 * types, what they are in C and on the wire, and what the limit means:
 *   UINT       uint64_t                          positive integer, at most the limit
 *   BYTES      uint8_t [limit]                   bin of exactly that length
 *   TEXT       char [limit + 1], terminated      str of at most limit bytes, none of them zero
 *   ADDRESS    struct address                    bin of 17 bytes: family, address
 *   ADDRESSES  {count, struct address [limit]}   bin, a multiple of 17 bytes
 *   PREFIXES   {count, struct prefix [limit]}    bin, a multiple of 18 bytes: family, length,
 *                                                address
 *   KEYS       {count, uint8_t [limit][32]}      bin, a multiple of 32 bytes
 */
#ifndef PULLGATE_MESSAGE_TABLE_H
#define PULLGATE_MESSAGE_TABLE_H

/* As many as [origin] may name. */
#define ORIGINS_MAX 4

/* And so many public keys of theirs, each as "sha256//" and 44 characters of base64. */
#define PINS_MAX 4

/* M(number, NAME, member, sender, receiver); CHILD stands for each role but the supervisor. */
#define MESSAGE_TABLE(M)                                                    \
	M(1, START, start, SUPERVISOR, CHILD)                               \
	M(2, CAPTURE_SETTINGS, capture_settings, SUPERVISOR, CAPTURE)       \
	M(3, FETCHER_SETTINGS, fetcher_settings, SUPERVISOR, FETCHER)       \
	M(4, CONNECTOR_SETTINGS, connector_settings, SUPERVISOR, CONNECTOR) \
	M(5, INSTALLER_SETTINGS, installer_settings, SUPERVISOR, INSTALLER) \
	M(6, MATERIAL, material, SUPERVISOR, FETCHER)                       \
	M(7, RENEW, renew, SUPERVISOR, CHILD)                               \
	M(8, READY, ready, CHILD, SUPERVISOR)                               \
	M(9, OFFENCE, offence, CHILD, SUPERVISOR)                           \
	M(10, DEVICE, device, INSTALLER, SUPERVISOR)                        \
	M(11, GATEWAY, gateway, INSTALLER, CAPTURE)                         \
	M(12, LOCAL_ADDRESSES, local_addresses, INSTALLER, CAPTURE)         \
	M(13, KNOWN, known, INSTALLER, CAPTURE)                             \
	M(14, DEMAND, demand, CAPTURE, INSTALLER)                           \
	M(15, LOOKUP, lookup, CAPTURE, FETCHER)                             \
	M(16, PEER, peer, FETCHER, INSTALLER)                               \
	M(17, OUTCOME, outcome, INSTALLER, CAPTURE)                         \
	M(18, REMOVED, removed, INSTALLER, CAPTURE)                         \
	M(19, CONNECT, connect, FETCHER, CONNECTOR)                         \
	M(20, CONNECTED, connected, CONNECTOR, FETCHER)                     \
	M(21, CONNECT_FAILED, connect_failed, CONNECTOR, FETCHER)           \
	M(22, HEALTH_ASK, health_ask, SUPERVISOR, CHILD)                    \
	M(23, HEALTH_ANSWER, health_answer, CHILD, SUPERVISOR)              \
	M(24, REVALIDATE, revalidate, INSTALLER, FETCHER)                   \
	M(25, FETCHER_ORIGIN, fetcher_origin, SUPERVISOR, FETCHER)          \
	M(26, CONNECTOR_ORIGIN, connector_origin, SUPERVISOR, CONNECTOR)

/* The first message to a child: whom to become. */
#define MESSAGE_START(F)                                                              \
	F(UINT, user_id, UINT32_MAX - 1)                                              \
	F(UINT, group_id, UINT32_MAX - 1)                                             \
	F(UINT, generation, UINT32_MAX) /* of the channels that it is started with */ \
	F(UINT, verbose, 1)

/* Settings come after START, and again when the operator reloads. */
#define MESSAGE_CAPTURE_SETTINGS(F)                                                       \
	F(UINT, verbose, 1)                                                               \
	F(UINT, per_source_rate, 1000000)  /* initiations a second from one /32 or /64 */ \
	F(UINT, per_source_burst, 1000000) /* and at once */                              \
	F(UINT, max_peers, 1048576)

/* One for each origin, in the order of preference, before FETCHER_SETTINGS. */
#define MESSAGE_FETCHER_ORIGIN(F)                                                                 \
	F(TEXT, url, 1024) /* with {key}, {key_hex} or {key_base64}; checked by the supervisor */ \
	F(TEXT, unix_path, 107) /* that it is reached by, to tell one from another; or empty */

#define MESSAGE_FETCHER_SETTINGS(F)                                                      \
	F(UINT, verbose, 1)                                                              \
	F(TEXT, directory, 255) /* the root, that a file: url is in; else empty */       \
	F(UINT, timeout_ms, 600000)                                                      \
	F(UINT, concurrency, 1024) /* requests under way, at each origin; so the next */ \
	F(UINT, requests_per_second, 1000000)                                            \
	F(UINT, breaker, 1000) /* failures in a row that open it; 0: never */            \
	F(UINT, fresh_ttl_ms, UINT32_MAX)                                                \
	F(UINT, negative_ttl_ms, UINT32_MAX)                                             \
	F(UINT, stale_if_error_ms, UINT32_MAX)                                           \
	F(UINT, stale_after_ms, UINT32_MAX)                                              \
	F(UINT, persist_psk, 1) /* preshared keys too, where the cache persists */       \
	F(UINT, max_peers, 1048576)                                                      \
	F(UINT, max_allowed_ips, 64)                                                     \
	F(TEXT, pinned_public_keys, PINS_MAX * 53 - 1) /* with ; between them; empty: any */

/* One for each origin, in the same order as the fetcher's, before CONNECTOR_SETTINGS. */
#define MESSAGE_CONNECTOR_ORIGIN(F)                                                            \
	F(TEXT, host, 255) /* name or numeric address without brackets; empty for unix_path */ \
	F(UINT, port, 65535)                                                                   \
	F(TEXT, unix_path, 107) /* unix(7); empty for host and port */

#define MESSAGE_CONNECTOR_SETTINGS(F) \
	F(UINT, verbose, 1)           \
	F(UINT, timeout_ms, 600000)

#define MESSAGE_INSTALLER_SETTINGS(F)                                      \
	F(UINT, verbose, 1)                                                \
	F(TEXT, interface, 15)                                             \
	F(UINT, connect, 2)      /* enum connect_mode */                   \
	F(PREFIXES, allowed, 64) /* where a peer's allowed IPs must lie */ \
	F(UINT, allow_default_route, 1)                                    \
	F(UINT, max_allowed_ips, 64)                                       \
	F(UINT, max_peers, 1048576)                                        \
	F(UINT, idle_after_ms, UINT32_MAX) /* 0: off */                    \
	F(UINT, unconfirmed_after_ms, UINT32_MAX)                          \
	F(UINT, min_revalidate_ms, UINT32_MAX)                             \
	F(UINT, on_stale, 1) /* enum on_stale */                           \
	F(UINT, removal_guard_percent, 100)                                \
	F(UINT, requests_per_second, 1000000) /* the fetcher's */

/* Comes with one descriptor, a sealed memfd that holds the bytes; before FETCHER_SETTINGS. */
#define MESSAGE_MATERIAL(F) F(UINT, kind, 3) /* enum material_kind */

/* Comes with one descriptor: the new channel to that role. */
#define MESSAGE_RENEW(F) \
	F(UINT, role, 4) \
	F(UINT, generation, UINT32_MAX)

/* The sandbox is closed and the process is at work. */
#define MESSAGE_READY(F)

/*
 * That process sent what an honest one never can; its channel, of that generation, is no longer
 * read.
 */
#define MESSAGE_OFFENCE(F)   \
	F(UINT, offender, 4) \
	F(UINT, generation, UINT32_MAX)

/* What the packet socket's filter needs, and what tells that it needs another one. */
#define MESSAGE_DEVICE(F)                   \
	F(UINT, interface_index, INT32_MAX) \
	F(UINT, listen_port, 65535)

/* What capture needs to be the responder. The one message with the private key. */
#define MESSAGE_GATEWAY(F)                  \
	F(BYTES, private_key, 32)           \
	F(UINT, interface_index, INT32_MAX) \
	F(UINT, listen_port, 65535)

/* All unicast addresses of this host, whole at each change. */
#define MESSAGE_LOCAL_ADDRESSES(F) F(ADDRESSES, addresses, 256)

/* Keys that the kernel holds; many messages make the whole after each (re)start of a side. */
#define MESSAGE_KNOWN(F)                         \
	F(UINT, state, 1) /* enum known_state */ \
	F(KEYS, keys, 64)

#define MESSAGE_DEMAND(F)                                                         \
	F(UINT, id, UINT64_MAX)                                                   \
	F(BYTES, key, 32)                                                         \
	F(ADDRESS, source, 1)                                                     \
	F(UINT, source_port, 65535)                                               \
	F(ADDRESS, destination, 1)                                                \
	F(UINT, destination_port, 65535)                                          \
	F(UINT, arrival_index, INT32_MAX) /* interface that the packet came by */ \
	F(BYTES, initiation, 148)

#define MESSAGE_LOOKUP(F)       \
	F(UINT, id, UINT64_MAX) \
	F(BYTES, key, 32)

/*
 * Asks for the configuration of an installed peer anew, and is answered by a PEER with its id as a
 * LOOKUP is. Ids of REVALIDATE have their highest bit set, those of LOOKUP don't.
 */
#define MESSAGE_REVALIDATE(F)   \
	F(UINT, id, UINT64_MAX) \
	F(BYTES, key, 32)       \
	F(UINT, end_to_end, 1) /* no cache on the way may answer (RFC 9111 section 5.2.1.4) */

/* The configuration's fields are zero and empty unless answer is found. */
#define MESSAGE_PEER(F)                                                           \
	F(UINT, id, UINT64_MAX) /* of the LOOKUP that it answers */               \
	F(BYTES, key, 32)                                                         \
	F(UINT, answer, 3)            /* enum peer_answer */                      \
	F(UINT, valid_ms, UINT32_MAX) /* how long this answer may be relied on */ \
	F(UINT, stale_ms, UINT32_MAX) /* and then, while the origin fails */      \
	F(BYTES, public_key, 32)      /* as the configuration has it */           \
	F(PREFIXES, allowed_ips, 64)                                              \
	F(UINT, has_preshared_key, 1)                                             \
	F(BYTES, preshared_key, 32)                                               \
	F(UINT, persistent_keepalive, 65535) /* seconds; 0: off */

#define MESSAGE_OUTCOME(F)                                          \
	F(UINT, id, UINT64_MAX) /* of the DEMAND that it answers */ \
	F(BYTES, key, 32)                                           \
	F(UINT, result, 4)           /* enum outcome_result */      \
	F(UINT, hold_ms, UINT32_MAX) /* no demand for this key again for so long */

/* Sent before the peer is removed from the kernel, whatever the reason. */
#define MESSAGE_REMOVED(F) F(BYTES, key, 32)

/* Asks for one connected socket to an origin. */
#define MESSAGE_CONNECT(F)      \
	F(UINT, id, UINT64_MAX) \
	F(UINT, origin, ORIGINS_MAX - 1) /* its place among the origins, from 0 */

/* Comes with one descriptor: the connected socket. */
#define MESSAGE_CONNECTED(F)    \
	F(UINT, id, UINT64_MAX) \
	F(TEXT, address, 127) /* whom it is connected to, for the log */

#define MESSAGE_CONNECT_FAILED(F) \
	F(UINT, id, UINT64_MAX)   \
	F(TEXT, reason, 127)

/* Is answered from the loop in which the process does its work, so that a hang shows. */
#define MESSAGE_HEALTH_ASK(F) F(UINT, id, UINT64_MAX)

#define MESSAGE_HEALTH_ANSWER(F) F(UINT, id, UINT64_MAX) /* of the HEALTH_ASK */

#endif
