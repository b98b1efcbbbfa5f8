package config

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"

	"go4.org/netipx"

	"github.com/heraldlb/herald/config/fault"
)

// entry is one item of a list, where it stands, and the addresses it names.
type entry struct {
	key      string
	position int // in the list, from 1
	column   int // in the value, from 1
	text     string
	netipx.IPRange
}

// fault reports something about the entry.
func (e entry) fault(severity Severity, reason string) Fault {
	return Fault{
		Severity: severity,
		Key:      e.key,
		Position: e.position,
		Column:   e.column,
		Value:    e.text,
		Reason:   reason,
	}
}

// String names the entry and its place: cidr-global[2] "10.0.0.0/24".
func (e entry) String() string {
	return Fault{Key: e.key, Position: e.position}.Place() + " " + fault.Quote(e.text)
}

// splitList yields the entries of a comma-separated value, without white space.
func splitList(key, value string) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		position, at := 0, 0
		for item := range strings.SplitSeq(value, ",") {
			position++
			lead := len(item) - len(strings.TrimLeftFunc(item, isSpace))
			if !yield(entry{key: key, position: position, column: at + lead + 1, text: trim(item)}) {
				return
			}
			at += len(item) + len(",")
		}
	}
}

func (e entry) isCIDR() bool { return strings.HasPrefix(e.key, prefixCIDR) }

// before tells whether e stands before other in the ConfigMap's sorted keys.
func (e entry) before(other entry) bool {
	if e.key == other.key {
		return e.position < other.position
	}
	return e.key < other.key
}

func trim(text string) string { return strings.TrimFunc(text, isSpace) }

func isSpace(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) }

// dhcpPool is how kube-vip is told to ask a DHCP server for each address.
const dhcpPool = "0.0.0.0/32"

// parseCIDR reads "10.0.0.0/24". The error says what is wrong with the text,
// without repeating it.
func parseCIDR(text string) (netipx.IPRange, error) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netipx.IPRange{}, explainCIDR(text)
	case text == dhcpPool:
		return netipx.IPRange{}, errors.New("kube-vip's pool for DHCP; Herald does not do DHCP, name the addresses to hand out")
	case prefix.Addr().Is4In6() && prefix.Bits() >= mappedBits:
		return netipx.IPRange{}, errMapped(prefix)
	case prefix != prefix.Masked():
		return netipx.IPRange{}, fmt.Errorf("host bits set; did you mean %s?", prefix.Masked())
	}
	return netipx.RangeOfPrefix(prefix), nil
}

// explainCIDR says why text is not a CIDR.
func explainCIDR(text string) error {
	address, bits, found := strings.Cut(text, "/")
	switch {
	case !found && strings.Contains(text, "-"):
		return fmt.Errorf("a range, not a CIDR; it belongs in a %s key", prefixRange)
	case strings.ContainsFunc(text, isSpace):
		return errSpace
	}
	addr, err := parseAddr(address)
	switch {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("no prefix length; did you mean %s/%d?", addr, addr.BitLen())
	}
	return fmt.Errorf("prefix length %s is not a number from 0 to %d", fault.Quote(bits), addr.BitLen())
}

// mappedBits stand before the IPv4 address in an IPv4-mapped IPv6 address
// (RFC 4291 section 2.5.5.2).
const mappedBits = 96

// errMapped tells how a prefix of IPv4-mapped addresses is to be written.
func errMapped(prefix netip.Prefix) error {
	plain := netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits).Masked()
	return fmt.Errorf("IPv4-mapped IPv6 addresses; did you mean %s?", plain)
}

// parseRange reads "10.0.0.1-10.0.0.9"; both ends belong to it.
func parseRange(text string) (netipx.IPRange, error) {
	first, last, found := strings.Cut(text, "-")
	if !found {
		return netipx.IPRange{}, explainRange(text)
	}
	from, err := parseAddr(trim(first))
	if err != nil {
		return netipx.IPRange{}, fmt.Errorf("first address: %w", err)
	}
	to, err := parseAddr(trim(last))
	switch {
	case err != nil:
		return netipx.IPRange{}, fmt.Errorf("last address: %w", err)
	case from.BitLen() != to.BitLen():
		return netipx.IPRange{}, errors.New("mixes IPv4 and IPv6")
	case to.Less(from):
		return netipx.IPRange{}, fmt.Errorf("reversed; did you mean %s-%s?", to, from)
	}
	return netipx.IPRangeFrom(from, to), nil
}

// explainRange says why text, which has no '-', is not a range.
func explainRange(text string) error {
	switch {
	case strings.Contains(text, "/"):
		return fmt.Errorf("a CIDR, not a range; it belongs in a %s key", prefixCIDR)
	case strings.ContainsFunc(text, isSpace):
		return errSpace
	}
	addr, err := parseAddr(text)
	if err != nil {
		return err
	}
	return fmt.Errorf("a range has two ends; did you mean %s-%s?", addr, addr)
}

// parseExclude reads a CIDR, a range or one address.
func parseExclude(text string) (netipx.IPRange, error) {
	switch {
	case strings.Contains(text, "-"):
		return parseRange(text)
	case strings.Contains(text, "/"):
		return parseCIDR(text)
	}
	addr, err := parseAddr(text)
	return netipx.IPRangeFrom(addr, addr), err
}

var errSpace = errors.New("white space inside; entries are separated by commas")

// parseAddr reads an address without a zone. The error does not repeat it.
func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case text == "":
		return netip.Addr{}, errors.New("no address")
	case strings.ContainsFunc(text, isSpace):
		return netip.Addr{}, errSpace
	case err != nil && strings.Contains(text, ":"):
		return netip.Addr{}, errors.New("not an IPv6 address")
	case err != nil && strings.Contains(text, "."):
		return netip.Addr{}, errors.New("not an IPv4 address: four numbers from 0 to 255 without leading zeros")
	case err != nil:
		return netip.Addr{}, errors.New("not an IP address")
	case addr.Zone() != "":
		return netip.Addr{}, fmt.Errorf("zone %s; addresses here have none", fault.Quote(addr.Zone()))
	case addr.Is4In6():
		return netip.Addr{}, fmt.Errorf("IPv4-mapped IPv6 address; did you mean %s?", addr.Unmap())
	}
	return addr, nil
}
