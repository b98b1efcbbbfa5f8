package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/heraldlb/herald/config/bgp"
)

// bgpReport is what bgp.yaml says.
type bgpReport struct {
	LocalASN       uint32                `json:"localASN"`
	RouterID       string                `json:"routerID,omitempty"` // of all nodes
	Peers          []peerReport          `json:"peers"`
	Advertisements []advertisementReport `json:"advertisements"`
}

type peerReport struct {
	Name            string `json:"name"`
	Router          string `json:"router"` // ADDRESS:PORT or an interface
	ASN             uint32 `json:"asn"`
	LocalASN        uint32 `json:"localASN"`
	Internal        bool   `json:"internal"` // iBGP
	Multihop        uint8  `json:"multihop,omitempty"`
	PasswordKey     string `json:"passwordKey,omitempty"`
	HoldTime        string `json:"holdTime"`
	KeepaliveTime   string `json:"keepaliveTime"`
	BFD             string `json:"bfd,omitempty"` // INTERVAL × MULTIPLIER
	GracefulRestart string `json:"gracefulRestart"`
	SourceAddress   string `json:"sourceAddress,omitempty"`
	Nodes           string `json:"nodes,omitempty"`
}

// advertisementReport has nothing for what is not narrowed down.
type advertisementReport struct {
	Name       string   `json:"name"`
	Pools      []string `json:"pools,omitempty"`
	Services   string   `json:"services,omitempty"`
	Nodes      string   `json:"nodes,omitempty"`
	Peers      []string `json:"peers,omitempty"`
	Prefixes   []string `json:"prefixes"`
	Attributes []string `json:"attributes,omitempty"`
}

// newBGPReport returns nil where there is no BGP.
func newBGPReport(c *bgp.Config) *bgpReport {
	if c == nil {
		return nil
	}
	r := &bgpReport{LocalASN: c.LocalASN, Peers: []peerReport{}, Advertisements: []advertisementReport{}}
	if c.RouterID.IsValid() {
		r.RouterID = c.RouterID.String()
	}
	for _, peer := range c.Peers {
		r.Peers = append(r.Peers, newPeerReport(peer, c.LocalASN))
	}
	for _, a := range c.Advertisements {
		r.Advertisements = append(r.Advertisements, advertisementReport{
			Name:       a.Name,
			Pools:      a.Pools,
			Services:   a.Services.String(),
			Nodes:      a.Nodes.String(),
			Peers:      a.Peers,
			Prefixes:   []string{fmt.Sprintf("/%d", a.AggregationLength4), fmt.Sprintf("/%d", a.AggregationLength6)},
			Attributes: attributesText(a.Attributes),
		})
	}
	return r
}

func newPeerReport(peer bgp.Peer, localASN uint32) peerReport {
	r := peerReport{
		Name:            peer.Name,
		Router:          peer.Interface,
		ASN:             peer.ASN,
		LocalASN:        peer.Local(localASN),
		Internal:        peer.ASN == peer.Local(localASN),
		Multihop:        peer.Multihop,
		PasswordKey:     peer.PasswordKey,
		HoldTime:        fmt.Sprintf("%gs", peer.HoldTime.Seconds()),
		KeepaliveTime:   fmt.Sprintf("%gs", peer.KeepaliveTime.Seconds()),
		GracefulRestart: fmt.Sprintf("%gs", peer.GracefulRestart.Seconds()),
		Nodes:           peer.Nodes.String(),
	}
	if peer.Address.IsValid() {
		r.Router = peer.Address.String()
		if peer.Port != bgp.DefaultPort {
			r.Router += fmt.Sprintf(" port %d", peer.Port)
		}
	}
	if peer.BFD != nil {
		r.BFD = fmt.Sprintf("%s × %d", peer.BFD.Interval, peer.BFD.Multiplier)
	}
	if peer.SourceAddress.IsValid() {
		r.SourceAddress = peer.SourceAddress.String()
	}
	return r
}

// attributesText names the attributes that are set.
func attributesText(a bgp.Attributes) []string {
	var text []string
	for _, c := range a.Communities {
		text = append(text, "community "+bgp.FormatCommunity(c))
	}
	for _, c := range a.LargeCommunities {
		text = append(text, "community "+c.String())
	}
	if a.LocalPreference != nil {
		text = append(text, fmt.Sprintf("local preference %d", *a.LocalPreference))
	}
	if a.MED != nil {
		text = append(text, fmt.Sprintf("MED %d", *a.MED))
	}
	if a.Prepend > 0 {
		text = append(text, fmt.Sprintf("AS path +%d", a.Prepend))
	}
	return text
}

// write writes a table of the peers and one of what they are told.
func (r *bgpReport) write(text *bytes.Buffer) {
	table := tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\nPEER\tROUTER\tAS\tLOCAL AS\tHOLD\tBFD\tRESTART\tNODES")
	for _, peer := range r.Peers {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", peer.Name, peer.Router, peer.ASN, peer.LocalASN,
			peer.HoldTime, cmp.Or(peer.BFD, "-"), peer.GracefulRestart, cmp.Or(peer.Nodes, "all"))
	}
	_ = table.Flush() // to memory
	if r.RouterID == "" {
		text.WriteString("\nEach node's router ID is its IPv4 address.\n")
	} else {
		fmt.Fprintf(text, "\nAll nodes' router ID is %s.\n", r.RouterID)
	}
	if len(r.Advertisements) == 0 {
		text.WriteString("Every peer is told every address, as it is.\n")
		return
	}
	table = tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\nADVERTISEMENT\tPOOLS\tSERVICES\tNODES\tPEERS\tPREFIXES\tATTRIBUTES")
	for _, a := range r.Advertisements {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, orAll(a.Pools), cmp.Or(a.Services, "all"), cmp.Or(a.Nodes, "all"),
			orAll(a.Peers), strings.Join(a.Prefixes, " "), cmp.Or(strings.Join(a.Attributes, ", "), "-"))
	}
	_ = table.Flush() // to memory
}

func orAll(names []string) string { return cmp.Or(strings.Join(names, ", "), "all") }
