/* SPDX-License-Identifier: ISC */
/* Who says what to the installer, and what it does about it. */
#include "installer/dispatch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/key_text.h"
#include "common/log.h"
#include "installer/address_watch.h"
#include "installer/announce.h"
#include "installer/install.h"
#include "installer/outcome.h"
#include "installer/renewal.h"
#include "installer/renewal_answer.h"
#include "installer/renewal_report.h"
#include "installer/start.h"
#include "installer/survey.h"
#include "installer/sweep.h"

enum { WATCH_DUMP = ROLE_COUNT, WATCH_NOTICES, WATCH_COUNT };

/*
 * The first key to the door. A demand whose answer has come already crossed the OUTCOME on its way:
 * if the peer was installed, this newer initiation is the one that the client waits for.
 */
void dispatch_demand(struct installer *installer, const struct message_demand *demand)
{
	struct ticket *ticket;

	switch (tickets_demand(&installer->tickets, demand, clock_ms(), &ticket)) {
	case TICKET_WAITS:
		return;
	case TICKET_REFUSED:
		installer->counters.refused_demands++;
		announce_refusal(installer, demand);
		return;
	case TICKET_SPENT:
		if (ticket->result == OUTCOME_INSTALLED &&
			peers_find(&installer->peers, demand->key) != KEY_INDEX_NONE &&
			token_bucket_take(&installer->installs, clock_ms()))
			install_replay(installer, ticket);
		announce_outcome_again(installer, ticket);
		return;
	}
}

static void serve_capture(struct installer *installer, uint32_t limit)
{
	struct message message;

	if (limit > installer->demands_left)
		limit = installer->demands_left;
	for (uint32_t i = 0; i < limit; i++) {
		if (!process_receive(&installer->process, ROLE_CAPTURE, &message))
			return;
		installer->demands_left--;
		if (message.type == MESSAGE_TYPE_DEMAND)
			dispatch_demand(installer, &message.demand);
	}
}

/*
 * An answer can overtake its demand here, though it was sent later: capture's channel may have been
 * looked at before the demand came, and fetcher's after the answer did. So before an answer counts
 * as one that nobody waits for, capture's queue is read; a demand that led to it is there by now.
 * Whoever floods both channels can't keep us here: a turn's share of demands is bounded.
 */
static struct ticket *take_ticket(struct installer *installer, const struct message_peer *peer)
{
	struct ticket *ticket = tickets_take(&installer->tickets, peer->id, peer->key, clock_ms());

	if (ticket != NULL)
		return ticket;
	install_flush(installer); /* new demands may take the place of the batch's tickets */
	serve_capture(installer, installer->demands_left);
	return tickets_take(&installer->tickets, peer->id, peer->key, clock_ms());
}

/*
 * The second key: an answer, which does nothing unless a ticket waits for it, or the question about
 * an installed peer.
 */
void dispatch_peer(struct installer *installer, const struct message_peer *peer)
{
	struct ticket *ticket;
	char key[KEY_BASE64_BYTES];

	if (renewal_answer(installer, peer))
		return;
	ticket = take_ticket(installer, peer);
	if (ticket == NULL) {
		installer->counters.without_ticket++;
		log_event(LOG_LEVEL_DEBUG, "without_ticket", "id=%llu key=%s count=%llu",
			(unsigned long long)peer->id, key_to_base64(key, peer->key),
			(unsigned long long)installer->counters.without_ticket);
		return;
	}
	switch ((enum peer_answer)peer->answer) {
	case PEER_FOUND:
		install_found(installer, ticket, peer);
		return;
	case PEER_ABSENT:
	case PEER_REVOKED:
		/* A peer that may stay for now goes in its time, demand or not. */
		renewal_refused(installer, peer);
		announce_outcome(installer, ticket,
			peer->answer == PEER_ABSENT ? OUTCOME_ABSENT : OUTCOME_REVOKED,
			peer->valid_ms);
		return;
	case PEER_FAILED:
		announce_outcome(installer, ticket, OUTCOME_FAILED, peer->valid_ms);
		return;
	}
}

void dispatch_renewed(struct installer *installer, enum role role)
{
	if (role == ROLE_FETCHER)
		renewal_ask_again(installer);
	if (role != ROLE_CAPTURE)
		return;
	/* What the old one demanded, for whatever reason, opens no door any more. */
	tickets_expire(&installer->tickets, INT64_MAX);
	announce_everything(installer);
}

static void serve_control(struct installer *installer)
{
	struct message message;
	int fd;

	for (unsigned i = 0; i < MESSAGES_A_TURN; i++) {
		if (!process_receive_control(&installer->process, &message, &fd))
			return;
		if (fd >= 0)
			close(fd);
		if (message.type == MESSAGE_TYPE_INSTALLER_SETTINGS)
			start_apply_settings(installer, &message.installer_settings);
		else if (message.type == MESSAGE_TYPE_RENEW)
			dispatch_renewed(installer, (enum role)message.renew.role);
	}
}

