/* SPDX-License-Identifier: ISC */
/* Who owns which allowed IPs: path-compressed binary tries over an array of nodes. */
#include "installer/allowed_ips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A node without an owner is there to branch, and then has both children. */
struct allowed_ips_node {
	struct prefix prefix;
	uint32_t owner;
	uint32_t child[2], parent;
	uint32_t next, previous; /* of the same owner; next of a free node: the next free one */
};

struct allowed_ips_owner {
	uint32_t first, last, count;
};

int allowed_ips_init(struct allowed_ips *table, uint32_t owners, uint32_t capacity)
{
	*table = (struct allowed_ips){.capacity = capacity, .end = 1};
	if (capacity == 0 || capacity > 1U << 26 || owners == 0)
		return -EINVAL;
	/* Branching nodes are fewer than prefixes; number 0 stays unused. */
	table->nodes = calloc((size_t)capacity * 2 + 1, sizeof(*table->nodes));
	table->owners = calloc(owners, sizeof(*table->owners));
	if (table->nodes != NULL && table->owners != NULL)
		return 0;
	allowed_ips_destroy(table);
	return -ENOMEM;
}

void allowed_ips_destroy(struct allowed_ips *table)
{
	free(table->nodes);
	free(table->owners);
	*table = (struct allowed_ips){.capacity = 0};
}

static unsigned bit_at(const struct prefix *prefix, unsigned bit)
{
	return prefix->bytes[bit / 8] >> (7 - bit % 8) & 1U;
}

/* Length of what two prefixes of one family have in common. */
static unsigned common_length(const struct prefix *a, const struct prefix *b)
{
	unsigned limit = a->length < b->length ? a->length : b->length;
	unsigned length = 0;

	for (size_t i = 0; length < limit; i++, length += 8) {
		unsigned differing = (unsigned)(a->bytes[i] ^ b->bytes[i]);

		if (differing != 0) {
			length += (unsigned)__builtin_clz(differing) - 24;
			break;
		}
	}
	return length < limit ? length : limit;
}

static struct prefix shortened(const struct prefix *prefix, unsigned length)
{
	struct prefix result = {.family = prefix->family, .length = (uint8_t)length};

	memcpy(result.bytes, prefix->bytes, (length + 7) / 8);
	if (length % 8 != 0)
		result.bytes[length / 8] &= (uint8_t)(0xff00 >> (length % 8));
	return result;
}

/* Never fails: init made room for as many as the prefixes can need. */
static uint32_t take_node(struct allowed_ips *table, const struct prefix *prefix)
{
	uint32_t number = table->free;

	if (number != 0)
		table->free = table->nodes[number].next;
	else
		number = table->end++;
	table->nodes[number] =
		(struct allowed_ips_node){.prefix = *prefix, .owner = ALLOWED_IPS_NO_OWNER};
	return number;
}

static void give_node(struct allowed_ips *table, uint32_t number)
{
	table->nodes[number] =
		(struct allowed_ips_node){.owner = ALLOWED_IPS_NO_OWNER, .next = table->free};
	table->free = number;
}

/* The variable that names this node: a root or its parent's child. */
static uint32_t *link_to(struct allowed_ips *table, uint32_t number)
{
	const struct allowed_ips_node *node = &table->nodes[number];
	struct allowed_ips_node *parent = &table->nodes[node->parent];

	if (node->parent == 0)
		return &table->roots[node->prefix.family == 6];
	return &parent->child[parent->child[1] == number];
}

static void adopt(struct allowed_ips *table, uint32_t parent, uint32_t child)
{
	struct allowed_ips_node *node = &table->nodes[parent];

	node->child[bit_at(&table->nodes[child].prefix, node->prefix.length)] = child;
	table->nodes[child].parent = parent;
}

static void unlist(struct allowed_ips *table, uint32_t number)
{
	struct allowed_ips_node *node = &table->nodes[number];
	struct allowed_ips_owner *owner = &table->owners[node->owner];

	*(node->previous != 0 ? &table->nodes[node->previous].next : &owner->first) = node->next;
	*(node->next != 0 ? &table->nodes[node->next].previous : &owner->last) = node->previous;
	owner->count--;
	table->count--;
	node->owner = ALLOWED_IPS_NO_OWNER;
	node->next = node->previous = 0;
}

static void list(struct allowed_ips *table, uint32_t number, uint32_t owner)
{
	struct allowed_ips_node *node = &table->nodes[number];
	struct allowed_ips_owner *owned = &table->owners[owner];

	node->owner = owner;
	node->previous = owned->last;
	*(owned->last != 0 ? &table->nodes[owned->last].next : &owned->first) = number;
	owned->last = number;
	owned->count++;
	table->count++;
}

/* Takes a node without owner out of the trie, unless it branches. */
static void prune(struct allowed_ips *table, uint32_t number)
{
	struct allowed_ips_node *node = &table->nodes[number];
	uint32_t parent = node->parent;
	uint32_t child = node->child[0] != 0 ? node->child[0] : node->child[1];

	if (node->owner != ALLOWED_IPS_NO_OWNER || (node->child[0] != 0 && node->child[1] != 0))
		return;
	*link_to(table, number) = child;
	if (child != 0)
		table->nodes[child].parent = parent;
	give_node(table, number);
	if (parent != 0 && child == 0)
		prune(table, parent); /* at most once: a branching parent had two children */
}

