/* SPDX-License-Identifier: ISC */
/*
 * What the fetcher knows and has under way. Its parts, each with the functions that change them:
 * settings.h, lookups.h, requests.h, connections.h; dispatch.h is the loop over all.
 */
#ifndef PULLGATE_FETCHER_FETCHER_H
#define PULLGATE_FETCHER_FETCHER_H

#include <stdint.h>

#include "common/line_budget.h"
#include "common/process.h"
#include "fetcher/cache_store.h"
#include "fetcher/file_origin.h"
#include "fetcher/http_client.h"
#include "fetcher/lookup_table.h"
#include "fetcher/material.h"
#include "fetcher/negative_cache.h"
#include "fetcher/origins.h"
#include "fetcher/peer_cache.h"

/* Messages of one process that are read in one turn, so that none starves the others. */
#define MESSAGES_A_TURN 64

/* A lookup queued for longer is given up: its client retries after 5 s (WireGuard paper, section
 * 6.1), and that retry asks again. */
#define FETCHER_PATIENCE_MS 5000

/* The same for a renewal, for which no client waits: the installer asks again by itself. */
#define FETCHER_RENEWAL_PATIENCE_MS 60000

/* How often lookups are looked through for what time brings. */
#define FETCHER_TEND_MS 50

/* At most one line about refused credentials in this time; every failure has its own besides. */
#define FETCHER_LOUD_MS 10000

struct fetcher {
	struct process process;
	const char *interface; /* for which all this is */
	struct message_fetcher_settings settings;
	/* The origins that the next FETCHER_SETTINGS bring, and what is wrong with them, or NULL. */
	struct origin_url coming[ORIGINS_MAX];
	size_t coming_count;
	const char *coming_error;
	/* The set in use, and the one that comes before the next FETCHER_SETTINGS: all the material
	 * that belongs to them. What doesn't come is configured no more. */
	struct material_set material[2];
	unsigned in_use;    /* which of them */
	int material_error; /* of the set to come; it is then not taken */
	struct lookup_table *lookups;
	struct negative_cache *negatives;
	struct peer_cache *peers;
	struct cache_store *store; /* of both caches; NULL: they are in memory alone */
	struct jitter jitter;
	struct origins origins;
	struct http_client *http;
	struct file_origin files; /* asked instead, where the origin is a directory */
	uint64_t connect_id;      /* the last */
	int64_t asked_ms;         /* when the last LOOKUP came */
	int64_t tended_ms;        /* when lookups were last looked through */
	int64_t looked_ms;        /* when the last turn looked at what time brings */
	uint64_t lost, failed;    /* answers that found no room, lookups without an answer */
	struct count_report report;
	struct line_budget lines;
	int64_t loud_ms; /* when refused credentials were last spoken of; 0: never */
};

#endif
