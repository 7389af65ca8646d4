/* SPDX-License-Identifier: ISC */
/* capture at work. */
#include "capture/dispatch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"

enum {
	OWED_AGAIN_MS = 20,
	EXPIRE_EVERY_MS = 1000,
	REPORT_EVERY_MS = 60000,
	/* A turn of the loop takes so many of each, that none keeps the others waiting. */
	CONTROL_A_TURN = 16,
	MESSAGES_A_TURN = 64,
	BATCHES_A_TURN = 128,  /* 4,096 packets, some 5 ms of cheap checks */
	WORK_A_TURN_US = 5000, /* in which the packet socket can't fill up */
	DEMAND_LINES_A_SECOND = 200,
	DROP_LINES_A_SECOND = 20,
};

void dispatch_init(struct dispatch *dispatch, struct process *process, struct judge *judge,
	struct capture_secrets *secrets, const struct message_capture_settings *settings)
{
	memset(dispatch, 0, sizeof(*dispatch));
	dispatch->process = process;
	dispatch->judge = judge;
	dispatch->secrets = secrets;
	dispatch->max_peers = settings->max_peers;
	dispatch->verbose = settings->verbose != 0;
	dispatch->clock_us = clock_us;
	packet_batch_init(&dispatch->batch);
}

static int send_demand(struct process *process, const struct key_demand *demand)
{
	struct message message;
	const struct packet *packet = &demand->packet;

	message.type = MESSAGE_TYPE_DEMAND;
	message.demand.id = demand->id;
	memcpy(message.demand.key, demand->key, sizeof(message.demand.key));
	message.demand.source = packet->source;
	message.demand.source_port = packet->source_port;
	message.demand.destination = packet->destination;
	message.demand.destination_port = packet->destination_port;
	message.demand.arrival_index = packet->arrival_index;
	memcpy(message.demand.initiation, packet->initiation, sizeof(message.demand.initiation));
	return channel_send(&process->channels[ROLE_INSTALLER], &message);
}

static int send_lookup(struct process *process, const struct key_demand *demand)
{
	struct message message;

	message.type = MESSAGE_TYPE_LOOKUP;
	message.lookup.id = demand->id;
	memcpy(message.lookup.key, demand->key, sizeof(message.lookup.key));
	return channel_send(&process->channels[ROLE_FETCHER], &message);
}

/* In this order: an answer without a ticket would be dropped. */
static int send_owed(struct dispatch *dispatch, struct key_demand *demand)
{
	int error;

	if (demand->owes_demand) {
		error = send_demand(dispatch->process, demand);
		if (error != 0)
			return error;
		demand->owes_demand = false;
	}
	if (demand->owes_lookup) {
		error = send_lookup(dispatch->process, demand);
		if (error != 0)
			return error;
		demand->owes_lookup = false;
	}
	return 0;
}

/* A full queue is tried again soon; where there is no peer a RENEW will come. */
static void note_unsent(struct dispatch *dispatch, const struct key_demand *demand, int error)
{
	if (error == -EAGAIN)
		dispatch->owes = true;
	log_event(LOG_LEVEL_DEBUG, "demand_waits", "id=%llu error=\"%s\"",
		(unsigned long long)demand->id, strerror(-error));
}

static void send_all_owed(struct dispatch *dispatch)
{
	struct key_demand *demand = NULL;
	int error;

	dispatch->owes = false;
	while ((demand = key_table_next_demand(&dispatch->judge->keys, demand)) != NULL) {
		error = send_owed(dispatch, demand);
		if (error != 0) {
			note_unsent(dispatch, demand, error);
			return;
		}
	}
}

static void renew(struct dispatch *dispatch, enum role role)
{
	struct key_table *keys = &dispatch->judge->keys;
	struct key_demand *demand = NULL;

	/* A new installer tells what the kernel holds, from the beginning. */
	if (role == ROLE_INSTALLER)
		key_table_forget_known(keys);
	/* What an old fetcher said against keys goes with it, however long it was to hold. */
	if (role == ROLE_FETCHER)
		key_table_forget_refusals(keys);
	while ((demand = key_table_next_demand(keys, demand)) != NULL) {
		demand->owes_lookup = true;
		if (role == ROLE_INSTALLER)
			demand->owes_demand = true;
	}
	send_all_owed(dispatch);
}

