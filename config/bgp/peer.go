package bgp

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/labels"
)

// placedPeer is a peer and where it stands.
type placedPeer struct {
	Peer
	node *yaml.Node
	at   nodes
}

// newPeer has the defaults.
func newPeer() Peer {
	return Peer{
		Port:            DefaultPort,
		HoldTime:        DefaultHoldTime,
		ConnectTime:     DefaultConnectTime,
		GracefulRestart: DefaultGracefulRestart,
		Nodes:           labels.Everything(),
	}
}

func (p *parser) readPeer(node *yaml.Node) {
	peer := placedPeer{Peer: newPeer(), node: node}
	peer.at = p.object(node, p.fieldsOfPeer(&peer))
	if peer.at == nil {
		return
	}
	p.checkEnds(peer)
	p.checkTimes(&peer)
	p.peers = append(p.peers, peer)
}

// fieldsOfPeer are those of a peer, which has the defaults.
func (p *parser) fieldsOfPeer(peer *placedPeer) fields {
	return slices.Concat(p.fieldsOfEnds(peer), p.fieldsOfTimes(peer), fields{{
		name: "nodeSelector", example: "{matchLabels: {topology.kubernetes.io/zone: rack-a}}",
		content: p.selector(&peer.Nodes),
		usual:   "all nodes",
		text:    "the nodes that have the session, by their labels",
	}})
}

// fieldsOfEnds are those of who speaks with whom.
func (p *parser) fieldsOfEnds(peer *placedPeer) fields {
	return fields{
		{
			name: "name", required: true, example: "spine",
			content: text(p, &peer.Name, objectName()),
			text:    "what advertisements, events, metrics and `herald status` call the router",
		},
		{
			name: "address", example: "2001:db8:1::1",
			content: either(p, &peer.Address, routerAddress()),
			text:    "the router's address; this or `interface` is required, not both",
		},
		{
			name: "interface", example: "eth1",
			content: text(p, &peer.Interface, interfaceName()),
			text:    "an unnumbered session: the router is whoever sends router advertisements there",
		},
		{
			name: "asn", required: true, example: "64500",
			content: number(p, &peer.ASN, asNumber()),
			text:    "the router's autonomous system",
		},
		{
			name: "localASN", example: "64513",
			content: number(p, &peer.LocalASN, asNumber()),
			usual:   "the `localASN` of all",
			text:    "the nodes' autonomous system towards this router alone",
		},
		{
			name: "port", example: "1179",
			content: number(p, &peer.Port, within[uint16](1, math.MaxUint16)),
			text:    "the router's TCP port",
		},
		{
			name: "multihop", example: "4",
			content: either(p, &peer.Multihop, hops()),
			usual:   "false",
			text:    "the router is not on a link of the node's: the TTL towards it; `true` is 255",
		},
		{
			name: "passwordKey", example: "rack-a",
			content: text(p, &peer.PasswordKey, secretKey()),
			text:    "the key of the Secret of BGP passwords that has the one for TCP MD5 (RFC 2385)",
		},
		{
			name: "sourceAddress", example: "2001:db8:1::11",
			content: either(p, &peer.SourceAddress, hostAddress()),
			usual:   "as the kernel routes",
			text:    "the node's end of the session, of the family of `address`; not with `interface`",
		},
	}
}

// fieldsOfTimes are those of how long what takes.
func (p *parser) fieldsOfTimes(peer *placedPeer) fields {
	return fields{
		{
			name: "holdTime", example: "9s",
			content: either(p, &peer.HoldTime, holdTime()),
			text:    "a router that is silent for so long is dead; `0s`: never (RFC 4271 section 4.2)",
		},
		{
			name: "keepaliveTime", example: "20s",
			content: either(p, &peer.KeepaliveTime, wholeSeconds(time.Second, mostHoldTime)),
			usual:   "a third of `holdTime`",
			text:    "time between two keepalives; shorter than `holdTime`",
		},
		{
			name: "connectTime", example: "5s",
			content: either(p, &peer.ConnectTime, wholeSeconds(time.Second, mostHoldTime)),
			text:    "time between two attempts to connect",
		},
		{
			name: "bfd", example: "{interval: 50ms, multiplier: 3}",
			content: content{
				kind:   "`true`, `false` or a map",
				read:   func(value *yaml.Node) { peer.BFD = p.readBFD(value) },
				fields: func() fields { return p.fieldsOfBFD(&BFD{DefaultBFDInterval, DefaultBFDMultiplier}) },
			},
			usual: "false",
			text:  "watch the path with BFD (RFC 5880); `true`: with the defaults below",
		},
		{
			name: "gracefulRestart", example: "60s",
			content: either(p, &peer.GracefulRestart, restartTime()),
			text:    "for how long the router keeps the routes while the node's agent is away (RFC 4724); `false` or `0s`: not at all",
		},
	}
}

