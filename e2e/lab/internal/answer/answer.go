// Package answer is what the lab's stand-in servers say to whoever asks, over
// HTTP or in a UDP datagram.
package answer

import "net/netip"

// Answer tells which Pod answered, and whom it saw asking.
type Answer struct {
	Pod       string `json:"pod"`
	Namespace string `json:"namespace"`
	Node      string `json:"node"`
	// Client is the address that the Pod saw: the client's own, unless
	// kube-proxy hid it.
	Client netip.Addr `json:"client"`
	// Local is the address and port at which the Pod was asked.
	Local netip.AddrPort `json:"local"`
}