static void change_settings(
	struct dispatch *dispatch, const struct message_capture_settings *settings)
{
	dispatch->verbose = settings->verbose != 0;
	log_set_verbose(dispatch->verbose);
	if (source_limit_change(&dispatch->judge->sources, (uint32_t)settings->per_source_rate,
		    (uint32_t)settings->per_source_burst) != 0)
		log_event(LOG_LEVEL_ERROR, "settings_refused", "what=per_source");
	key_table_forget_refusals(&dispatch->judge->keys);
	if (settings->max_peers != dispatch->max_peers)
		log_event(LOG_LEVEL_WARNING, "settings_refused",
			"what=max_peers reason=\"takes a restart\"");
}

void dispatch_control(struct dispatch *dispatch, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_TYPE_RENEW:
		renew(dispatch, (enum role)message->renew.role);
		break;
	case MESSAGE_TYPE_CAPTURE_SETTINGS:
		change_settings(dispatch, &message->capture_settings);
		break;
	default:
		log_event(LOG_LEVEL_ERROR, "unexpected_message", "name=%s",
			message_name(message->type));
	}
}

static void take_gateway(struct dispatch *dispatch, struct message_gateway *gateway)
{
	struct judge *judge = dispatch->judge;
	char key[KEY_BASE64_BYTES];
	int error = judge_set_gateway(judge, gateway->private_key,
		(uint32_t)gateway->interface_index, (uint16_t)gateway->listen_port);

	explicit_bzero(gateway, sizeof(*gateway));
	if (error != 0) {
		log_event(LOG_LEVEL_ERROR, "gateway_refused", "error=\"%s\"", strerror(-error));
		return;
	}
	log_event(LOG_LEVEL_NOTICE, "gateway", "key=%s port=%u",
		key_to_base64(key, judge->secrets->gateway.public_key), judge->listen_port);
}

static void take_known(struct dispatch *dispatch, const struct message_known *known)
{
	enum key_standing standing = known->state == KNOWN_STATIC ? KEY_STATIC : KEY_INSTALLED;

	for (uint32_t i = 0; i < known->keys.count; i++) {
		if (key_table_known(&dispatch->judge->keys, known->keys.item[i], standing) != 0)
			dispatch->not_kept++;
	}
}

static void take_outcome(
	struct dispatch *dispatch, const struct message_outcome *outcome, int64_t now_ms)
{
	static const char *const results[] = {
		[OUTCOME_INSTALLED] = "installed",
		[OUTCOME_ABSENT] = "absent",
		[OUTCOME_REVOKED] = "revoked",
		[OUTCOME_REJECTED] = "rejected",
		[OUTCOME_FAILED] = "failed",
	};
	int error = judge_outcome(dispatch->judge, outcome, now_ms);
	char key[KEY_BASE64_BYTES];

	if (error != 0)
		dispatch->stale_outcomes++;
	log_event(LOG_LEVEL_DEBUG, "outcome", "id=%llu key=%s result=%s hold_ms=%llu stale=%s",
		(unsigned long long)outcome->id, key_to_base64(key, outcome->key),
		results[outcome->result], (unsigned long long)outcome->hold_ms,
		error != 0 ? "yes" : "no");
}

void dispatch_installer(struct dispatch *dispatch, struct message *message, int64_t now_ms)
{
	switch (message->type) {
	case MESSAGE_TYPE_GATEWAY:
		take_gateway(dispatch, &message->gateway);
		break;
	case MESSAGE_TYPE_LOCAL_ADDRESSES:
		judge_set_addresses(dispatch->judge, &message->local_addresses);
		break;
	case MESSAGE_TYPE_KNOWN:
		take_known(dispatch, &message->known);
		break;
	case MESSAGE_TYPE_OUTCOME:
		take_outcome(dispatch, &message->outcome, now_ms);
		break;
	case MESSAGE_TYPE_REMOVED:
		key_table_removed(&dispatch->judge->keys, message->removed.key);
		break;
	default:
		log_event(LOG_LEVEL_ERROR, "unexpected_message", "name=%s",
			message_name(message->type));
	}
}

static void log_demand(const char *event, enum log_level level, const struct key_demand *demand)
{
	char key[KEY_BASE64_BYTES], source[ADDRESS_TEXT_BYTES], destination[ADDRESS_TEXT_BYTES];

	log_event(level, event, "id=%llu key=%s source=%s source_port=%u destination=%s",
		(unsigned long long)demand->id, key_to_base64(key, demand->key),
		address_format(source, &demand->packet.source), demand->packet.source_port,
		address_format(destination, &demand->packet.destination));
}

/* `packet` is one whose source's family is 0 where it didn't parse. */
static void log_drop(struct dispatch *dispatch, const struct packet *packet,
	enum judgement judgement, int64_t now_ms)
{
	char source[ADDRESS_TEXT_BYTES];

