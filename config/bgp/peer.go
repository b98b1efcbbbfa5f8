package bgp

import (
	"fmt"
	"math"
	"net/netip"
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
	peer.at = p.object(node, fields{
		"name":            text(p, &peer.Name, parseName),
		"address":         either(p, &peer.Address, parseRouter),
		"interface":       text(p, &peer.Interface, parseInterface),
		"asn":             number(p, &peer.ASN, parseASN),
		"localASN":        number(p, &peer.LocalASN, parseASN),
		"port":            number(p, &peer.Port, between[uint16](1, math.MaxUint16)),
		"multihop":        either(p, &peer.Multihop, parseMultihop),
		"passwordKey":     text(p, &peer.PasswordKey, parseSecretKey),
		"holdTime":        either(p, &peer.HoldTime, parseHoldTime),
		"keepaliveTime":   either(p, &peer.KeepaliveTime, seconds(time.Second, mostHoldTime)),
		"connectTime":     either(p, &peer.ConnectTime, seconds(time.Second, mostHoldTime)),
		"bfd":             func(value *yaml.Node) { peer.BFD = p.readBFD(value) },
		"gracefulRestart": either(p, &peer.GracefulRestart, parseGracefulRestart),
		"sourceAddress":   either(p, &peer.SourceAddress, parseHost),
		"nodeSelector":    func(value *yaml.Node) { peer.Nodes = p.readSelector(value) },
	})
	if peer.at == nil {
		return
	}
	p.require(node, peer.at, "name", "asn")
	p.checkEnds(peer)
	p.checkTimes(&peer)
	p.peers = append(p.peers, peer)
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
	p.object(node, fields{
		"interval":   either(p, &bfd.Interval, parseBFDInterval),
		"multiplier": number(p, &bfd.Multiplier, between[uint8](leastBFDMultiplier, math.MaxUint8)),
	})
	return &bfd
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