/* Where prefix belongs: the node that is it, or else a new one at its place. */
static uint32_t place_prefix(struct allowed_ips *table, const struct prefix *prefix)
{
	uint32_t *link = &table->roots[prefix->family == 6];
	uint32_t parent = 0, below, placed;
	unsigned common = 0;

	for (; *link != 0; link = &table->nodes[parent].child[bit_at(prefix, common)]) {
		common = common_length(&table->nodes[*link].prefix, prefix);
		if (common < table->nodes[*link].prefix.length)
			break;
		if (common == prefix->length)
			return *link;
		parent = *link;
	}
	below = *link;
	placed = take_node(table, prefix);
	if (below == 0 || common == prefix->length) {
		*link = placed;
		table->nodes[placed].parent = parent;
	} else {
		struct prefix shared = shortened(prefix, common);
		uint32_t branch = take_node(table, &shared);

		*link = branch;
		table->nodes[branch].parent = parent;
		adopt(table, branch, placed);
		adopt(table, branch, below);
		return placed;
	}
	if (below != 0)
		adopt(table, placed, below);
	return placed;
}

int allowed_ips_add(struct allowed_ips *table, uint32_t owner, const struct prefix *prefix,
	uint32_t *moved_from)
{
	uint32_t number;

	*moved_from = ALLOWED_IPS_NO_OWNER;
	if (table->count == table->capacity)
		return -ENOSPC;
	number = place_prefix(table, prefix);
	if (table->nodes[number].owner == owner)
		return 0;
	if (table->nodes[number].owner != ALLOWED_IPS_NO_OWNER) {
		*moved_from = table->nodes[number].owner;
		unlist(table, number);
	}
	list(table, number, owner);
	return 0;
}

void allowed_ips_cut(struct allowed_ips *table, uint32_t owner, allowed_ips_place place)
{
	uint32_t number;

	while (place != 0 && (number = table->owners[owner].last) != 0) {
		unlist(table, number);
		prune(table, number);
		if (number == place)
			return;
	}
}

void allowed_ips_remove_all(struct allowed_ips *table, uint32_t owner)
{
	allowed_ips_cut(table, owner, table->owners[owner].first);
}

static bool foreign(const struct allowed_ips_node *node, uint32_t except)
{
	return node->owner != ALLOWED_IPS_NO_OWNER && node->owner != except;
}

/* The node behind number in the subtree under top, parents first; 0 behind the last. */
static uint32_t next_below(const struct allowed_ips *table, uint32_t top, uint32_t number)
{
	const struct allowed_ips_node *node = &table->nodes[number];

	if (node->child[0] != 0 || node->child[1] != 0)
		return node->child[0] != 0 ? node->child[0] : node->child[1];
	while (number != top) {
		const struct allowed_ips_node *parent = &table->nodes[node->parent];

		if (parent->child[0] == number && parent->child[1] != 0)
			return parent->child[1];
		number = node->parent;
		node = parent;
	}
	return 0;
}

/* Which node under top, top included, has another owner; 0 for none. It passes the nodes of except
 * and their branches alone, so it takes no more steps than twice that owner's prefixes. */
static uint32_t find_below(const struct allowed_ips *table, uint32_t top, uint32_t except)
{
	uint32_t number = top;

	while (number != 0 && !foreign(&table->nodes[number], except))
		number = next_below(table, top, number);
	return number;
}

static uint32_t find_overlap(
	const struct allowed_ips *table, const struct prefix *prefix, uint32_t except)
{
	uint32_t number = table->roots[prefix->family == 6];

	while (number != 0) {
		const struct allowed_ips_node *node = &table->nodes[number];
		unsigned common = common_length(&node->prefix, prefix);

		if (common == prefix->length)
			return find_below(table, number, except);
		if (common < node->prefix.length)
			return 0;
		if (foreign(node, except))
			return number;
		number = node->child[bit_at(prefix, common)];
	}
	return 0;
}

uint32_t allowed_ips_overlap(const struct allowed_ips *table, const struct prefix *prefix,
	uint32_t except, struct prefix *found)
{
	uint32_t number = find_overlap(table, prefix, except);

	if (number == 0)
		return ALLOWED_IPS_NO_OWNER;
	*found = table->nodes[number].prefix;
	return table->nodes[number].owner;
}

allowed_ips_place allowed_ips_first(const struct allowed_ips *table, uint32_t owner)
{
	return table->owners[owner].first;
}

allowed_ips_place allowed_ips_next(const struct allowed_ips *table, allowed_ips_place place)
{
	return table->nodes[place].next;
}

struct prefix allowed_ips_prefix(const struct allowed_ips *table, allowed_ips_place place)
{
	return table->nodes[place].prefix;
}

uint32_t allowed_ips_count(const struct allowed_ips *table, uint32_t owner)
{
	return table->owners[owner].count;
}
