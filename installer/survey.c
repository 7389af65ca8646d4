/* SPDX-License-Identifier: ISC */
/* Reads the interface again and again. */
#include "installer/survey.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "installer/announce.h"
#include "installer/sweep.h"

#define INTERVAL_MS             5000
#define INTERVAL_UNCONFIRMED_MS 1000
#define INTERVAL_MIN_MS         200
#define COST_FACTOR             25 /* an interval lasts so many times what the last dump took */
#define COST_FACTOR_SOON        5
#define ATTEMPTS_MAX            3 /* dumps in a row that are interrupted; then what was seen counts */
#define STALL_MS                10000

static int64_t at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

static int64_t at_least(int64_t value, int64_t limit)
{
	return value > limit ? value : limit;
}

static int64_t interval_ms(const struct installer *installer)
{
	const struct eviction *eviction = &installer->eviction;
	int64_t interval = installer->peers.unconfirmed > 0 ? INTERVAL_UNCONFIRMED_MS : INTERVAL_MS;

	interval = at_most(interval, eviction->unconfirmed_after_ms / 4);
	if (eviction->idle_after_ms != 0)
		interval = at_most(interval, eviction->idle_after_ms / 4);
	interval = at_least(interval, INTERVAL_MIN_MS);
	return at_least(interval, COST_FACTOR * installer->survey.duration_ms);
}

void survey_after_install(struct installer *installer)
{
	struct survey *survey = &installer->survey;

	survey->next_ms = at_most(survey->next_ms, survey->ended_ms + interval_ms(installer));
}

void survey_soon(struct installer *installer)
{
	struct survey *survey = &installer->survey;
	int64_t rest_ms = at_least(INTERVAL_MIN_MS, COST_FACTOR_SOON * survey->duration_ms);

	survey->next_ms = at_most(survey->next_ms, survey->ended_ms + rest_ms);
}

/* At the start the caller says it, and ends. */
static void say_usable(const struct installer *installer, const struct device_facts *facts)
{
	const struct gateway *gateway = &installer->gateway;
	const char *lack = !facts->has_private_key ? "no private key" : "no listen port";

	if (gateway->is_usable)
		log_event(LOG_LEVEL_NOTICE, "interface", "index=%u listen_port=%u",
			gateway->interface_index, gateway->listen_port);
	else if (installer->survey.ended_ms != 0)
		log_event(LOG_LEVEL_ERROR, "interface_unusable", "index=%u reason=\"%s\"",
			gateway->interface_index, lack);
}

static int take_facts(void *context, const struct device_facts *facts)
{
	struct installer *installer = context;
	struct gateway *gateway = &installer->gateway;
	bool is_usable = facts->has_private_key && facts->listen_port != 0;
	bool is_moved = gateway->interface_index != facts->interface_index ||
			gateway->listen_port != facts->listen_port;
	bool is_rekeyed = memcmp(gateway->public_key, facts->public_key, WIREGUARD_KEY_BYTES) != 0;

	gateway->is_gone = false;
	if (!is_moved && !is_rekeyed && gateway->is_usable == is_usable)
		return 0;
	gateway->interface_index = facts->interface_index;
	gateway->listen_port = facts->listen_port;
	gateway->is_usable = is_usable;
	memcpy(gateway->public_key, facts->public_key, WIREGUARD_KEY_BYTES);
	memcpy(installer->policy.own_public_key, facts->public_key, WIREGUARD_KEY_BYTES);
	memcpy(installer->secrets->private_key, facts->private_key, WIREGUARD_KEY_BYTES);
	say_usable(installer, facts);
	announce_gateway(installer);
	installer->owes_device = installer->owes_device || is_moved;
	return 0;
}

static int take_peer(void *context, const struct device_peer *peer, bool is_continued)
{
	return reconcile_peer(&((struct installer *)context)->reconcile, peer, is_continued);
}

static int take_allowed_ip(void *context, const struct prefix *prefix)
{
	return reconcile_allowed_ip(&((struct installer *)context)->reconcile, prefix);
}

void survey_init(struct installer *installer)
{
	installer->survey = (struct survey){.reader = {.context = installer,
						    .device = take_facts,
						    .peer = take_peer,
						    .allowed_ip = take_allowed_ip}};
	reconcile_init(&installer->reconcile, &installer->peers);
}