	if (!dispatch->verbose ||
		!line_budget_take(&dispatch->drop_lines, now_ms, DROP_LINES_A_SECOND))
		return;
	if (packet->source.family == 0)
		log_event(LOG_LEVEL_DEBUG, "packet", "verdict=%s", judgement_name(judgement));
	else
		log_event(LOG_LEVEL_DEBUG, "packet", "verdict=%s source=%s source_port=%u",
			judgement_name(judgement), address_format(source, &packet->source),
			packet->source_port);
}

void dispatch_packet(struct dispatch *dispatch, const uint8_t *data, size_t bytes,
	const struct sockaddr_ll *from, int64_t now_ms)
{
	struct judge *judge = dispatch->judge;
	bool from_known_source;
	enum judgement judgement =
		judge_arrival(judge, data, bytes, from, now_ms, &from_known_source);
	struct waiting waiting;

	dispatch->packets++;
	if (judgement != JUDGEMENTS) {
		log_drop(dispatch, &judge->packet, judgement, now_ms);
		return;
	}
	waiting = (struct waiting){
		.packet = judge->packet, .number = dispatch->packets, .since_ms = now_ms};
	schedule_add(&dispatch->schedule,
		from_known_source ? LANE_KNOWN_SOURCE : LANE_UNKNOWN_SOURCE, &waiting);
}

static void begin_demand(struct dispatch *dispatch, struct key_demand *demand,
	enum judgement judgement, int64_t now_ms)
{
	int error;

	if (line_budget_take(&dispatch->demand_lines, now_ms, DEMAND_LINES_A_SECOND))
		log_demand(judgement_name(judgement),
			judgement == JUDGED_DEMAND ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, demand);
	error = send_owed(dispatch, demand);
	if (error != 0)
		note_unsent(dispatch, demand, error);
}

static void judge_waiting(
	struct dispatch *dispatch, struct waiting *waiting, enum lane lane, int64_t now_ms)
{
	struct judge *judge = dispatch->judge;
	struct key_demand *demand;
	enum judgement judgement = lane == LANE_STRANGER
					   ? judge_stranger(judge, waiting, now_ms, &demand)
					   : judge_initiation(judge, waiting, now_ms, &demand);

	if (demand != NULL)
		begin_demand(dispatch, demand, judgement, now_ms);
	else
		log_drop(dispatch, &waiting->packet, judgement, now_ms);
	if (judgement == JUDGED_STRANGER)
		schedule_add(&dispatch->schedule, LANE_STRANGER, waiting);
}

void dispatch_work(struct dispatch *dispatch)
{
	struct schedule *schedule = &dispatch->schedule;
	int64_t now_us = dispatch->clock_us(), until_us = now_us + WORK_A_TURN_US;

	while (judge_is_ready(dispatch->judge) && now_us < until_us) {
		bool has_room = judge_has_room(dispatch->judge);
		int64_t began_us = now_us;
		enum lane lane;
		struct waiting *waiting = schedule_take(schedule, has_room, now_us, &lane);

		if (waiting == NULL)
			return;
		judge_waiting(dispatch, waiting, lane, now_us / 1000);
		now_us = dispatch->clock_us();
		schedule_spend(schedule, lane, now_us - began_us);
	}
}

/* One line of every count that isn't zero. */
static void report(struct dispatch *dispatch, int64_t now_ms)
{
	const struct judge *judge = dispatch->judge;
	char line[LOG_LINE_BYTES];
	size_t used = 0;

	if (dispatch->packets == dispatch->reported_packets ||
		now_ms - dispatch->reported_ms < REPORT_EVERY_MS)
		return;
	dispatch->reported_ms = now_ms;
	dispatch->reported_packets = dispatch->packets;
	line[0] = '\0';
	for (enum judgement i = 0; i < JUDGEMENTS && used < sizeof(line); i++) {
		if (judge->count[i] != 0)
			used += (size_t)snprintf(line + used, sizeof(line) - used, " %s=%llu",
				judgement_name(i), (unsigned long long)judge->count[i]);
	}
	log_event(LOG_LEVEL_DEBUG, "counters",
		"packets=%llu pending=%u expired=%llu stale_outcomes=%llu not_kept=%llu%s",
		(unsigned long long)dispatch->packets, judge->keys.pending,
		(unsigned long long)dispatch->expired, (unsigned long long)dispatch->stale_outcomes,
		(unsigned long long)dispatch->not_kept, line);
}

