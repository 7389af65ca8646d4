/* SPDX-License-Identifier: ISC */
/*
 * What a process that was taken over does, for the tests on a real kernel: the real one's start,
 * sandbox and, at the end, its work, with a script in between.
 *
 * Scripts lie beside the binary as NAME.script.0, NAME.script.1, ... Each start takes the next one,
 * before the sandbox closes; without one the process is honest. A directory NAME.taken.0 says that a
 * script was taken: the supervisor's filter lets a child make directories, but remove nothing. A
 * line of a script is a step:
 *
 *   attach ROLE HEX COUNT        sends the bytes with that many descriptors; a sandbox that is
 *                                closed allows no such call, so these are done before
 *   await KEY                    reads LOOKUPs until one for the key (64 hex digits) has come
 *   send ROLE HEX TIMES [AT]     sends the bytes ("-": none), waiting where the queue is full; the
 *                                id of the LOOKUP awaited last replaces 8 bytes from AT on
 *   pause MILLISECONDS           and reads what comes, as an honest one would
 *   say WORD                     a log line, event=script said=WORD
 *   idle                         answers the supervisor, and does nothing else for ever
 *
 * Behind the last step the process is honest.
 */
#ifndef PULLGATE_TESTS_MALICE_SCRIPT_H
#define PULLGATE_TESTS_MALICE_SCRIPT_H

#include "common/process.h"

struct script;

/* Takes the next script, does its attach steps and returns it; fatal on what can't be read. */
struct script *script_open(struct process *process, const char *name);

/* Does the other steps. */
void script_run(struct script *script);

#endif
