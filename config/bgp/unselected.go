package bgp

import (
	"k8s.io/apimachinery/pkg/labels"

	"github.com/heraldlb/herald/config/fault"
)

// Unselected warns of what is of no node, given the labels of each: peers that no node
// has a session with, and advertisements that no node makes. No nodes are no reason.
func (c *Config) Unselected(nodes []labels.Set) fault.Faults {
	var found fault.Collector
	none := func(selector labels.Selector) bool {
		for _, node := range nodes {
			if selector.Matches(node) {
				return false
			}
		}
		return len(nodes) > 0
	}
	for _, peer := range c.Peers {
		if none(peer.Nodes) {
			found.Add(unselected("peers", peer.Name, "none has the session", peer.Nodes))
		}
	}
	for _, advertisement := range c.Advertisements {
		if none(advertisement.Nodes) {
			found.Add(unselected("advertisements", advertisement.Name, "none tells of it", advertisement.Nodes))
		}
	}
	return found.Sorted()
}

func unselected(list, name, so string, selector labels.Selector) fault.Fault {
	return fault.Fault{
		Severity: fault.Warning,
		Key:      Key + "." + list + "." + name, // each is an event of its own
		Value:    selector.String(),
		Reason:   "nodeSelector selects no node: " + so,
	}
}
