/* SPDX-License-Identifier: ISC */
/*
 * Logs: one line an event to standard error, key=value, written with one call.
 *
 *   pullgate-installer event=installed id=7 key=GqTs...= allowed_ips=10.64.0.7/32
 *
 * Under journald (JOURNAL_STREAM names our standard error, systemd.exec(5)) each line begins with
 * its level as sd-daemon(3) has it, "<6>"; elsewhere the level is the first pair, level=info.
 * Never pass a secret. Text from outside goes through log_quote().
 */
#ifndef PULLGATE_LOG_H
#define PULLGATE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* syslog(3)'s numbers. */
enum log_level {
	LOG_LEVEL_ERROR = 3,   /* something that an operator must act on */
	LOG_LEVEL_WARNING = 4, /* something refused or lost, and service goes on */
	LOG_LEVEL_NOTICE = 5,  /* start, stop, restart */
	LOG_LEVEL_INFO = 6,    /* the life of a demand */
	LOG_LEVEL_DEBUG = 7,   /* shown with -v only */
};

/* A longer line is cut and ends in "...". */
#define LOG_LINE_BYTES 1024

/* Greatest text of log_quote(), terminating zero included. */
#define LOG_QUOTED_BYTES 256

/* Sets the name that begins every line; process must stay valid. Looks at JOURNAL_STREAM.
 * Ignores SIGPIPE: a reader of the log that goes away takes no process along. */
void log_open(const char *process);

void log_set_verbose(bool verbose);

/*
 * Writes one line; format makes the pairs behind the event and may be "". event is a stable name
 * in snake_case. A line that can't be written is lost.
 */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4), nonnull(2, 3)));

/* Writes an error line and ends the process with status 1. For main() and the impossible. */
_Noreturn void log_fatal(const char *event, const char *format, ...)
	__attribute__((format(printf, 2, 3), nonnull(1, 2)));

/*
 * Text from outside as a value: in double quotes, with quotes, backslashes and everything that is
 * not printable ASCII as \xHH; cut with "..." when too long. Writes into quoted and returns it.
 */
const char *log_quote(char quoted[static LOG_QUOTED_BYTES], const char *text);

#endif
