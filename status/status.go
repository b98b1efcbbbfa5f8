// Package status collects what `herald status` shows: the pools and their use,
// each Service with its address and the node that owns it, the membership as each
// node's announcer sees it, and the sessions that its agent has with routers. It reads; it
// writes nothing but a request for a token of the ServiceAccount that may read the membership.
package status

import (
	"net/netip"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
)

// Report is what Herald does in a cluster at one moment.
type Report struct {
	Pools    []Pool    `json:"pools"`
	Services []Service `json:"services"`
	Nodes    []Node    `json:"nodes"`
	// Complaints are what kept something out of the report, or is wrong with
	// the configuration.
	Complaints []string `json:"complaints,omitempty"`
}

// Pool is what one scope of the pools has of one family.
type Pool struct {
	Scope  string `json:"scope"`
	Family string `json:"family"`
	// Size is a decimal number beyond what readers of JSON keep exact.
	Size string `json:"size"`
	Used int    `json:"used"`
}

// Service is one that Herald serves.
type Service struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Addresses []Address `json:"addresses"`
	// External is where it is reached from outside a home gateway, as in
	// 198.51.100.7:80/TCP.
	External []string `json:"external,omitempty"`
	// Waiting says why it has no address, or not all.
	Waiting string `json:"waiting,omitempty"`
}

// Address is one that a Service holds.
type Address struct {
	Address netip.Addr `json:"address"`
	// Owner is the node that answers for it, "" if none is known to.
	Owner      string    `json:"owner,omitempty"`
	Interfaces []string  `json:"interfaces,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	// Advertised is what the condition says of an address that BGP alone announces,
	// which has no owner: every node that may serve it advertises it.
	Advertised string `json:"advertised,omitempty"`
	// Problem is what the condition of its family complains of.
	Problem string `json:"problem,omitempty"`
}

// Node is one that Herald runs on.
type Node struct {
	Name string `json:"name"`
	// Owns is the number of addresses that it owns.
	Owns int `json:"owns"`
	// Excluded says that it has the label which keeps addresses away,
	// node.kubernetes.io/exclude-from-external-load-balancers.
	Excluded bool `json:"excluded,omitempty"`
	// View is nil where the agent was not reached; Error says why.
	View  *announcer.View `json:"view,omitempty"`
	Error string          `json:"error,omitempty"`
	// BGP are its sessions with routers, nil where the agent did not say; BGPError says
	// why.
	BGP      *advertisement.Report `json:"bgp,omitempty"`
	BGPError string                `json:"bgpError,omitempty"`
}
