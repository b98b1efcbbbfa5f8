package nodesocket

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/heraldlb/herald/announcer"
)

// ErrInvalid is wrapped by errors about what no announcer could carry out.
var ErrInvalid = errors.New("invalid")

// Validate returns an error that wraps ErrInvalid unless c's address is
// unicast, without zone and not IPv4-mapped, its interface is empty or a name
// that Linux accepts, and its hosts are few and can be names of nodes.
func Validate(c announcer.Candidacy) error {
	if err := validAddress(c.Address); err != nil {
		return err
	}
	if !validInterface(c.Interface) {
		return fmt.Errorf("%w: %.32q of %s is not an interface name", ErrInvalid, c.Interface, c.Address)
	}
	if len(c.Hosts) > announcer.MaxHosts {
		return fmt.Errorf("%w: %d hosts of %s, more than %d", ErrInvalid, len(c.Hosts), c.Address, announcer.MaxHosts)
	}
	if c.Until < 0 {
		return fmt.Errorf("%w: %s ends at %d, before the host was booted", ErrInvalid, c.Address, c.Until)
	}
	for _, host := range c.Hosts {
		if !validNode(host) {
			return fmt.Errorf("%w: %.64q, host of %s, is not a name of a node", ErrInvalid, host, c.Address)
		}
	}
	return nil
}

func validAddress(addr netip.Addr) error {
	switch {
	case !addr.IsValid():
		return fmt.Errorf("%w: no address", ErrInvalid)
	case addr.Zone() != "":
		return fmt.Errorf("%w: %.64q has a zone", ErrInvalid, addr)
	case addr.Is4In6():
		return fmt.Errorf("%w: %s is IPv4-mapped", ErrInvalid, addr)
	case addr.IsUnspecified(), addr.IsMulticast(), addr.IsLoopback(), addr == broadcast():
		return fmt.Errorf("%w: %s is not a unicast address of a segment", ErrInvalid, addr)
	}
	return nil
}

func broadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// validInterface follows dev_valid_name of Linux: at most IFNAMSIZ-1 bytes.
func validInterface(name string) bool {
	for i := range len(name) {
		// By byte, as the kernel does: 0xa0 is a space to it.
		if strings.IndexByte("/: \t\n\v\f\r\xa0\x00", name[i]) >= 0 {
			return false
		}
	}
	return len(name) <= 15 && name != "." && name != ".."
}

// validNode is laxer than RFC 1123, and lets nothing pass that is longer in
// JSON than here.
func validNode(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"\<>&`, c) >= 0 {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}

// ValidateFacts returns an error that wraps ErrInvalid unless the peers of f are
// unicast addresses and no more than MaxPeers, its backends too, with a port, and no
// more than MaxBackends, its BFD peers can be watched and are no more than MaxBFD, its
// unnumbered interfaces have a name each and are no more than MaxUnnumbered, and its
// words are short.
func ValidateFacts(f announcer.Facts) error {
	if len(f.Peers) > MaxPeers {
		return fmt.Errorf("%w: %d peers, more than %d", ErrInvalid, len(f.Peers), MaxPeers)
	}
	for _, peer := range f.Peers {
		if err := validAddress(peer); err != nil {
			return fmt.Errorf("peer: %w", err)
		}
	}
	if len(f.Backends) > MaxBackends {
		return fmt.Errorf("%w: %d backends, more than %d", ErrInvalid, len(f.Backends), MaxBackends)
	}
	for _, backend := range f.Backends {
		if err := validAddress(backend.Addr()); err != nil {
			return fmt.Errorf("backend: %w", err)
		}
		if backend.Port() == 0 {
			return fmt.Errorf("%w: backend %s has no port", ErrInvalid, backend.Addr())
		}
	}
	for _, word := range []string{f.Cluster, f.Rebalance} {
		if len(word) > maxName {
			return fmt.Errorf("%w: %.32q is longer than %d bytes", ErrInvalid, word, maxName)
		}
	}
	return errors.Join(validBFD(f.BFD), validUnnumbered(f.Unnumbered))
}

func validUnnumbered(names []string) error {
	if len(names) > MaxUnnumbered {
		return fmt.Errorf("%w: %d unnumbered interfaces, more than %d", ErrInvalid, len(names), MaxUnnumbered)
	}
	for i, name := range names {
		if name == "" || !validInterface(name) {
			return fmt.Errorf("%w: %.32q, unnumbered, is not an interface name", ErrInvalid, name)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%w: interface %s is unnumbered twice", ErrInvalid, name)
		}
	}
	return nil
}

func validBFD(peers []announcer.BFDPeer) error {
	if len(peers) > MaxBFD {
		return fmt.Errorf("%w: %d BFD peers, more than %d", ErrInvalid, len(peers), MaxBFD)
	}
	seen := make(map[netip.Addr]bool, len(peers))
	for _, p := range peers {
		if seen[p.Address] {
			return fmt.Errorf("%w: two BFD peers with the address %s", ErrInvalid, p.Address)
		}
		seen[p.Address] = true
		if err := validBFDPeer(p); err != nil {
			return fmt.Errorf("BFD peer: %w", err)
		}
	}
	return nil
}

func validBFDPeer(p announcer.BFDPeer) error {
	address, zone := p.Address.WithZone(""), p.Address.Zone()
	if err := validAddress(address); err != nil {
		return err
	}
	switch local := address.Is6() && address.IsLinkLocalUnicast(); {
	case local != (zone != ""):
		return fmt.Errorf("%w: %.64q, where a link-local address has a zone and no other has", ErrInvalid, p.Address)
	case !validInterface(zone):
		return fmt.Errorf("%w: %.32q, the zone of %s, is not an interface name", ErrInvalid, zone, address)
	case local && p.Multihop:
		return fmt.Errorf("%w: %s is on a link, so it is not several hops away", ErrInvalid, address)
	case p.Interval < MinBFDInterval || p.Interval > MaxBFDInterval:
		return fmt.Errorf("%w: interval %s of %s, not %s to %s", ErrInvalid, p.Interval, address, MinBFDInterval, MaxBFDInterval)
	case p.Multiplier < MinBFDMultiplier:
		return fmt.Errorf("%w: multiplier %d of %s, less than %d", ErrInvalid, p.Multiplier, address, MinBFDMultiplier)
	case !p.Source.IsValid():
		return nil
	}
	if err := validAddress(p.Source.WithZone("")); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if p.Source.Is4() != address.Is4() || p.Source.Zone() != "" && p.Source.Zone() != zone {
		return fmt.Errorf("%w: source %.64q is not on the way to %s", ErrInvalid, p.Source, address)
	}
	return nil
}
