package metallb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/heraldlb/herald/config/fault"
)

// convertBGP adds an advertisement to bgp.yaml, several if its selectors do not make
// one.
func (c *converter) convertBGP(a *bgpAdvertisement) {
	chosen := c.choose(a.object, a.pools)
	for _, p := range chosen {
		p.bgp = true
	}
	if len(c.bgp.Peers) == 0 {
		c.leaveOut(a.object, "", "no BGPPeer is converted: there is nobody to tell")
		return
	}
	scopes := c.scopesOf(chosen)
	if len(scopes) == 0 {
		c.leaveOut(a.object, "ipAddressPools", "none of its pools is converted: there is nothing to tell")
		return
	}
	t := advertisementText{LocalPreference: a.localPref, ASPathPrepend: a.prepend}
	if len(a.pools.names)+len(a.pools.selectors) > 0 {
		t.Pools = scopes
	}
	if !c.setPeers(a, &t) {
		return
	}
	c.setCommunities(a, &t)
	t.setLengths(a)
	if !c.addAdvertisement(a, t) {
		return
	}
	for _, name := range scopes {
		c.scopes[name].bgp = true
	}
	c.checkOthers(a, scopes, chosen)
}

// scopesOf returns the scopes that pools went to, sorted.
func (c *converter) scopesOf(pools []*pool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.scopes)) {
		if slices.ContainsFunc(c.scopes[name].pools, func(p *pool) bool { return slices.Contains(pools, p) }) {
			names = append(names, name)
		}
	}
	return names
}

// checkOthers notes pools that are told of too, since they share a scope.
func (c *converter) checkOthers(a *bgpAdvertisement, scopes []string, chosen []*pool) {
	for _, name := range scopes {
		for _, p := range c.scopes[name].pools {
			if !slices.Contains(chosen, p) {
				c.leaveOut(a.object, "ipAddressPools", fmt.Sprintf("the pool %s has the addresses of %s too, so it is for them as well", name, p))
			}
		}
	}
}

// setPeers names the peers; it is false if none is left.
func (c *converter) setPeers(a *bgpAdvertisement, t *advertisementText) bool {
	for i, name := range a.peers {
		names := c.peerNames[name]
		if len(names) == 0 {
			c.leaveOut(a.object, fmt.Sprintf("peers[%d]", i), "there is no such peer in what is converted")
		}
		t.Peers = append(t.Peers, names...)
	}
	if len(a.peers) > 0 && len(t.Peers) == 0 {
		c.leaveOut(a.object, "", "none of its peers is converted: there is nobody to tell")
		return false
	}
	slices.Sort(t.Peers)
	t.Peers = slices.Compact(t.Peers)
	return true
}

// setCommunities replaces aliases by what they stand for.
func (c *converter) setCommunities(a *bgpAdvertisement, t *advertisementText) {
	for i, name := range a.communities {
		value := name
		for _, list := range c.communities {
			for _, alias := range list.aliases {
				if alias.name == name {
					value = alias.value
				}
			}
		}
		value = strings.TrimPrefix(value, "large:")
		alone := bgpText{LocalASN: c.bgp.LocalASN, Peers: []peerText{}, Advertisements: []advertisementText{{Name: "a", Communities: []string{value}}}}
		switch reason := alone.refusal(); {
		case !strings.Contains(value, ":"):
			c.leaveOut(a.object, fmt.Sprintf("communities[%d]", i), fault.Quote(name)+": there is no such alias in a Community")
		case reason != "":
			c.leaveOut(a.object, fmt.Sprintf("communities[%d]", i), reason)
		case !slices.Contains(t.Communities, value):
			t.Communities = append(t.Communities, value)
		}
	}
}

// The lengths that prefixes have without aggregation.
const (
	hostLength4 = 32
	hostLength6 = 128
)

// setLengths sets the lengths that are not those of addresses.
func (t *advertisementText) setLengths(a *bgpAdvertisement) {
	var lengths lengthsText
	if a.length4 != nil && *a.length4 != hostLength4 {
		lengths.IPv4 = a.length4
	}
	if a.length6 != nil && *a.length6 != hostLength6 {
		lengths.IPv6 = a.length6
	}
	if lengths != (lengthsText{}) {
		t.AggregationLength = &lengths
	}
}

// addAdvertisement adds one for each part that the selectors are taken apart into.
func (c *converter) addAdvertisement(a *bgpAdvertisement, t advertisementText) bool {
	nodes, ok := parts(a.nodes)
	services, okServices := parts(a.services)
	if !ok || !okServices || len(nodes)*len(services) > mostParts {
		c.leaveOut(a.object, "nodeSelectors", fmt.Sprintf("an advertisement of Herald's has one selector of each kind, and these make more than %d of it: it is not there", mostParts))
		return false
	}
	if len(nodes)*len(services) == 0 {
		c.differ(a.object, "", "nothing can have the labels that its selectors ask for: it is not there")
		return false
	}
	before := len(c.bgp.Advertisements)
	for _, node := range nodes {
		for _, service := range services {
			t.Name = a.name
			if len(nodes)*len(services) > 1 {
				t.Name = fmt.Sprintf("%s-%d", a.name, len(c.bgp.Advertisements)-before+1)
			}
			t.Name = unused(t.Name, func(name string) bool {
				return slices.ContainsFunc(c.bgp.Advertisements, func(other advertisementText) bool { return other.Name == name })
			})
			t.NodeSelector, t.ServiceSelector = node.text(), service.text()
			c.bgp.Advertisements = append(c.bgp.Advertisements, t)
		}
	}
	whole := bgpText{LocalASN: c.bgp.LocalASN, Peers: c.bgp.Peers, Advertisements: c.bgp.Advertisements[before:]}
	if reason := whole.refusal(); reason != "" {
		c.bgp.Advertisements = c.bgp.Advertisements[:before]
		c.leaveOut(a.object, "", "it is not there: "+reason)
		return false
	}
	return true
}
