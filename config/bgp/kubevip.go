package bgp

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParsePeer reads a peer as kube-vip writes it:
//
//	address:AS[:password[:multihop[:port[:mpbgp[:bfd]]]]]
//
// IPv6 stands in brackets; unnumbered:eth0 in place of the address is whoever sends
// router advertisements there. mpbgp is mpbgp_nexthop=fixed;mpbgp_ipv4=A, or a mode by
// which kube-vip finds the next hop of the other family, as Herald does unasked; bfd is
// enable;receive;transmit;multiplier, in milliseconds, of which the longer interval
// counts. What is not said is as in bgp.yaml; the name is the address or the
// interface. The older form address:AS:password:multihop/mpbgp is read too. An error
// does not repeat the password.
func ParsePeer(text string) (Peer, error) {
	peer := newPeer()
	rest, options, err := peer.cutEnd(strings.TrimSpace(text))
	if err != nil {
		return Peer{}, err
	}
	parts := strings.Split(rest, ":")
	if len(parts) > len(peerFields()) {
		return Peer{}, fmt.Errorf("peer %s: %d fields after the address, at most %d; a password cannot have a ':'", peer.Name, len(parts), len(peerFields()))
	}
	if options != "" {
		if err := peer.readMPBGP(options); err != nil {
			return Peer{}, fmt.Errorf("peer %s: mpbgp: %w", peer.Name, err)
		}
	}
	for i, field := range peerFields() {
		if i >= len(parts) || parts[i] == "" && field.name != "AS" {
			continue
		}
		if err := field.read(&peer, parts[i]); err != nil {
			return Peer{}, fmt.Errorf("peer %s: %s: %w", peer.Name, field.name, err)
		}
	}
	if peer.Multihop > 0 && (peer.Interface != "" || peer.Address.IsLinkLocalUnicast()) {
		peer.Multihop = 0 // the router is on the link, and kube-vip asks no questions
	}
	peer.KeepaliveTime = keepaliveOf(peer.HoldTime)
	return peer, nil
}

// cutEnd takes the router from the front of a peer's text, and the options of the
// older form from its end.
func (p *Peer) cutEnd(text string) (rest, options string, err error) {
	if before, after, ok := strings.Cut(text, "/mpbgp_"); ok {
		text, options = before, "mpbgp_"+after
	}
	var address string
	switch {
	case text == "":
		return "", "", errors.New("empty; a peer is address:AS:password:multihop")
	case strings.HasPrefix(text, "["):
		var closed bool
		if address, rest, closed = strings.Cut(text[1:], "]"); !closed || !strings.HasPrefix(rest, ":") {
			return "", "", errors.New("no address in brackets with ':' and an AS number after it")
		}
		rest = rest[1:]
	default:
		var iface string
		first, after, _ := strings.Cut(text, ":")
		if first == "unnumbered" {
			iface, rest, _ = strings.Cut(after, ":")
			p.Name = iface
			p.Interface, err = parseInterface(iface)
			if err != nil {
				return "", "", fmt.Errorf("unnumbered:%s: %w", iface, err)
			}
			return rest, options, nil
		}
		address, rest = first, after
		if strings.Count(text, ":") > 1 && !strings.Contains(first, ".") {
			if _, err := strconv.ParseUint(first, 16, 16); err == nil || first == "" {
				return "", "", errors.New("an IPv6 address stands in brackets: [2001:db8::1]:65000")
			}
		}
	}
	p.Address, err = parseRouter(address)
	if err != nil {
		return "", "", fmt.Errorf("address %s: %w", quoted(address), err)
	}
	p.Name = p.Address.String()
	return rest, options, nil
}

// peerField is one of a peer's fields after the address.
type peerField struct {
	name string
	read func(peer *Peer, text string) error
}

func peerFields() []peerField {
	return []peerField{
		{"AS", func(peer *Peer, text string) (err error) {
			if text == "" {
				return errors.New("is missing")
			}
			peer.ASN, err = parseASN(text)
			return err
		}},
		{"password", func(peer *Peer, text string) error {
			peer.Password = text
			return nil
		}},
		{"multihop", func(peer *Peer, text string) error {
			on, err := strconv.ParseBool(text)
			if err != nil {
				return errors.New("neither true nor false")
			}
			if on {
				peer.Multihop = mostHops
			}
			return nil
		}},
		{"port", func(peer *Peer, text string) (err error) {
			peer.Port, err = between[uint16](1, math.MaxUint16)(text)
			return err
		}},
		{"mpbgp", (*Peer).readMPBGP},
		{"bfd", (*Peer).readBFD},
	}
}

