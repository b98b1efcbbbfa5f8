package router

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Show runs a show command, without the word, and decodes the JSON that it prints.
func (f *FRR) Show(ctx context.Context, command string, into any) error {
	output, err := f.vtysh(ctx, "--command", "show "+command+" json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(output, into); err != nil {
		return fmt.Errorf("FRR on %s: show %s: %w: %s", f.host, command, err, output)
	}
	return nil
}

// Text runs a show command, without the word, and returns what it prints for people.
func (f *FRR) Text(ctx context.Context, command string) (string, error) {
	output, err := f.vtysh(ctx, "--command", "show "+command)
	return string(output), err
}

// Sessions returns the sessions by the neighbor's name.
func (f *FRR) Sessions(ctx context.Context) (map[string]Session, error) {
	var neighbors map[string]json.RawMessage
	if err := f.Show(ctx, "bgp neighbors", &neighbors); err != nil {
		return nil, err
	}
	sessions := map[string]Session{}
	for text, raw := range neighbors {
		address, err := netip.ParseAddr(text)
		if err != nil {
			continue // figures of the whole stand among the neighbors
		}
		var neighbor struct {
			State       string `json:"bgpState"`
			Established int    `json:"connectionsEstablished"`
			Reason      string `json:"lastResetDueTo"`
			HoldTime    int64  `json:"bgpTimerHoldTimeMsecs"`
			Families    map[string]struct {
				Routes int `json:"acceptedPrefixCounter"`
			} `json:"addressFamilyInfo"`
		}
		if err := json.Unmarshal(raw, &neighbor); err != nil {
			return nil, fmt.Errorf("FRR's neighbor %s: %w: %s", text, err, raw)
		}
		sessions[f.name(address)] = Session{
			State: neighbor.State, Times: neighbor.Established, Reason: neighbor.Reason,
			HoldTime: time.Duration(neighbor.HoldTime) * time.Millisecond,
			Routes:   map[int]int{4: neighbor.Families["ipv4Unicast"].Routes, 6: neighbor.Families["ipv6Unicast"].Routes},
		}
	}
	return sessions, nil
}

// path is a route in the words of FRR.
type path struct {
	Peer struct {
		ID string `json:"peerId"`
	} `json:"peer"`
	Path struct {
		Segments []struct {
			List []uint32 `json:"list"`
		} `json:"segments"`
	} `json:"aspath"`
	Community struct {
		List []string `json:"list"`
	} `json:"community"`
	LargeCommunity struct {
		Text string `json:"string"`
	} `json:"largeCommunity"`
	MED      *uint32 `json:"metric"`
	Local    uint32  `json:"locPrf"`
	Stale    bool    `json:"stale"`
	Multi    bool    `json:"multipath"`
	BestPath struct {
		Overall bool `json:"overall"`
	} `json:"bestpath"`
	NextHops []struct {
		Address netip.Addr `json:"ip"`
	} `json:"nexthops"`
}

// Routes returns what FRR was told of a prefix, by the neighbor's name.
func (f *FRR) Routes(ctx context.Context, prefix netip.Prefix) (map[string]Route, error) {
	var found struct {
		Paths []path `json:"paths"`
	}
	command := fmt.Sprintf("bgp ipv%d unicast %s", family(prefix.Addr()), prefix)
	if err := f.Show(ctx, command, &found); err != nil {
		return nil, err
	}
	routes := map[string]Route{}
	for _, path := range found.Paths {
		address, err := netip.ParseAddr(path.Peer.ID)
		if err != nil {
			return nil, fmt.Errorf("FRR's path to %s: %w", prefix, err)
		}
		route := Route{
			Prefix: prefix, From: f.name(address), Communities: path.Community.List,
			MED: path.MED, LocalPreference: path.Local, Stale: path.Stale, Best: path.Multi || path.BestPath.Overall,
		}
		if path.LargeCommunity.Text != "" {
			route.LargeCommunities = strings.Fields(path.LargeCommunity.Text)
		}
		for _, segment := range path.Path.Segments {
			route.Path = append(route.Path, segment.List...)
		}
		for _, hop := range path.NextHops {
			route.NextHops = append(route.NextHops, hop.Address)
		}
		routes[route.From] = route
	}
	return routes, nil
}

// Prefixes returns by how many neighbors FRR was told each prefix of a family, 4 or 6.
func (f *FRR) Prefixes(ctx context.Context, family int) (map[netip.Prefix]int, error) {
	var table struct {
		Routes map[netip.Prefix][]json.RawMessage `json:"routes"`
	}
	if err := f.Show(ctx, fmt.Sprintf("bgp ipv%d unicast", family), &table); err != nil {
		return nil, err
	}
	prefixes := map[netip.Prefix]int{}
	for prefix, paths := range table.Routes {
		prefixes[prefix] = len(paths)
	}
	return prefixes, nil
}

// BFD returns the states of FRR's BFD sessions by the neighbor's name.
func (f *FRR) BFD(ctx context.Context) (map[string]string, error) {
	var peers []struct {
		Address netip.Addr `json:"peer"`
		State   string     `json:"status"`
	}
	if err := f.Show(ctx, "bfd peers", &peers); err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, peer := range peers {
		states[f.name(peer.Address)] = peer.State
	}
	return states, nil
}

// Clear ends all sessions; what was told by them is forgotten.
func (f *FRR) Clear(ctx context.Context) error {
	_, err := f.vtysh(ctx, "--command", "clear bgp *")
	return err
}
