/* SPDX-License-Identifier: ISC */
/*
 * Who owns which allowed IPs: a path-compressed binary trie for each family, so that an overlap of
 * whatever prefix lengths is found in at most 32 or 128 steps, however many peers there are. As in
 * the kernel (drivers/net/wireguard/allowedips.c), an owner's prefixes may nest in another's, and
 * one prefix has one owner. All memory is taken at the start. Owners are slot numbers.
 */
#ifndef PULLGATE_INSTALLER_ALLOWED_IPS_H
#define PULLGATE_INSTALLER_ALLOWED_IPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"

#define ALLOWED_IPS_NO_OWNER UINT32_MAX

/* A place in the list of an owner's prefixes; 0 is behind the last. */
typedef uint32_t allowed_ips_place;

struct allowed_ips_node;
struct allowed_ips_owner;

struct allowed_ips {
	uint32_t capacity, count; /* prefixes */
	uint32_t roots[2];        /* IPv4, IPv6; nodes count from 1 */
	uint32_t end, free;       /* nodes at or above end were never used */
	struct allowed_ips_node *nodes;
	struct allowed_ips_owner *owners;
};

/* 0, -EINVAL for a capacity of 0 or above 2^26, or -ENOMEM. */
int allowed_ips_init(struct allowed_ips *table, uint32_t owners, uint32_t capacity);
void allowed_ips_destroy(struct allowed_ips *table);

/*
 * Appends a prefix to the owner's list; what it has already stays in its place. As in the kernel, a
 * prefix of another owner moves; *moved_from says whose, or ALLOWED_IPS_NO_OWNER. 0 or -ENOSPC.
 */
int allowed_ips_add(struct allowed_ips *table, uint32_t owner, const struct prefix *prefix,
	uint32_t *moved_from);

/* Removes from an owner's list the prefix at that place and all behind it. */
void allowed_ips_cut(struct allowed_ips *table, uint32_t owner, allowed_ips_place place);
void allowed_ips_remove_all(struct allowed_ips *table, uint32_t owner);

/* An owner other than except whose prefixes share an address with this one, or
 * ALLOWED_IPS_NO_OWNER. *found is that prefix. */
uint32_t allowed_ips_overlap(const struct allowed_ips *table, const struct prefix *prefix,
	uint32_t except, struct prefix *found);

/* An owner's prefixes in the order in which they were added. */
allowed_ips_place allowed_ips_first(const struct allowed_ips *table, uint32_t owner);
allowed_ips_place allowed_ips_next(const struct allowed_ips *table, allowed_ips_place place);
struct prefix allowed_ips_prefix(const struct allowed_ips *table, allowed_ips_place place);
uint32_t allowed_ips_count(const struct allowed_ips *table, uint32_t owner);

#endif
