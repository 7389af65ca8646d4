/* SPDX-License-Identifier: ISC */
/* The one clock of every process. */
#ifndef PULLGATE_CLOCK_H
#define PULLGATE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC; never goes back, never jumps with the wall clock. */
int64_t clock_ms(void);

/* The same in microseconds. */
int64_t clock_us(void);

#endif
