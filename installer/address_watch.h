/* SPDX-License-Identifier: ISC */
/*
 * Keeps the list of this host's addresses up to date: a socket on which the kernel notices changes
 * (RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR), and one to ask for all. A notice only says that it is
 * time to ask, so none is ever misread, and lost ones (ENOBUFS) are no special case.
 */
#ifndef PULLGATE_INSTALLER_ADDRESS_WATCH_H
#define PULLGATE_INSTALLER_ADDRESS_WATCH_H

#include "installer/installer.h"

/* Opens both sockets and reads the addresses. 0 or a negative errno. */
int address_watch_open(struct installer *installer);

/* Takes what notices there are, and if there were any, asks again; tells capture of a change. */
void address_watch_refresh(struct installer *installer);

#endif
