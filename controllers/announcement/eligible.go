package announcement

import "slices"

// node is what decides whether a Node may own addresses.
type node struct {
	name string
	// ready is the kubelet's word. Ownership does not ask for it: a node whose
	// kubelet has stopped serves on. It tells whose agent is likely to report.
	ready bool
	// excluded says that the node is kept out of external load balancers, by the
	// label node.kubernetes.io/exclude-from-external-load-balancers.
	excluded bool
	// leaving says that the node is being deleted.
	leaving bool
}

// holder is what counts of a Service that holds an address.
type holder struct {
	// local says that a node passes traffic to its own endpoints only
	// (externalTrafficPolicy: Local).
	local bool
	// endpoints are those of the address's family. They count if local.
	endpoints []endpoint
}

// endpoint is one of a Service's, with its conditions (KEP-1672).
type endpoint struct {
	// node is the name of the node that it is on, "" if unknown.
	node                        string
	ready, serving, terminating bool
}

// eligible returns those of the standing nodes, which are neither excluded nor
// leaving, that may own an address: able to serve it for each of its holders.
func eligible(standing []string, holders ...holder) []string {
	var hosts []map[string]bool
	for _, h := range holders {
		if h.local {
			hosts = append(hosts, h.hosts())
		}
	}
	if len(hosts) == 0 {
		return standing
	}
	able := make([]string, 0, len(hosts[0]))
	for _, name := range standing {
		lacks := func(hosts map[string]bool) bool { return !hosts[name] }
		if !slices.ContainsFunc(hosts, lacks) {
			able = append(able, name)
		}
	}
	return able
}

// hosts returns the nodes that hold a usable endpoint: a ready one, or if none
// is ready anywhere, one that terminates and still serves (KEP-1669).
func (h holder) hosts() map[string]bool {
	ready, draining := map[string]bool{}, map[string]bool{}
	for _, e := range h.endpoints {
		switch {
		case e.ready:
			ready[e.node] = true
		case e.serving && e.terminating:
			draining[e.node] = true
		}
	}
	if len(ready) > 0 {
		return ready
	}
	return draining
}
