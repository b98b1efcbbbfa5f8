package upnp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/huin/goupnp/dcps/internetgateway2"
)

// mappings is what WANIPConnection:1 and 2 and WANPPPConnection:1 have in common, of
// the table of mappings.
type mappings interface {
	AddPortMappingCtx(ctx context.Context, remoteHost string, externalPort uint16, protocol string, internalPort uint16,
		internalClient string, enabled bool, description string, lease uint32) error
	DeletePortMappingCtx(ctx context.Context, remoteHost string, externalPort uint16, protocol string) error
	GetSpecificPortMappingEntryCtx(ctx context.Context, remoteHost string, externalPort uint16, protocol string) (
		internalPort uint16, internalClient string, enabled bool, description string, lease uint32, err error)
}

// connection is what they have in common.
type connection interface {
	mappings
	GetExternalIPAddressCtx(ctx context.Context) (string, error)
	GetStatusInfoCtx(ctx context.Context) (status, lastError string, uptime uint32, err error)
}

// Gateway is an Internet Gateway Device that was found.
type Gateway struct {
	// Address is its address on the segment, Kind the services that it is asked by.
	Address netip.Addr
	Kind    string
	// boot is its BOOTID.UPNP.ORG, "" if it gave none.
	boot string

	connection connection                                // nil: it maps nothing
	firewall   *internetgateway2.WANIPv6FirewallControl1 // nil: it has none

	mu sync.Mutex
	// pinholes are those that it opened, by the numbers that it gave them.
	pinholes map[Rule]uint16
}

// errNothing is for a gateway that cannot do a kind of rule at all.
var errNothing = errors.New("the gateway has no service for it")

// Condition returns its external address, which is not valid if it has none, and how
// long its connection has been up, 0 if it does not say.
func (g *Gateway) Condition(ctx context.Context) (external netip.Addr, uptime time.Duration, err error) {
	if g.connection == nil {
		_, _, err := g.firewall.GetFirewallStatusCtx(ctx)
		return netip.Addr{}, 0, judged("GetFirewallStatus", err)
	}
	_, _, seconds, err := g.connection.GetStatusInfoCtx(ctx)
	if err = judged("GetStatusInfo", err); err != nil && !isRefusal(err) {
		return netip.Addr{}, 0, err
	}
	text, err := g.connection.GetExternalIPAddressCtx(ctx)
	if err = judged("GetExternalIPAddress", err); err != nil && !isRefusal(err) {
		return netip.Addr{}, 0, err
	}
	external, err = netip.ParseAddr(strings.TrimSpace(text))
	if err != nil || !external.Is4() || external.IsUnspecified() {
		external = netip.Addr{} // not connected
	}
	return external, time.Duration(seconds) * time.Second, nil
}

// Map has the gateway pass on what a rule says, or lets it do so for longer. It returns
// for how long; 0 is for ever. The error is a *Refusal, or the gateway did not answer.
func (g *Gateway) Map(ctx context.Context, want Want) (lease time.Duration, err error) {
	if want.Client.Is6() {
		return g.open(ctx, want)
	}
	if g.connection == nil {
		return 0, &Refusal{Action: "AddPortMapping", Text: errNothing.Error()}
	}
	add := func(lease time.Duration) error {
		return judged("AddPortMapping", g.connection.AddPortMappingCtx(ctx, "", want.Port, string(want.Protocol),
			want.Port, want.Client.String(), true, want.description(), seconds(lease)))
	}
	err = add(want.Lease)
	if hasCode(err, onlyPermanent) {
		return 0, add(0)
	}
	return want.Lease, err
}

// Lookup returns what the gateway passes the port of an IPv4 rule on to; it is false if
// it does to nobody. Gateways may refuse to tell.
func (g *Gateway) Lookup(ctx context.Context, rule Rule) (Entry, bool, error) {
	if g.connection == nil {
		return Entry{}, false, nil
	}
	port, client, _, description, _, err := g.connection.GetSpecificPortMappingEntryCtx(ctx, "", rule.Port, string(rule.Protocol))
	err = judged("GetSpecificPortMappingEntry", err)
	switch {
	case hasCode(err, noSuchEntry):
		return Entry{}, false, nil
	case err != nil:
		return Entry{}, false, err
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(client))
	if err != nil {
		return Entry{}, false, fmt.Errorf("GetSpecificPortMappingEntry: %q is not an address", printable(client))
	}
	return Entry{netip.AddrPortFrom(addr.Unmap(), port), printable(description)}, true, nil
}

// Opened tells whether the gateway still has the pinhole of a rule. It is true where the
// gateway does not say.
func (g *Gateway) Opened(ctx context.Context, rule Rule) (bool, error) {
	number, opened := g.pinhole(rule)
	if !opened || g.firewall == nil {
		return false, nil
	}
	_, err := g.firewall.GetPinholePacketsCtx(ctx, number)
	err = judged("GetPinholePackets", err)
	switch {
	case hasCode(err, noSuchPinhole):
		return false, nil
	case isRefusal(err):
		return true, nil
	default:
		return err == nil, err
	}
}

// Unmap ends a rule. That it is not there is no error.
func (g *Gateway) Unmap(ctx context.Context, rule Rule) error {
	if rule.Client.Is6() {
		return g.shut(ctx, rule)
	}
	if g.connection == nil {
		return nil
	}
	err := judged("DeletePortMapping", g.connection.DeletePortMappingCtx(ctx, "", rule.Port, string(rule.Protocol)))
	if hasCode(err, noSuchEntry) {
		return nil
	}
	return err
}

// The numbers of the protocols in pinholes are IANA's.
func number(p Protocol) uint16 {
	if p == UDP {
		return 17
	}
	return 6
}

// maxPinholeLease is that of WANIPv6FirewallControl:1 section 2.3.5.
const maxPinholeLease = 24 * time.Hour

func (g *Gateway) open(ctx context.Context, want Want) (time.Duration, error) {
	if g.firewall == nil {
		return 0, &Refusal{Action: "AddPinhole", Text: errNothing.Error()}
	}
	lease := min(want.Lease, maxPinholeLease)
	if id, opened := g.pinhole(want.Rule); opened {
		err := judged("UpdatePinhole", g.firewall.UpdatePinholeCtx(ctx, id, seconds(lease)))
		if !isRefusal(err) {
			return lease, err
		}
		// It is gone, or the gateway does not do this: a new one says which.
	}
	id, err := g.firewall.AddPinholeCtx(ctx, "", 0, want.Client.String(), want.Port, number(want.Protocol), seconds(lease))
	if err = judged("AddPinhole", err); err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pinholes[want.Rule] = id
	return lease, nil
}

func (g *Gateway) shut(ctx context.Context, rule Rule) error {
	id, opened := g.pinhole(rule)
	if !opened || g.firewall == nil {
		return nil
	}
	err := judged("DeletePinhole", g.firewall.DeletePinholeCtx(ctx, id))
	if err == nil || hasCode(err, noSuchPinhole) {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.pinholes, rule)
		return nil
	}
	return err
}

func (g *Gateway) pinhole(rule Rule) (uint16, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id, opened := g.pinholes[rule]
	return id, opened
}

func isRefusal(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal)
}

func seconds(d time.Duration) uint32 {
	return uint32(min(max(0, d/time.Second), math.MaxUint32))
}
