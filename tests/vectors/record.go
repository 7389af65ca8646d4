/* SPDX-License-Identifier: ISC */

// Records handshake initiations made by wireguard-go, an implementation independent of ours, as a
// C header on standard output. The keys come from fixed texts; ephemeral keys, sender indices and
// timestamps are wireguard-go's own. See README.md.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log"
	"reflect"
	"time"

	"golang.org/x/crypto/curve25519"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/tuntest"
)

const header = `/* SPDX-License-Identifier: ISC */
/* Handshake initiations recorded from wireguard-go by record.go, not edited; see README.md. */
#ifndef PULLGATE_INITIATION_VECTORS_H
#define PULLGATE_INITIATION_VECTORS_H

#include <stdint.h>

/* clang-format off */
struct initiation_vector {
	uint8_t gateway_private_key[32];
	uint8_t gateway_public_key[32];
	uint8_t initiator_private_key[32];
	uint8_t initiator_public_key[32];
	uint8_t static_secret[32]; /* of the two static keys */
	uint8_t chaining_key[32];  /* after the message was consumed */
	uint8_t timestamp[12];
	uint8_t message[148];
};

static const struct initiation_vector initiation_vectors[] = {
`

const footer = `};
/* clang-format on */

#endif
`

type identity struct {
	private device.NoisePrivateKey
	public  device.NoisePublicKey
}

func identityOf(name string) identity {
	var id identity
	id.private = sha256.Sum256([]byte(name))
	public, err := curve25519.X25519(id.private[:], curve25519.Basepoint)
	if err != nil {
		log.Fatal(err)
	}
	copy(id.public[:], public)
	return id
}

// A device that is never brought up: no socket, no interface.
func deviceOf(id identity) *device.Device {
	silent := device.NewLogger(device.LogLevelSilent, "")
	dev := device.NewDevice(tuntest.NewChannelTUN().TUN(), conn.NewDefaultBind(), silent)
	if err := dev.SetPrivateKey(id.private); err != nil {
		log.Fatal(err)
	}
	return dev
}

func peerOf(dev *device.Device, public device.NoisePublicKey) *device.Peer {
	peer, err := dev.NewPeer(public)
	if err != nil {
		log.Fatal(err)
	}
	peer.Start()
	return peer
}

// An unexported array of bytes in the peer's handshake; reading needs no unsafe.
func handshakeBytes(peer *device.Peer, field string) []byte {
	value := reflect.ValueOf(peer).Elem().FieldByName("handshake").FieldByName(field)
	out := make([]byte, value.Len())
	for i := range out {
		out[i] = byte(value.Index(i).Uint())
	}
	return out
}

func printField(name string, data []byte) {
	fmt.Printf("\t\t.%s = {", name)
	for i, b := range data {
		if i%12 == 0 {
			fmt.Print("\n\t\t\t")
		} else {
			fmt.Print(" ")
		}
		fmt.Printf("0x%02x,", b)
	}
	fmt.Print("\n\t\t},\n")
}

func record(gateway identity, gatewayDevice *device.Device, gatewayPeer *device.Peer,
	initiator identity, initiatorDevice *device.Device, initiatorPeer *device.Peer) {
	message, err := initiatorDevice.CreateMessageInitiation(initiatorPeer)
	if err != nil {
		log.Fatal(err)
	}
	var buffer bytes.Buffer
	if err := binary.Write(&buffer, binary.LittleEndian, message); err != nil {
		log.Fatal(err)
	}
	packet := buffer.Bytes()
	var generator device.CookieGenerator
	generator.Init(gateway.public)
	generator.AddMacs(packet)

	// wireguard-go's own responder accepts what it made, and tells the timestamp.
	var checker device.CookieChecker
	checker.Init(gateway.public)
	if !checker.CheckMAC1(packet) {
		log.Fatal("wireguard-go refuses its own mac1")
	}
	if gatewayDevice.ConsumeMessageInitiation(message) != gatewayPeer {
		log.Fatal("wireguard-go refuses its own initiation")
	}
	fmt.Print("\t{\n")
	printField("gateway_private_key", gateway.private[:])
	printField("gateway_public_key", gateway.public[:])
	printField("initiator_private_key", initiator.private[:])
	printField("initiator_public_key", initiator.public[:])
	printField("static_secret", handshakeBytes(gatewayPeer, "precomputedStaticStatic"))
	printField("chaining_key", handshakeBytes(gatewayPeer, "chainKey"))
	printField("timestamp", handshakeBytes(gatewayPeer, "lastTimestamp"))
	printField("message", packet)
	fmt.Print("\t},\n")
}

func main() {
	fmt.Print(header)
	for g := 0; g < 2; g++ {
		gateway := identityOf(fmt.Sprintf("pullgate test vector gateway %d", g))
		gatewayDevice := deviceOf(gateway)
		for i := 0; i < 3; i++ {
			initiator := identityOf(fmt.Sprintf("pullgate test vector initiator %d", i))
			initiatorDevice := deviceOf(initiator)
			gatewayPeer := peerOf(gatewayDevice, initiator.public)
			initiatorPeer := peerOf(initiatorDevice, gateway.public)
			for n := 0; n < 2; n++ {
				// wireguard-go takes no two initiations within 50 ms.
				time.Sleep(100 * time.Millisecond)
				record(gateway, gatewayDevice, gatewayPeer,
					initiator, initiatorDevice, initiatorPeer)
			}
		}
	}
	fmt.Print(footer)
}
