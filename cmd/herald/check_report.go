package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/configmap"
)

// report is what herald check found, as programs read it.
type report struct {
	File   string        `json:"file"`
	Valid  bool          `json:"valid"`
	Faults []faultReport `json:"faults"`
	// Order and Pools are only there if the ConfigMap is valid.
	Order string       `json:"searchOrder,omitempty"`
	Pools []poolReport `json:"pools,omitempty"`
	// BGP is only there with bgp.yaml.
	BGP *bgpReport `json:"bgp,omitempty"`
}

type faultReport struct {
	Line int `json:"line"`
	config.Fault
}

// poolReport is what one scope has to hand out.
type poolReport struct {
	Scope     string         `json:"scope"`
	Share     bool           `json:"share"`
	Announce  string         `json:"announce"`
	Interface string         `json:"interface,omitempty"`
	Families  []familyReport `json:"families"`
}

type familyReport struct {
	Family string   `json:"family"`
	Size   string   `json:"size"` // a number beyond what JSON readers keep exact
	Ranges []string `json:"ranges"`
}

// newReport lists the faults as they stand in the file.
func newReport(file string, from *configmap.ConfigMap, parsed *config.Config, faults config.Faults) report {
	r := report{File: file, Valid: faults.Err() == nil, Faults: []faultReport{}}
	for _, fault := range faults {
		line := from.Lines[fault.Key]
		if begin, ok := from.Blocks[fault.Key]; ok && fault.Line > 0 {
			line = begin + fault.Line - 1
		}
		r.Faults = append(r.Faults, faultReport{Line: line, Fault: fault})
	}
	slices.SortStableFunc(r.Faults, func(a, b faultReport) int { return cmp.Compare(a.Line, b.Line) })
	if r.Valid {
		r.Order = parsed.Order.String()
		for _, pool := range parsed.Pools {
			r.Pools = append(r.Pools, newPoolReport(pool))
		}
		r.BGP = newBGPReport(parsed.BGP)
	}
	return r
}

func newPoolReport(pool config.Pool) poolReport {
	r := poolReport{Scope: pool.Scope, Share: pool.Share, Announce: pool.Announce.String(), Interface: pool.Interface, Families: []familyReport{}}
	var ipv4, ipv6 []string
	for _, addresses := range pool.Addresses.Ranges() {
		if text := config.FormatRange(addresses); addresses.From().Is4() {
			ipv4 = append(ipv4, text)
		} else {
			ipv6 = append(ipv6, text)
		}
	}
	size4, size6 := pool.Size()
	r.addFamily("IPv4", size4, ipv4)
	r.addFamily("IPv6", size6, ipv6)
	return r
}

func (r *poolReport) addFamily(family string, size *big.Int, ranges []string) {
	if len(ranges) > 0 {
		r.Families = append(r.Families, familyReport{Family: family, Size: size.String(), Ranges: ranges})
	}
}

// write writes the report in one of the formats of --output.
func (r report) write(w io.Writer, format string) error {
	switch format {
	case outputText:
		return r.writeText(w)
	case outputJSON:
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return fmt.Errorf("--output %q: %s or %s", format, outputText, outputJSON)
}

// The formats of --output.
const (
	outputText = "text"
	outputJSON = "json"
)
