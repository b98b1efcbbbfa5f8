package announcer

import "net/netip"

// MaxHosts bounds Candidacy.Hosts.
const MaxHosts = 8

// Candidacy is an address that a Service holds, and what the agent of this node
// knows of who may own it. Who does is settled between the announcers.
type Candidacy struct {
	Announcement
	// Eligible says that this node may own the address: the node is neither
	// excluded nor leaving, and has a usable endpoint where that is asked for.
	// An owner that is no longer eligible hands the address over.
	Eligible bool `json:"eligible"`
	// Hosts are the nodes with a usable endpoint (externalTrafficPolicy: Local),
	// of many the MaxHosts that weigh most. Nil: every node may own the address.
	Hosts []string `json:"hosts,omitzero"`
	// Until is when this word ends unless another follows; zero: it does not. So
	// ends the VIP that an elector holds, if that hangs or dies.
	Until BootTime `json:"until,omitzero"`
}

// Facts are what the agent knows beyond single addresses.
type Facts struct {
	// Cluster tells this cluster from others on the same segment: the UID of
	// the namespace kube-system.
	Cluster string `json:"cluster"`
	// Excluded says that this node is to own nothing: it has the label
	// node.kubernetes.io/exclude-from-external-load-balancers, or is being deleted.
	Excluded bool `json:"excluded,omitempty"`
	// Nodes is the number of nodes in the cluster, this one included.
	Nodes int `json:"nodes,omitempty"`
	// Peers are the addresses of the other nodes, for heartbeats by unicast.
	Peers []netip.Addr `json:"peers,omitempty"`
	// CutOff says that the API server could not be reached when the agent last
	// tried, which it does while the node hears no peer.
	CutOff bool `json:"cutOff,omitempty"`
	// Rebalance is another word each time that somebody asks for the addresses to
	// be spread anew; the first word that is heard asks for nothing.
	Rebalance string `json:"rebalance,omitempty"`
	// Backends are the API servers that a control plane's VIP leads to.
	Backends []netip.AddrPort `json:"backends,omitempty"`
	// BFD are the routers whose paths are to be watched. Nil: that is not known yet, and
	// sessions go on as they are; empty: there are none.
	BFD []BFDPeer `json:"bfd,omitzero"`
	// Unnumbered are the interfaces where a router has to learn this node's address,
	// since a BGP session with it is told no other (RFC 8950). Nil: as with BFD.
	Unnumbered []string `json:"unnumbered,omitzero"`
}
