package bgp

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/heraldlb/herald/config/fault"
)

// parseASN reads an AS number, plain or as 1.10 (asdot, RFC 5396).
func parseASN(text string) (uint32, error) {
	if high, low, dotted := strings.Cut(text, "."); dotted {
		h, errHigh := parseUint(high, math.MaxUint16)
		l, errLow := parseUint(low, math.MaxUint16)
		if errHigh != nil || errLow != nil {
			return 0, errors.New("not an AS number; with a dot it is two numbers from 0 to 65535 (RFC 5396)")
		}
		return checkASN(uint32(h<<16 | l))
	}
	n, err := parseUint(text, math.MaxUint32)
	if err != nil {
		return 0, errors.New("not an AS number: those are from 1 to 4294967294 (RFC 6793)")
	}
	return checkASN(uint32(n))
}

// checkASN refuses the numbers that no AS has.
func checkASN(asn uint32) (uint32, error) {
	switch asn {
	case 0:
		return 0, errors.New("AS 0 is nobody's (RFC 7607)")
	case 23456:
		return 0, errors.New("AS 23456 stands for numbers above 65535 towards old routers (RFC 6793); name the AS itself")
	case math.MaxUint16, math.MaxUint32:
		return 0, fmt.Errorf("AS %d is reserved (RFC 7300)", asn)
	}
	return asn, nil
}

// parseUint reads decimal digits alone.
func parseUint(text string, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most || text[0] == '+' {
		return 0, fmt.Errorf("not a number from 0 to %d", most)
	}
	return n, nil
}

// between returns what reads a number in bounds.
func between[T uint8 | uint16 | uint32](least, most T) func(string) (T, error) {
	return func(text string) (T, error) {
		n, err := parseUint(text, uint64(most))
		if err != nil || n < uint64(least) {
			return 0, fmt.Errorf("not a number from %d to %d", least, most)
		}
		return T(n), nil
	}
}

// optional makes of what reads a value what reads one that may be left out.
func optional[T any](parse func(string) (T, error)) func(string) (*T, error) {
	return func(text string) (*T, error) {
		value, err := parse(text)
		if err != nil {
			return nil, err
		}
		return &value, nil
	}
}

// parseBool reads a boolean of YAML 1.2.
func parseBool(text string) (value, ok bool) {
	return text == "true", text == "true" || text == "false"
}

// parseRouterID reads a BGP identifier: four octets, not zero (RFC 6286), and since
// routers refuse others, as a host may have them.
func parseRouterID(text string) (netip.Addr, error) {
	addr, err := parseAddr(text)
	switch {
	case err != nil:
		return netip.Addr{}, err
	case !addr.Is4():
		return netip.Addr{}, errors.New("a router ID has the form of an IPv4 address, with IPv6 too (RFC 4271 section 4.2)")
	case !isRouterID(addr):
		return netip.Addr{}, errors.New("no host's address, so routers refuse it as router ID")
	}
	return addr, nil
}

func isRouterID(addr netip.Addr) bool {
	if !addr.Is4() {
		return false
	}
	const classD = 224
	first := addr.As4()[0]
	return first > 0 && first < classD && !addr.IsLoopback()
}

// parseRouter reads the address of a router.
func parseRouter(text string) (netip.Addr, error) {
	addr, err := parseHost(text)
	switch {
	case err != nil:
		return netip.Addr{}, err
	case addr.Is6() && addr.IsLinkLocalUnicast() && addr.Zone() == "":
		return netip.Addr{}, fmt.Errorf("link-local; on which interface? such as %s%%eth0", addr)
	}
	return addr, nil
}

// parseHost reads an address that a host may have; only a link-local one of IPv6 has
// a zone.
func parseHost(text string) (netip.Addr, error) {
	addr, err := parseAddr(text)
	switch {
	case err != nil:
		return netip.Addr{}, err
	case addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Addr{}, errors.New("no host's address")
	case addr.Zone() != "" && !addr.IsLinkLocalUnicast():
		return netip.Addr{}, errors.New("has a zone, which only link-local addresses have")
	case addr.Zone() != "":
		if _, err := parseInterface(addr.Zone()); err != nil {
			return netip.Addr{}, fmt.Errorf("zone: %w", err)
		}
	}
	return addr, nil
}

func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil && strings.Contains(text, "/"):
		return netip.Addr{}, errors.New("not an IP address: it has no prefix length")
	case err != nil:
		return netip.Addr{}, errors.New("not an IP address")
	case addr.Is4In6():
		return netip.Addr{}, fmt.Errorf("IPv4-mapped IPv6 address; did you mean %s?", addr.Unmap())
	}
	return addr, nil
}

