/* SPDX-License-Identifier: ISC */
/*
 * What every process but the supervisor does alike: take its place among the others at the start,
 * and keep its channels while the others are restarted.
 *
 * Order of a start (design: each main() shows it):
 *   process_open()      attach the inherited descriptors, learn whom to become (START)
 *   process_await()...  settings and material from the supervisor
 *   open what must be open before the sandbox closes
 *   sandbox_close()
 *   process_ready()     from here on untrusted bytes are read
 */
#ifndef PULLGATE_PROCESS_H
#define PULLGATE_PROCESS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/channel.h"
#include "common/message.h"

/* How long a starting process waits for each message of the supervisor. */
#define PROCESS_START_TIMEOUT_MS 10000

struct process {
	enum role role;
	uid_t user_id;
	gid_t group_id;
	/* By the other side's role; that of the supervisor is the control channel. */
	struct channel channels[ROLE_COUNT];
};

/*
 * Attaches the descriptors that the supervisor laid out and waits for START. name begins the log
 * lines and must stay valid. Fatal when the process was not started by the supervisor.
 */
void process_open(struct process *process, enum role role, const char *name);

/*
 * At the start: waits for the next message of the supervisor. *fd is the descriptor that came
 * along, the caller's, or -1. Fatal on a time-out or anything undecodable.
 */
void process_await(struct process *process, struct message *message, int *fd);

/* Tells the supervisor that the sandbox is closed. Fatal when it can't be told. */
void process_ready(struct process *process);

/* Fills one entry a role, with fd -1 where there is nothing to wait for; events is POLLIN. */
void process_watch(const struct process *process, struct pollfd set[static ROLE_COUNT]);

/*
 * At work: the next message of the supervisor. Returns true with message and *fd (the caller's, or
 * -1), false when there is none. A RENEW is carried out before it is returned: the channel of
 * message->renew.role is the new one, and *fd is -1. A HEALTH_ASK is answered and not returned, so
 * that whoever calls this in each turn of its loop is seen to work. When the supervisor is gone the
 * process ends.
 */
bool process_receive_control(struct process *process, struct message *message, int *fd);

/*
 * At work: the next message of another process. False when there is none. A peer that ended is
 * left alone until the supervisor renews its channel; so is an offender, after it was reported.
 */
bool process_receive(struct process *process, enum role from, struct message *message);

/* As process_receive, for the one data channel with descriptors, from the connector. */
bool process_receive_descriptor(
	struct process *process, enum role from, struct message *message, int *fd);

/* Reports that role sent what an honest process never sends, and stops reading its channel. */
void process_report_offence(struct process *process, enum role role);

#endif
