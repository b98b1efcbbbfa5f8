package metallb

import (
	"fmt"
	"slices"
	"time"
)

// setBFD sets what a peer's profile says: Herald has one interval, for both ways.
func (c *converter) setBFD(p *peer, t *peerText) {
	if p.profile == "" {
		return
	}
	at := slices.IndexFunc(c.profiles, func(b *bfdProfile) bool { return b.name == p.profile })
	if at < 0 {
		c.leaveOut(p.object, "bfdProfile", "there is no such BFDProfile: the session has no BFD")
		return
	}
	profile := c.profiles[at]
	t.BFD = profile.text()
	if !profile.used {
		c.checkProfile(profile)
	}
	profile.used = true
}

const (
	usualInterval   = 300 * time.Millisecond
	slowestInterval = 10 * time.Second
	usualMultiplier = 3
)

// text returns what bgp.yaml says of a profile.
func (p *bfdProfile) text() *bfdText {
	t := &bfdText{Interval: min(p.interval(), slowestInterval).String(), Multiplier: usualMultiplier}
	if p.multiplier != nil {
		t.Multiplier = *p.multiplier
	}
	return t
}

// interval returns the longer one: what is faster than a router is told takes it for
// dead.
func (p *bfdProfile) interval() time.Duration {
	return max(milliseconds(p.receive), milliseconds(p.transmit))
}

func milliseconds(n *uint32) time.Duration {
	if n == nil {
		return usualInterval
	}
	return time.Duration(*n) * time.Millisecond
}

// checkProfile notes what there is no counterpart for.
func (c *converter) checkProfile(p *bfdProfile) {
	receive, transmit := milliseconds(p.receive), milliseconds(p.transmit)
	if receive != transmit {
		c.leaveOut(p.object, "", fmt.Sprintf("Herald sends and receives at one interval, the longer one: %s", p.interval()))
	}
	if p.interval() > slowestInterval {
		field := "receiveInterval"
		if transmit > receive {
			field = "transmitInterval"
		}
		c.leaveOut(p.object, field, fmt.Sprintf("at most %s: it is that", slowestInterval))
	}
	if p.echoMode {
		c.leaveOut(p.object, "echoMode", "there are no echo packets")
	}
	if p.passive {
		c.leaveOut(p.object, "passiveMode", "Herald begins")
	}
	if p.ttl != nil {
		c.leaveOut(p.object, "minimumTtl", "Herald's own bound holds")
	}
}
