package metallb

import (
	"fmt"
	"slices"
	"time"

	"github.com/heraldlb/herald/config/bgp"
)

// convertPeers makes the peers of bgp.yaml, and of what they share the rest.
func (c *converter) convertPeers() {
	c.bgp.LocalASN = c.usualASN()
	var routerIDs []string
	for _, p := range c.peers {
		if c.convertPeer(p) {
			routerIDs = append(routerIDs, p.routerID)
		}
	}
	c.setRouterID(routerIDs)
	for _, p := range c.profiles {
		if !p.used {
			c.differ(p.object, "", "no BGPPeer that is converted names it")
		}
	}
}

// setRouterID takes that of the peers, where all have the same.
func (c *converter) setRouterID(ofPeers []string) {
	slices.Sort(ofPeers)
	if ofPeers = slices.Compact(ofPeers); len(ofPeers) == 1 && ofPeers[0] != "" {
		c.bgp.RouterID = ofPeers[0]
		if c.bgp.refusal() == "" {
			return
		}
		c.bgp.RouterID = ""
	}
	for _, p := range c.peers {
		if p.routerID != "" && c.peerNames[p.name] != nil {
			c.leaveOut(p.object, "routerID", "Herald's is of a node, not of a peer: the annotation "+bgp.AnnotationRouterID+" of Nodes, else their IPv4 address")
		}
	}
}

// usualASN returns the AS that most peers are spoken to from.
func (c *converter) usualASN() uint32 {
	count := make(map[uint32]int)
	var usual uint32
	for _, p := range c.peers {
		count[p.myASN]++
		if usual == 0 || count[p.myASN] > count[usual] {
			usual = p.myASN
		}
	}
	return usual
}

// convertPeer adds a peer to bgp.yaml, several if its selectors do not make one. It is
// false if there is none.
func (c *converter) convertPeer(p *peer) bool {
	t := peerText{
		Address:       p.address,
		Interface:     p.iface,
		ASN:           p.asn,
		LocalASN:      p.myASN,
		SourceAddress: p.source,
	}
	if p.vrf != "" {
		c.leaveOut(p.object, "vrf", "Herald speaks from the node's own routing table alone: there is no such session")
		return false
	}
	if p.localASN != 0 {
		t.LocalASN = p.localASN
	}
	if !c.setRouterASN(p, &t) {
		return false
	}
	local := t.LocalASN
	if local == c.bgp.LocalASN {
		t.LocalASN = 0
	}
	if p.port != bgp.DefaultPort {
		t.Port = p.port
	}
	t.Multihop = p.multihop && t.ASN != local // inside an AS a session has any number of hops
	if !p.graceful {
		t.GracefulRestart = new(bool)
	}
	c.setTimes(p, &t)
	c.setBFD(p, &t)
	c.setPassword(p, &t)
	if p.single {
		c.leaveOut(p.object, "disableMP", "Herald offers both families on each session, and tells a router of those that it takes")
	}
	return c.addPeer(p, t)
}

// setRouterASN sets the router's AS; it is false if that is not known.
func (c *converter) setRouterASN(p *peer, t *peerText) bool {
	switch p.dynamicASN {
	case "":
		return true
	case "internal":
		t.ASN = p.myASN
		return true
	}
	c.leaveOut(p.object, "dynamicASN", "Herald has to know the router's AS: there is no such session; write it with asn")
	return false
}

// setTimes sets the timers, in whole seconds as MetalLB has them.
func (c *converter) setTimes(p *peer, t *peerText) {
	seconds := func(d *time.Duration) string { return d.Truncate(time.Second).String() }
	hold := p.hold
	if hold == nil && p.keepalive != nil && *p.keepalive >= time.Second {
		thrice := 3 * p.keepalive.Truncate(time.Second)
		hold = &thrice
	}
	if hold != nil {
		t.HoldTime = seconds(hold)
	}
	if p.connect != nil {
		t.ConnectTime = seconds(p.connect)
	}
	switch {
	case p.keepalive == nil || hold != nil && *hold < time.Second:
	case *p.keepalive < time.Second:
		c.leaveOut(p.object, "keepaliveTime", "a session with a hold time has keepalives (RFC 4271 section 4.4): a third of the hold time it is")
	case hold != nil && *p.keepalive >= *hold:
		c.leaveOut(p.object, "keepaliveTime", "not shorter than the hold time: a third of that it is")
	default:
		t.KeepaliveTime = seconds(p.keepalive)
	}
}

// setPassword names the key of the Secret; whether there is such a peer is seen later.
func (c *converter) setPassword(p *peer, t *peerText) {
	wanted := Password{Namespace: p.namespace, Secret: p.secret, Peer: p.name}
	switch {
	case p.secret != "":
		wanted.Peer = ""
		t.PasswordKey = p.secret
	case p.password != "":
		t.PasswordKey = p.name
	default:
		return
	}
	if p.secret != "" && p.secretNamespace != "" {
		wanted.Namespace = p.secretNamespace
	}
	t.PasswordKey = unused(t.PasswordKey, func(key string) bool {
		other, taken := c.passwords[key]
		other.Key = ""
		return taken && other != wanted
	})
	p.wanted = wanted
	p.wanted.Key = t.PasswordKey
}

// addPeer adds a peer for each part that its selectors are taken apart into.
func (c *converter) addPeer(p *peer, t peerText) bool {
	nodes, ok := parts(p.nodes)
	if !ok {
		c.leaveOut(p.object, "nodeSelectors", fmt.Sprintf("a peer of Herald's has one, and these make more than %d peers of it: there is no such session", mostParts))
		return false
	}
	if len(nodes) == 0 {
		c.differ(p.object, "nodeSelectors", "no node can have such labels: there is no such session")
		return false
	}
	before := len(c.bgp.Peers)
	var names []string
	for i, part := range nodes {
		t.Name = p.name
		if len(nodes) > 1 {
			t.Name = fmt.Sprintf("%s-%d", p.name, i+1)
		}
		t.Name = unused(t.Name, func(name string) bool {
			return slices.ContainsFunc(c.bgp.Peers, func(other peerText) bool { return other.Name == name })
		})
		t.NodeSelector = part.text()
		names = append(names, t.Name)
		c.bgp.Peers = append(c.bgp.Peers, t)
	}
	alone := bgpText{LocalASN: c.bgp.LocalASN, Peers: c.bgp.Peers[before:]}
	reason := alone.refusal()
	if reason == "" && c.bgp.refusal() != "" {
		reason = "another BGPPeer is the same router, and their nodeSelectors do not part them"
	}
	if reason != "" {
		c.bgp.Peers = c.bgp.Peers[:before]
		c.leaveOut(p.object, "", "there is no such session: "+reason)
		return false
	}
	if p.wanted.Key != "" {
		c.passwords[p.wanted.Key] = p.wanted
	}
	c.peerNames[p.name] = append(c.peerNames[p.name], names...)
	return true
}