// readMPBGP reads kube-vip's options for the next hops of the other family.
func (p *Peer) readMPBGP(text string) error {
	var mode string
	var next4, next6 netip.Addr
	for option := range strings.SplitSeq(text, ";") {
		key, value, ok := strings.Cut(option, "=")
		if !ok {
			return fmt.Errorf("no value after %s", quoted(option))
		}
		var err error
		switch key {
		case "mpbgp_nexthop":
			mode = value
		case "mpbgp_ipv4":
			next4, err = parseNextHop(value, true)
		case "mpbgp_ipv6":
			next6, err = parseNextHop(value, false)
		default:
			err = fmt.Errorf("unknown%s", didYouMean(key, []string{"mpbgp_nexthop", "mpbgp_ipv4", "mpbgp_ipv6"}))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(key), err)
		}
	}
	return p.setNextHops(mode, next4, next6)
}

// setNextHops takes one of kube-vip's modes. Only fixed asks for what Herald would
// not do anyway.
func (p *Peer) setNextHops(mode string, next4, next6 netip.Addr) error {
	modes := []string{"fixed", "auto_sourceip", "auto_sourceif"}
	switch {
	case mode == "fixed" && !next4.IsValid() && !next6.IsValid():
		return errors.New("fixed, and neither mpbgp_ipv4 nor mpbgp_ipv6")
	case mode == "fixed":
		p.NextHop4, p.NextHop6 = next4, next6
	case mode != "" && !slices.Contains(modes, mode):
		return fmt.Errorf("%s: not one of %s%s", quoted(mode), strings.Join(modes, ", "), didYouMean(mode, modes))
	}
	return nil
}

func parseNextHop(text string, is4 bool) (netip.Addr, error) {
	addr, err := parseHost(strings.Trim(text, "[]"))
	if err == nil && addr.Is4() != is4 {
		return netip.Addr{}, errors.New("of the other family")
	}
	return addr, err
}

// readBFD reads enable;receive;transmit;multiplier.
func (p *Peer) readBFD(text string) error {
	const fields = 4
	parts := strings.Split(text, ";")
	if len(parts) != fields {
		return errors.New("not enable;receive;transmit;multiplier")
	}
	on, err := strconv.ParseBool(parts[0])
	if err != nil {
		return errors.New("neither true nor false at its beginning")
	}
	bfd := BFD{Multiplier: DefaultBFDMultiplier}
	for _, part := range parts[1:3] {
		interval := DefaultBFDInterval
		if part != "" {
			if interval, err = parseBFDInterval(part + "ms"); err != nil {
				return fmt.Errorf("interval %s: %w", quoted(part), err)
			}
		}
		bfd.Interval = max(bfd.Interval, interval)
	}
	if parts[3] != "" {
		if bfd.Multiplier, err = between[uint8](leastBFDMultiplier, math.MaxUint8)(parts[3]); err != nil {
			return fmt.Errorf("multiplier %s: %w", quoted(parts[3]), err)
		}
	}
	if on {
		p.BFD = &bfd
	}
	return nil
}

// parsePeers reads a list of peers, whose routers differ. It returns them by name.
func parsePeers(text string) ([]Peer, error) {
	var peers []Peer
	for item := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		peer, err := ParsePeer(item)
		if err != nil {
			return nil, err
		}
		if err := addPeer(&peers, peer); err != nil {
			return nil, err
		}
	}
	if len(peers) == 0 {
		return nil, errors.New("no peer in it; a peer is address:AS:password:multihop")
	}
	sortPeers(peers)
	return peers, nil
}

func addPeer(peers *[]Peer, peer Peer) error {
	if slices.ContainsFunc(*peers, func(p Peer) bool { return p.end() == peer.end() }) {
		return fmt.Errorf("peer %s: it is there twice", peer.Name)
	}
	*peers = append(*peers, peer)
	return nil
}

func sortPeers(peers []Peer) {
	slices.SortFunc(peers, func(a, b Peer) int { return strings.Compare(a.Name, b.Name) })
}

// kubeVIPs are kube-vip's defaults.
const (
	kubeVIPsASN       = 65000
	kubeVIPsHoldTime  = 30 * time.Second
	kubeVIPsKeepalive = 10 * time.Second
)