static void serve_fetcher(struct installer *installer)
{
	struct message message;

	for (unsigned i = 0; i < MESSAGES_A_TURN; i++) {
		if (!process_receive(&installer->process, ROLE_FETCHER, &message))
			break;
		if (message.type == MESSAGE_TYPE_PEER)
			dispatch_peer(installer, &message.peer);
	}
	explicit_bzero(&message, sizeof(message));
	install_flush(installer);
}

/* 0 or -EAGAIN. */
static int send_device(struct installer *installer)
{
	struct message message = {.type = MESSAGE_TYPE_DEVICE};

	message.device.interface_index = installer->gateway.interface_index;
	message.device.listen_port = installer->gateway.listen_port;
	return channel_send(&installer->process.channels[ROLE_SUPERVISOR], &message);
}

static void tell_supervisor(struct installer *installer)
{
	if (installer->owes_device && installer->gateway.is_usable)
		installer->owes_device = send_device(installer) == -EAGAIN;
}

void dispatch_ready(struct installer *installer)
{
	if (send_device(installer) != 0)
		log_fatal("start_failed", "reason=\"the supervisor can't be told DEVICE\"");
	installer->owes_device = false;
	process_ready(&installer->process);
	announce_everything(installer);
	log_event(LOG_LEVEL_NOTICE, "serving", "peers=%u allowed_ips=%u addresses=%u",
		installer->peers.index.count, installer->peers.allowed_ips.count,
		installer->addresses.count);
}

/* What was dropped and refused, in one line now and then. */
void dispatch_report(struct installer *installer)
{
	struct counters *counters = &installer->counters;
	uint64_t unsent = installer->process.channels[ROLE_CAPTURE].dropped;

	if (!count_report_due(&counters->report,
		    counters->without_ticket + counters->refused_demands + counters->rate_limited +
			    counters->rejected + counters->no_room + unsent +
			    installer->renewal.unanswered,
		    clock_ms()))
		return;
	log_event(LOG_LEVEL_NOTICE, "dropped",
		"without_ticket=%llu refused_demands=%llu rate_limited=%llu rejected=%llu "
		"no_room=%llu unsent=%llu unanswered=%llu",
		(unsigned long long)counters->without_ticket,
		(unsigned long long)counters->refused_demands,
		(unsigned long long)counters->rate_limited, (unsigned long long)counters->rejected,
		(unsigned long long)counters->no_room, (unsigned long long)unsent,
		(unsigned long long)installer->renewal.unanswered);
}

static int earlier(int a, int b)
{
	return b < 0 || (a >= 0 && a < b) ? a : b;
}

static void wait_for_work(struct installer *installer, struct pollfd set[static WATCH_COUNT])
{
	int64_t now_ms = clock_ms();
	int timeout_ms = survey_timeout_ms(installer, now_ms);

	timeout_ms = earlier(timeout_ms, sweep_timeout_ms(installer, now_ms));
	timeout_ms = earlier(timeout_ms, renewal_timeout_ms(installer, now_ms));
	process_watch(&installer->process, set);
	if (announce_is_owing(installer) || installer->announce.full_since_ms != 0)
		set[ROLE_CAPTURE].events |= POLLOUT;
	set[WATCH_DUMP] = (struct pollfd){
		.fd = installer->device.is_dumping ? netlink_fd(&installer->device.dumps) : -1,
		.events = POLLIN};
	set[WATCH_NOTICES] =
		(struct pollfd){.fd = netlink_fd(&installer->notices), .events = POLLIN};
	if (poll(set, WATCH_COUNT, timeout_ms) < 0 && errno != EINTR)
		log_fatal("poll_failed", "error=\"%s\"", strerror(errno));
	if ((set[ROLE_CAPTURE].revents & POLLOUT) != 0)
		announce_emptied(installer);
}

void dispatch_turn(struct installer *installer)
{
	struct pollfd set[WATCH_COUNT];

	wait_for_work(installer, set);
	installer->demands_left = DEMANDS_A_TURN;
	serve_control(installer);
	if (set[WATCH_NOTICES].revents != 0)
		address_watch_refresh(installer);
	serve_capture(installer, MESSAGES_A_TURN);
	serve_fetcher(installer);
	renewal_continue(installer, clock_ms());
	survey_continue(installer, clock_ms());
	sweep_continue(installer, clock_ms());
	tell_supervisor(installer);
	if (announce_is_owing(installer))
		announce_continue(installer);
	dispatch_report(installer);
	renewal_report(installer, clock_ms());
}
