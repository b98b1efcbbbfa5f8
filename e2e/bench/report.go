package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/heraldlb/herald/e2e/bench/balance"
	"github.com/heraldlb/herald/e2e/bench/bgp"
	"github.com/heraldlb/herald/e2e/bench/controlplane"
	"github.com/heraldlb/herald/e2e/bench/expose"
	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/mass"
	"github.com/heraldlb/herald/e2e/bench/soak"
	"github.com/heraldlb/herald/e2e/bench/steady"
)

// report is what was measured, and what goes to the JSON file.
type report struct {
	Figures   []figure.Figure `json:"figures"`
	Exposures []expose.Run    `json:"exposures,omitempty"`
	Failovers []failover.Run  `json:"failovers,omitempty"`

	Partitions []failover.Partition `json:"partitions,omitempty"`
	Costs      []steady.Measurement `json:"costs,omitempty"`
	Crowds     []mass.Run           `json:"crowds,omitempty"`
	BGPCrashes []bgp.Crash          `json:"bgpCrashes,omitempty"`
	BGPTables  []bgp.Table          `json:"bgpTables,omitempty"`
	Soak       *soak.Result         `json:"soak,omitempty"`
	Balance    *balance.Result      `json:"balance,omitempty"`
	Plane      *controlplane.Result `json:"controlPlane,omitempty"`
}

func (r *report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