// FromKubeVIP reads kube-vip's environment; lookup is os.LookupEnv or its like. It
// returns nil where bgp_enable is not true. The error names the variables. Without
// effect are bgp_routerinterface, since the router ID is the node's IPv4 address, and
// mpbgp_nexthop other than fixed, since the next hop of the other family is always
// found.
func FromKubeVIP(lookup func(string) (string, bool)) (*Config, error) {
	env := environment{lookup: lookup}
	if !variable(&env, "bgp_enable", false, strconv.ParseBool) {
		return nil, env.err()
	}
	c := &Config{
		LocalASN: variable(&env, "bgp_as", kubeVIPsASN, parseASN),
		RouterID: variable(&env, "bgp_routerid", netip.Addr{}, parseRouterID),
	}
	c.Peers = variable(&env, "bgp_peers", nil, parsePeers)
	single := newPeer()
	single.Address = variable(&env, "bgp_peeraddress", netip.Addr{}, func(text string) (netip.Addr, error) {
		return parseRouter(strings.Trim(text, "[]"))
	})
	single.Name = single.Address.String()
	single.ASN = variable(&env, "bgp_peeras", kubeVIPsASN, parseASN)
	single.Password = variable(&env, "bgp_peerpass", "", func(text string) (string, error) { return text, nil })
	if variable(&env, "bgp_multihop", false, strconv.ParseBool) && !single.Address.IsLinkLocalUnicast() {
		single.Multihop = mostHops
	}
	if single.Address.IsValid() {
		env.note("bgp_peeraddress", addPeer(&c.Peers, single))
	}
	if len(env.errs) == 0 && len(c.Peers) == 0 {
		env.note("bgp_peers", errors.New("no peer, and none in bgp_peeraddress"))
	}
	env.times(c.Peers)
	env.nextHops(c.Peers)
	env.sources(c.Peers)
	if err := env.err(); err != nil {
		return nil, err
	}
	sortPeers(c.Peers)
	return c, nil
}

// environment reads variables, and keeps what is wrong with them.
type environment struct {
	lookup func(string) (string, bool)
	errs   []error
}

func (e *environment) note(name string, err error) {
	if err != nil {
		e.errs = append(e.errs, fmt.Errorf("environment %s: %w", name, err))
	}
}

func (e *environment) err() error { return errors.Join(e.errs...) }

// variable returns what a variable says; one that is not set or empty says nothing.
func variable[T any](e *environment, name string, otherwise T, parse func(string) (T, error)) T {
	text, _ := e.lookup(name)
	if text = strings.TrimSpace(text); text == "" {
		return otherwise
	}
	value, err := parse(text)
	if err != nil {
		if _, ok := errors.AsType[*strconv.NumError](err); ok {
			err = fmt.Errorf("%s: neither true nor false", quoted(text))
		}
		e.note(name, err)
		return otherwise
	}
	return value
}

// times sets those that all peers have.
func (e *environment) times(peers []Peer) {
	hold := variable(e, "bgp_hold_time", kubeVIPsHoldTime, func(text string) (time.Duration, error) { return parseHoldTime(text + "s") })
	usual := min(kubeVIPsKeepalive, keepaliveOf(hold))
	keepalive := variable(e, "bgp_keepalive_interval", usual, func(text string) (time.Duration, error) {
		return seconds(time.Second, mostHoldTime)(text + "s")
	})
	if hold > 0 && keepalive >= hold {
		e.note("bgp_keepalive_interval", fmt.Errorf("%s is not shorter than the hold time of %s", keepalive, hold))
	}
	if hold == 0 {
		keepalive = 0
	}
	for i := range peers {
		peers[i].HoldTime, peers[i].KeepaliveTime = hold, keepalive
	}
}

// nextHops sets those of peers that have none of their own.
func (e *environment) nextHops(peers []Peer) {
	next4 := variable(e, "mpbgp_ipv4", netip.Addr{}, func(text string) (netip.Addr, error) { return parseNextHop(text, true) })
	next6 := variable(e, "mpbgp_ipv6", netip.Addr{}, func(text string) (netip.Addr, error) { return parseNextHop(text, false) })
	mode := variable(e, "mpbgp_nexthop", "", func(text string) (string, error) {
		var probe Peer
		return text, probe.setNextHops(text, next4, next6)
	})
	for i := range peers {
		if mode == "fixed" {
			peers[i].NextHop4 = cmp.Or(peers[i].NextHop4, next4)
			peers[i].NextHop6 = cmp.Or(peers[i].NextHop6, next6)
		}
	}
}

// sources sets the nodes' end of the sessions.
func (e *environment) sources(peers []Peer) {
	source := variable(e, "bgp_sourceip", netip.Addr{}, func(text string) (netip.Addr, error) { return parseHost(strings.Trim(text, "[]")) })
	iface := variable(e, "bgp_sourceif", "", parseInterface)
	if source.IsValid() && iface != "" {
		e.note("bgp_sourceif", errors.New("beside bgp_sourceip; one of them"))
	}
	for i := range peers {
		peer := &peers[i]
		if !peer.Address.IsValid() {
			continue
		}
		peer.SourceInterface = iface
		if source.Is4() == peer.Address.Is4() {
			if reason := sourceFault(source, peer.Address); reason != "" {
				e.note("bgp_sourceip", errors.New(reason))
			}
			peer.SourceAddress = source
		}
	}
}