/* What could not be done at once for want of room, in one line now and then. */
static void report_dropped(struct dispatch *dispatch, int64_t now_ms)
{
	uint64_t demands = dispatch->process->channels[ROLE_INSTALLER].dropped;
	uint64_t lookups = dispatch->process->channels[ROLE_FETCHER].dropped;
	uint64_t refused = dispatch->judge->count[JUDGED_REFUSED];
	uint64_t unproven = schedule_lost_unproven(&dispatch->schedule);
	uint64_t strangers = schedule_lost_proven(&dispatch->schedule);

	if (!count_report_due(&dispatch->dropped_report,
		    demands + lookups + refused + unproven + strangers + dispatch->expired +
			    dispatch->not_kept,
		    now_ms))
		return;
	log_event(LOG_LEVEL_NOTICE, "dropped",
		"unproven=%llu strangers=%llu refused=%llu expired=%llu not_kept=%llu "
		"unsent_demands=%llu unsent_lookups=%llu",
		(unsigned long long)unproven, (unsigned long long)strangers,
		(unsigned long long)refused, (unsigned long long)dispatch->expired,
		(unsigned long long)dispatch->not_kept, (unsigned long long)demands,
		(unsigned long long)lookups);
}

void dispatch_due(struct dispatch *dispatch, int64_t now_ms)
{
	dispatch->expired += key_table_expire(&dispatch->judge->keys, now_ms);
	if (dispatch->owes)
		send_all_owed(dispatch);
	report(dispatch, now_ms);
	report_dropped(dispatch, now_ms);
}

int dispatch_timeout(struct dispatch *dispatch)
{
	struct judge *judge = dispatch->judge;
	int due_ms = judge->keys.pending > 0 ? EXPIRE_EVERY_MS : REPORT_EVERY_MS;
	int work_ms = -1;

	if (dispatch->owes)
		due_ms = OWED_AGAIN_MS;
	if (judge_is_ready(judge))
		work_ms = schedule_wait_ms(
			&dispatch->schedule, judge_has_room(judge), dispatch->clock_us());
	return work_ms >= 0 && work_ms < due_ms ? work_ms : due_ms;
}

static void receive_control(struct dispatch *dispatch)
{
	struct message *message = &dispatch->secrets->incoming;
	int fd;

	for (int i = 0; i < CONTROL_A_TURN; i++) {
		if (!process_receive_control(dispatch->process, message, &fd))
			return;
		if (fd >= 0)
			close(fd); /* nothing for us comes with one but RENEW */
		dispatch_control(dispatch, message);
	}
}

static void receive_messages(struct dispatch *dispatch, enum role from, int64_t now_ms)
{
	struct message *message = &dispatch->secrets->incoming;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		if (!process_receive(dispatch->process, from, message))
			return;
		dispatch_installer(dispatch, message, now_ms);
	}
}

static void receive_packets(struct dispatch *dispatch, int packet_fd, int64_t now_ms)
{
	struct packet_batch *batch = &dispatch->batch;
	int count = PACKET_BATCH_MAX;

	for (int turn = 0; turn < BATCHES_A_TURN && count == PACKET_BATCH_MAX; turn++) {
		count = packet_batch_receive(batch, packet_fd);
		if (count < 0)
			log_fatal("packet_socket_failed", "error=\"%s\"", strerror(-count));
		for (int i = 0; i < count; i++)
			dispatch_packet(dispatch, batch->data[i], packet_batch_bytes(batch, i),
				&batch->from[i], now_ms);
	}
}

void dispatch_run(struct dispatch *dispatch, int packet_fd)
{
	struct pollfd set[ROLE_COUNT + 1];
	struct pollfd *packets = &set[ROLE_COUNT];
	int64_t now_ms;

	dispatch->reported_ms = clock_ms();
	for (;;) {
		process_watch(dispatch->process, set);
		/* Until the gateway's key has come, packets wait in their socket. */
		*packets = (struct pollfd){
			.fd = judge_is_ready(dispatch->judge) ? packet_fd : -1, .events = POLLIN};
		if (poll(set, ROLE_COUNT + 1, dispatch_timeout(dispatch)) < 0 && errno != EINTR)
			log_fatal("poll_failed", "error=\"%s\"", strerror(errno));
		now_ms = clock_ms();
		if (set[ROLE_SUPERVISOR].revents != 0)
			receive_control(dispatch);
		if (set[ROLE_INSTALLER].revents != 0)
			receive_messages(dispatch, ROLE_INSTALLER, now_ms);
		/* The fetcher has nothing to tell: whatever comes is an offence, or its end. */
		if (set[ROLE_FETCHER].revents != 0)
			receive_messages(dispatch, ROLE_FETCHER, now_ms);
		if (packets->revents != 0)
			receive_packets(dispatch, packet_fd, now_ms);
		dispatch_work(dispatch);
		dispatch_due(dispatch, now_ms);
	}
}
