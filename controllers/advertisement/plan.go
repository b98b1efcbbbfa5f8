package advertisement

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

// situation is all that a plan follows from.
type situation struct {
	*selection
	// passwords are those of the Secret, by key.
	passwords map[string]string
	// ends are this node's of the sessions with each of the selection's peers.
	ends      []end
	addresses map[netip.Addr]Address
}

// plan returns the peers, each with all that it is to be told, sorted by name. A peer
// whose password is not known is left out: without it there would be no session, or
// one that nobody asked for.
func plan(s situation) []bgp.Peer {
	routes := s.routes(s.addresses)
	var peers []bgp.Peer
	for i, p := range s.peers {
		password, known := s.password(p)
		if !known {
			continue
		}
		peers = append(peers, bgp.Peer{
			Name:            p.Name,
			LocalASN:        cmp.Or(p.LocalASN, s.localASN),
			RouterID:        s.routerID,
			Address:         p.Address,
			Interface:       p.Interface,
			ASN:             p.ASN,
			Port:            p.Port,
			Multihop:        p.Multihop,
			Password:        password,
			SourceAddress:   s.ends[i].source,
			HoldTime:        p.HoldTime,
			KeepaliveTime:   p.KeepaliveTime,
			ConnectTime:     p.ConnectTime,
			GracefulRestart: p.GracefulRestart,
			NextHops:        s.ends[i].nextHops,
			Routes:          routes[i],
		})
	}
	return peers
}

// password returns that of p, "" if it has none; it is false if it should have one
// and none is known that is of use.
func (s situation) password(p config.Peer) (string, bool) {
	if p.PasswordKey == "" {
		return p.Password, true
	}
	password := s.passwords[p.PasswordKey]
	return password, password != "" && len(password) <= mostPassword
}

// routes returns what each peer is to be told, by index and sorted by prefix. Peers
// that hear the same advertisements share it.
func (s *selection) routes(addresses map[netip.Addr]Address) [][]bgp.Route {
	matched := s.match(addresses)
	classes := newClasses(s.advertisements)
	shared := make(map[string][]bgp.Route)
	all := make([][]bgp.Route, len(s.peers))
	for p := range s.peers {
		heard := make([]bool, len(s.advertisements))
		var key []byte
		for i, a := range s.advertisements {
			if slices.Contains(a.peers, p) {
				heard[i] = true
				key = binary.AppendUvarint(key, uint64(i)) //nolint:gosec // an index
			}
		}
		routes, known := shared[string(key)]
		if !known {
			routes = classes.routes(matched, heard)
			shared[string(key)] = routes
		}
		all[p] = routes
	}
	return all
}

// match is an address with the advertisements that are of it.
type match struct {
	address        netip.Addr
	advertisements []int
}

func (s *selection) match(addresses map[netip.Addr]Address) []match {
	matched := make([]match, 0, len(addresses))
	indexes := make([]int, 0, len(addresses))
	for addr, address := range addresses {
		from := len(indexes)
		indexes = s.of(address, indexes)
		if to := len(indexes); to > from {
			matched = append(matched, match{addr, indexes[from:to:to]})
		}
	}
	return matched
}

// routes returns the prefixes of what matched, for a peer that hears these
// advertisements. An aggregate is told while any address in it is.
func (cs *classes) routes(matched []match, heard []bool) []bgp.Route {
	prefixes := make(map[netip.Prefix]class, len(matched))
	for _, m := range matched {
		for _, i := range m.advertisements {
			if !heard[i] {
				continue
			}
			prefix := cs.advertisements[i].prefix(m.address)
			before, told := prefixes[prefix]
			if !told {
				before = none
			}
			prefixes[prefix] = cs.add(before, i)
		}
	}
	routes := make([]bgp.Route, 0, len(prefixes))
	for prefix, c := range prefixes {
		routes = append(routes, bgp.Route{Prefix: prefix, Attributes: cs.attributes[c]})
	}
	slices.SortFunc(routes, func(a, b bgp.Route) int {
		return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
	return routes
}
