/* SPDX-License-Identifier: ISC */
/* Sizes of the WireGuard protocol (WireGuard paper, section 5.4) that more than one process uses.
 */
#ifndef PULLGATE_WIREGUARD_H
#define PULLGATE_WIREGUARD_H

#define WIREGUARD_KEY_BYTES        32
#define WIREGUARD_INITIATION_BYTES 148 /* section 5.4.2 */

#endif