/* One line for one trouble, and one for its end. */
static void log_change(struct survey *survey, int error)
{
	if (error == survey->last_error)
		return;
	if (error != 0)
		log_event(
			LOG_LEVEL_ERROR, "interface_unreadable", "error=\"%s\"", strerror(-error));
	else
		log_event(LOG_LEVEL_NOTICE, "interface_readable", "");
	survey->last_error = error;
}

static void schedule(struct installer *installer, int64_t now_ms)
{
	struct survey *survey = &installer->survey;

	survey->ended_ms = now_ms;
	survey->duration_ms = now_ms - survey->began_ms;
	survey->next_ms = now_ms + interval_ms(installer);
}

static void end_shown(struct installer *installer, bool is_interrupted)
{
	struct reconcile *reconcile = &installer->reconcile;
	bool lacked_room = reconcile->lacks_room;

	reconcile_end(reconcile, is_interrupted);
	if (reconcile->found_static)
		announce_found_peers(installer);
	reconcile->found_static = false;
	if (reconcile->lacks_room && !lacked_room)
		log_event(LOG_LEVEL_ERROR, "too_many_static_peers",
			"hint=\"raise max_peers; nothing is installed until then\"");
	sweep_begin(installer);
}

/* Without an interface there are no peers: a dump that shows none says the same. */
static void end_gone(struct installer *installer, int64_t now_ms)
{
	installer->gateway.is_gone = true;
	installer->gateway.is_usable = false;
	reconcile_begin(&installer->reconcile, now_ms);
	end_shown(installer, false);
}

static void begin(struct installer *installer, int64_t now_ms)
{
	int error;

	if (installer->survey.attempts == 0)
		installer->survey.began_ms = now_ms;
	reconcile_begin(&installer->reconcile, now_ms);
	error = device_begin_dump(&installer->device, &installer->survey.reader);
	installer->survey.progress_ms = now_ms;
	if (error == 0)
		return;
	log_change(&installer->survey, error);
	schedule(installer, now_ms);
}

static void end(struct installer *installer, int error, int64_t now_ms)
{
	struct survey *survey = &installer->survey;
	bool is_interrupted = error == -EINTR;

	if (is_interrupted && !reconcile_has_passed_tail(&installer->reconcile) &&
		++survey->attempts < ATTEMPTS_MAX) {
		begin(installer, now_ms);
		return;
	}
	survey->attempts = 0;
	log_change(survey, is_interrupted ? 0 : error);
	if (error == 0 || is_interrupted)
		end_shown(installer, is_interrupted);
	else if (error == -ENODEV || error == -EOPNOTSUPP)
		end_gone(installer, now_ms);
	schedule(installer, now_ms);
}

void survey_continue(struct installer *installer, int64_t now_ms)
{
	struct survey *survey = &installer->survey;
	int result;

	if (!installer->device.is_dumping) {
		if (now_ms < survey->next_ms || installer->sweep.is_running)
			return;
		begin(installer, now_ms);
		if (!installer->device.is_dumping)
			return;
	}
	result = device_continue_dump(&installer->device);
	if (result == 1)
		survey->progress_ms = now_ms;
	if (result == -EAGAIN && now_ms - survey->progress_ms > STALL_MS) {
		installer->device.is_dumping = false;
		result = -ETIMEDOUT;
	}
	if (result <= 0 && result != -EAGAIN)
		end(installer, result, now_ms);
}

int survey_first(struct installer *installer)
{
	int result = -EINTR;

	installer->survey.began_ms = clock_ms();
	for (unsigned i = 0; i < ATTEMPTS_MAX && result == -EINTR; i++) {
		reconcile_begin(&installer->reconcile, installer->survey.began_ms);
		result = device_begin_dump(&installer->device, &installer->survey.reader);
		if (result != 0)
			return result;
		while ((result = device_continue_dump(&installer->device)) == 1)
			continue;
	}
	if (result != 0 && result != -EINTR)
		return result == -EAGAIN ? -EPROTO : result;
	end_shown(installer, result == -EINTR);
	schedule(installer, clock_ms());
	return 0;
}

int survey_timeout_ms(const struct installer *installer, int64_t now_ms)
{
	int64_t left = installer->survey.next_ms - now_ms;

	if (installer->device.is_dumping)
		return STALL_MS;
	if (installer->sweep.is_running)
		return INTERVAL_MS;
	return left > 0 ? (int)at_most(left, INT32_MAX) : 0;
}