// parseInterface reads a name that the kernel takes (dev_valid_name in
// net/core/dev.c).
func parseInterface(text string) (string, error) {
	const most = 15 // IFNAMSIZ, less the closing zero byte
	if text == "" || len(text) > most || text == "." || text == ".." || strings.ContainsAny(text, "/: \t\n\v\f\r\x00") {
		return "", fmt.Errorf("not an interface name: 1 to %d bytes without '/', ':' and white space", most)
	}
	return text, nil
}

// parseName reads the name of a peer or advertisement, which metrics, events and
// annotations carry.
func parseName(text string) (string, error) {
	const most = 63
	if text == "" || len(text) > most || strings.ContainsFunc(text, func(c rune) bool { return !isNameRune(c) }) {
		return "", fmt.Errorf("not a name: 1 to %d letters, digits, '-', '_' and '.'", most)
	}
	return text, nil
}

// parseSecretKey reads a key as a Secret may have it.
func parseSecretKey(text string) (string, error) {
	const most = 253
	if text == "" || len(text) > most || strings.ContainsFunc(text, func(c rune) bool { return !isNameRune(c) }) {
		return "", fmt.Errorf("not a key of a Secret: 1 to %d letters, digits, '-', '_' and '.'", most)
	}
	return text, nil
}

func isNameRune(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.", c)
}

// seconds returns what reads a duration in bounds, in whole seconds: BGP's messages
// have no others.
func seconds(least, most time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := parseDuration(text)
		switch {
		case err != nil:
			return 0, err
		case d < least || d > most:
			return 0, fmt.Errorf("not from %s to %s", shortly(least), shortly(most))
		case d%time.Second != 0:
			return 0, errors.New("not in whole seconds")
		}
		return d, nil
	}
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("has no unit; did you mean %ss?", text)
	}
	return 0, errors.New("not a duration such as 90s, 1m30s or 300ms")
}

// shortly writes bounds in seconds, as RFCs do, or in milliseconds.
func shortly(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}

// The limits of RFC 4271 section 4.2: the hold time has 16 bits, and is 0 or at
// least 3 s.
const (
	leastHoldTime = 3 * time.Second
	mostHoldTime  = math.MaxUint16 * time.Second
)

func parseHoldTime(text string) (time.Duration, error) {
	d, err := seconds(0, mostHoldTime)(text)
	if err == nil && d > 0 && d < leastHoldTime {
		return 0, fmt.Errorf("neither 0 nor at least %s (RFC 4271 section 4.2)", leastHoldTime)
	}
	return d, err
}

// mostGracefulRestart is what 12 bits hold (RFC 4724 section 3).
const mostGracefulRestart = 4095 * time.Second

func parseGracefulRestart(text string) (time.Duration, error) {
	if on, ok := parseBool(text); ok && on {
		return DefaultGracefulRestart, nil
	} else if ok {
		return 0, nil
	}
	return seconds(0, mostGracefulRestart)(text)
}

// mostHops is the TTL with which nothing is too far.
const mostHops = 255

func parseMultihop(text string) (uint8, error) {
	if on, ok := parseBool(text); ok && on {
		return mostHops, nil
	} else if ok {
		return 0, nil
	}
	if text == "1" {
		return 0, errors.New("one hop is a link away; remove it")
	}
	n, err := between[uint8](2, mostHops)(text)
	if err != nil {
		return 0, errors.New("neither true nor false nor a TTL from 2 to 255")
	}
	return n, nil
}

// The bounds of BFD's intervals: faster is blamed on busy processors, slower is what
// BGP's own timers do.
const (
	leastBFDInterval = 10 * time.Millisecond
	mostBFDInterval  = 10 * time.Second
	// leastBFDMultiplier is 2, not the 1 of RFC 5880 section 4.1: one lost packet is
	// no dead path.
	leastBFDMultiplier = 2
)

func parseBFDInterval(text string) (time.Duration, error) {
	d, err := parseDuration(text)
	switch {
	case err != nil:
		return 0, err
	case d < leastBFDInterval || d > mostBFDInterval:
		return 0, fmt.Errorf("not from %s to %s", leastBFDInterval, mostBFDInterval)
	case d%time.Microsecond != 0:
		return 0, errors.New("not in whole microseconds, as BFD has it (RFC 5880 section 4.1)")
	}
	return d, nil
}

// quoted names a value in a reason.
func quoted(value string) string { return fault.Quote(value) }
