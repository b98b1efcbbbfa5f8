// Package entrusted has the seat of one process filled by the elector of another:
// the announcer holds the VIP, and an elector that needs the network, certificates
// or an API server runs beside it, with no right on the wire. They talk through
// package nodesocket. A word that the announcer is told ends by its own clock.
package entrusted

import "net/netip"

// key stands for the seat on the socket, whatever its VIPs are.
func key() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: 1}) }

// place stands for the interface that the VIPs belong on: off-link if there is none.
func place() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: 2}) }
