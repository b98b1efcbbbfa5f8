package election

import "slices"

// Node is what is known of a node.
type Node struct {
	Name string
	// Alive says that the node is up, as far as is known.
	Alive bool
	// Excluded says that the node is kept out of external load balancers, by the
	// label node.kubernetes.io/exclude-from-external-load-balancers.
	Excluded bool
	// Leaving says that the node is being deleted.
	Leaving bool
}

// Service is what is known of a Service that holds an address.
type Service struct {
	// Local says that a node passes traffic to its own endpoints only
	// (externalTrafficPolicy: Local).
	Local bool
	// Endpoints are those of the address's family. They count if Local.
	Endpoints []Endpoint
}

// Endpoint is one of a Service's, with its conditions (KEP-1672).
type Endpoint struct {
	// Node is the node that it is on, "" if unknown.
	Node                        string
	Ready, Serving, Terminating bool
}

// Alive returns the nodes that are alive, or all of them if none is: that nobody
// is alive says more of who watches the nodes than of the nodes. So it looks when
// an API server comes back that was away for longer than its grace period.
func Alive(nodes []Node) []Node {
	alive := slices.DeleteFunc(slices.Clone(nodes), func(n Node) bool { return !n.Alive })
	if len(alive) == 0 {
		return nodes
	}
	return alive
}

// Eligible returns the names of the nodes that may own an address, in the order
// of nodes: alive (see Alive), neither excluded nor leaving, and for each Service
// that holds the address able to serve it.
func Eligible(nodes []Node, holders ...Service) []string {
	var names []string
	var hosts []map[string]bool
	for _, s := range holders {
		if s.Local {
			hosts = append(hosts, s.hosts())
		}
	}
	for _, n := range Alive(nodes) {
		lacks := func(hosts map[string]bool) bool { return !hosts[n.Name] }
		if !n.Excluded && !n.Leaving && !slices.ContainsFunc(hosts, lacks) {
			names = append(names, n.Name)
		}
	}
	return names
}

// hosts returns the nodes that hold a usable endpoint: a ready one, or if none
// is ready anywhere, one that terminates and still serves (KEP-1669).
func (s Service) hosts() map[string]bool {
	ready, draining := map[string]bool{}, map[string]bool{}
	for _, e := range s.Endpoints {
		switch {
		case e.Ready:
			ready[e.Node] = true
		case e.Serving && e.Terminating:
			draining[e.Node] = true
		}
	}
	if len(ready) > 0 {
		return ready
	}
	return draining
}
