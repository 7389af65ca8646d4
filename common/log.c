/* SPDX-License-Identifier: ISC */
/* Logs: one line an event to standard error. */
#include "common/log.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The process' one standard error needs one state. */
static struct {
	const char *process;
	bool journal;
	bool verbose;
} log_state = {.process = "pullgate"};

/* Whether standard error is the journal's socket: "DEVICE:INODE" in JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat status;

	if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(own, sizeof(own), "%lu:%lu", (unsigned long)status.st_dev,
		(unsigned long)status.st_ino);
	return strcmp(own, stream) == 0;
}

void log_open(const char *process)
{
	signal(SIGPIPE, SIG_IGN); /* `pullgate 2>&1 | head` must not end with its reader */
	log_state.process = process;
	log_state.journal = stderr_is_journal();
}

void log_set_verbose(bool verbose)
{
	log_state.verbose = verbose;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "unknown";
}

static size_t begin_line(char *line, size_t size, enum log_level level, const char *event)
{
	int length;

	if (log_state.journal)
		length = snprintf(
			line, size, "<%d>%s event=%s", (int)level, log_state.process, event);
	else
		length = snprintf(line, size, "%s level=%s event=%s", log_state.process,
			level_name(level), event);
	return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

static void write_line(enum log_level level, const char *event, const char *format,
	va_list arguments) __attribute__((format(printf, 3, 0)));

static void write_line(
	enum log_level level, const char *event, const char *format, va_list arguments)
{
	char line[LOG_LINE_BYTES + 1];
	size_t used = begin_line(line, LOG_LINE_BYTES - 1, level, event);
	int length;

	if (format[0] != '\0') {
		line[used++] = ' ';
		length = vsnprintf(line + used, LOG_LINE_BYTES - used, format, arguments);
		if (length > 0)
			used += (size_t)length;
		if (used >= LOG_LINE_BYTES) {
			used = LOG_LINE_BYTES - 1;
			memcpy(line + used - 3, "...", 3);
		}
	}
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return; /* nowhere is left to say it */
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;

	if (level == LOG_LEVEL_DEBUG && !log_state.verbose)
		return;
	va_start(arguments, format);
	write_line(level, event, format, arguments);
	va_end(arguments);
}

_Noreturn void log_fatal(const char *event, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(LOG_LEVEL_ERROR, event, format, arguments);
	va_end(arguments);
	exit(EXIT_FAILURE);
}

const char *log_quote(char quoted[static LOG_QUOTED_BYTES], const char *text)
{
	size_t used = 0;

	quoted[used++] = '"';
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char character = (unsigned char)*at;

		if (used + 4 + sizeof("...\"") > LOG_QUOTED_BYTES) {
			memcpy(quoted + used, "...", 3);
			used += 3;
			break;
		}
		if (character < 0x20 || character > 0x7e || character == '"' || character == '\\')
			used += (size_t)snprintf(quoted + used, 5, "\\x%02x", character);
		else
			quoted[used++] = (char)character;
	}
	quoted[used++] = '"';
	quoted[used] = '\0';
	return quoted;
}
