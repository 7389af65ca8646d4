/* SPDX-License-Identifier: ISC */
/* One child process: started with a fixed table of descriptors, watched by its pidfd. */
#ifndef PULLGATE_CHILD_H
#define PULLGATE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/channel.h"
#include "common/role.h"
#include "common/token_bucket.h"
#include "supervisor/health.h"

/* READY must come within this time of a start. */
#define CHILD_READY_TIMEOUT_MS 15000

/* Restarts: at once, then after 10 ms, doubled up to 5 s, from the beginning after 10 s of health.
 */
#define CHILD_BACKOFF_FIRST_MS 10
#define CHILD_BACKOFF_MAX_MS   5000
#define CHILD_HEALTHY_AFTER_MS 10000

enum child_state {
	CHILD_DOWN,     /* never started */
	CHILD_STARTING, /* runs, READY awaited */
	CHILD_READY,
	CHILD_WAITING, /* ended, to be started at next_ms */
};

struct child {
	enum role role;
	enum child_state state;
	pid_t pid;
	int pidfd; /* -1 unless it runs */
	struct channel control;
	uint64_t generation; /* of the channels that it was started with */
	int64_t next_ms; /* STARTING: READY's deadline; READY: since when; WAITING: when to start */
	uint32_t backoff_ms; /* after the next end */
	uint32_t delay_ms;   /* WAITING: how long in all */
	uint32_t failures;   /* ends and failed starts without 10 s of health between them */
	uint64_t restarts;
	int64_t unready_ms; /* since when it is not READY */
	bool is_planned;    /* the end that comes is ours, and no failure */
	bool is_ending;     /* was killed by us */
	struct health health;
	struct token_bucket messages; /* that it may still send us */
	/* Reports of each other one's offences, in the minute that began then. */
	struct accusations {
		unsigned count;
		int64_t since_ms;
	} accusations[ROLE_COUNT];
};

/* What a child inherits: by number in its table, ours or -1 for a number that stays closed. */
struct inheritance {
	int fd[FD_INHERITED_END];
};

/* A table in which nothing is inherited yet. */
struct inheritance inheritance_empty(void);

/*
 * Starts the binary as a child that has standard error, /dev/null as standard input, the
 * inherited descriptors under their numbers and nothing else; argv is the binary's name and
 * interface; of the environment JOURNAL_STREAM alone. It is the first process of a PID namespace of
 * its own: it sees no other process, and of signals sent from outside only SIGKILL, SIGSTOP and
 * SIGCONT do anything (pid_namespaces(7)). 0, or a negative errno of clone3(2); a failing exec
 * shows as an end of the child.
 */
int child_spawn(struct child *child, const char *binary, const char *interface,
	const struct inheritance *inheritance);

/* Whether it has ended; then reaps it, closes what it leaves, and describes the end in text. */
bool child_reap(struct child *child, char *text, size_t size);

/* Sends SIGKILL, which works on a stopped one too; the end shows at the pidfd. */
void child_kill(struct child *child);

/* As child_kill, where it runs, for a restart that something else is the reason for. */
void child_end_as_planned(struct child *child);

/*
 * Puts an ended child into CHILD_WAITING and decides when it starts again: at once where the end
 * was planned, after its backoff otherwise.
 */
void child_schedule_restart(struct child *child, int64_t now_ms, bool was_ready);

/* Forgets its failures once it was healthy for long enough. */
void child_settle(struct child *child, int64_t now_ms);

static inline bool child_running(const struct child *child)
{
	return child->state == CHILD_STARTING || child->state == CHILD_READY;
}

#endif