// readBFD reads {interval, multiplier}, true or false.
func (p *parser) readBFD(node *yaml.Node) *BFD {
	bfd := BFD{DefaultBFDInterval, DefaultBFDMultiplier}
	if node.Kind == yaml.ScalarNode {
		on, ok := parseBool(node.Value)
		switch {
		case !ok:
			p.error(node, "neither true nor false nor a map of interval and multiplier")
		case on:
			return &bfd
		}
		return nil
	}
	p.object(node, p.fieldsOfBFD(&bfd))
	return &bfd
}

func (p *parser) fieldsOfBFD(bfd *BFD) fields {
	return fields{
		{
			name: "interval", example: "50ms",
			content: either(p, &bfd.Interval, bfdInterval()),
			text:    "time between two packets, each way; the slower of both ends counts",
		},
		{
			name: "multiplier", example: "5",
			content: number(p, &bfd.Multiplier, within[uint8](leastBFDMultiplier, math.MaxUint8)),
			text:    "so many packets missing, and the path is dead",
		},
	}
}

// checkEnds checks how the two ends of a session go together.
func (p *parser) checkEnds(peer placedPeer) {
	address, iface := peer.at["address"], peer.at["interface"]
	source, multihop := peer.at["sourceAddress"], peer.at["multihop"]
	switch {
	case address == nil && iface == nil:
		p.error(peer.node, "neither address nor interface")
	case address != nil && iface != nil:
		p.error(iface, "both address and interface; for a link-local address write address: ADDRESS%INTERFACE")
		return
	}
	if source != nil && iface != nil {
		p.error(source, "an unnumbered session is between link-local addresses; remove it")
	}
	if peer.Multihop > 0 && iface != nil {
		p.error(multihop, "an unnumbered router is on the link; remove it")
	}
	if peer.Multihop > 0 && peer.Address.IsLinkLocalUnicast() {
		p.error(multihop, "a link-local router is on the link; remove it")
	}
	if source != nil {
		if reason := sourceFault(peer.SourceAddress, peer.Address); reason != "" {
			p.error(source, reason)
		}
	}
}

// sourceFault says why a session cannot have these ends; "" if it can, or if one is
// not valid.
func sourceFault(source, router netip.Addr) string {
	switch {
	case !source.IsValid() || !router.IsValid():
	case source.Is4() != router.Is4():
		return fmt.Sprintf("not of the family of the router's address %s", router)
	case source.WithZone("") == router.WithZone(""):
		return "the router's own address"
	case source.IsLinkLocalUnicast() && source.Is6() && !router.IsLinkLocalUnicast():
		return fmt.Sprintf("link-local, and the router's address %s is not", router)
	case source.Zone() != "" && source.Zone() != router.Zone():
		return fmt.Sprintf("not on the interface of the router's address %s", router)
	}
	return ""
}

// checkTimes checks hold and keepalive time, and sets the latter where it is not
// given.
func (p *parser) checkTimes(peer *placedPeer) {
	hold, keepalive := peer.at["holdTime"], peer.at["keepaliveTime"]
	if peer.HoldTime == 0 {
		if peer.BFD == nil && hold != nil {
			p.warn(hold, "without a hold time or bfd, nobody notices that the router is dead")
		}
		if keepalive != nil {
			p.warn(keepalive, "without effect: no keepalives are sent with a hold time of 0 (RFC 4271 section 4.4)")
		}
		peer.KeepaliveTime = 0
		return
	}
	usual := keepaliveOf(peer.HoldTime)
	switch {
	case keepalive == nil || peer.KeepaliveTime == 0: // not given, or faulty
		peer.KeepaliveTime = usual
	case peer.KeepaliveTime >= peer.HoldTime:
		p.error(keepalive, fmt.Sprintf("not shorter than the hold time of %s: the session would not last", peer.HoldTime))
	case peer.KeepaliveTime > peer.HoldTime/3:
		p.warn(keepalive, fmt.Sprintf("longer than a third of the hold time of %s (RFC 4271 section 10): few lost packets end the session", peer.HoldTime))
	}
}

// keepaliveOf returns a third of a hold time, in whole seconds.
func keepaliveOf(hold time.Duration) time.Duration { return (hold / 3).Truncate(time.Second) }
