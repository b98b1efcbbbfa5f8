package main

import (
	"path/filepath"
	"time"

	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/peers"
	"github.com/heraldlb/herald/e2e/bench/site"
)

// The implementations that can be measured.
const (
	herald         = "herald"
	heraldFast     = "herald-fast"
	keepalived     = "keepalived"
	keepalivedFast = "keepalived-fast"
	metalLB        = "metallb"
)

const metalTitle = "MetalLB"

func systems() []string { return []string{herald, heraldFast, keepalived, keepalivedFast, metalLB} }

// system returns an implementation by its name, and what figures call it.
func system(s *site.Site, name string) (string, failover.System) {
	switch name {
	case heraldFast:
		return failover.HeraldFast, failover.NewHerald(s, true)
	case keepalived:
		return "keepalived 1 s", peers.NewKeepalived(s, time.Second, s.Spare.V4.From, s.Spare.V6.From)
	case keepalivedFast:
		return "keepalived 10 ms", peers.NewKeepalived(s, 10*time.Millisecond, s.Spare.V4.From.Next(), s.Spare.V6.From.Next())
	case metalLB:
		return metalTitle, metallb(s)
	default:
		return failover.HeraldDefault, failover.NewHerald(s, false)
	}
}

// metallb has the spare addresses but for the first few.
func metallb(s *site.Site) *peers.MetalLB {
	const others = 16
	v4, v6 := s.Spare.V4, s.Spare.V6
	for range others {
		v4.From, v6.From = v4.From.Next(), v6.From.Next()
	}
	return peers.NewMetalLB(s, metalPrograms(s), v4.String(), v6.String())
}

func metalPrograms(s *site.Site) peers.Programs {
	folder := filepath.Dir(s.Program)
	return peers.Programs{
		Controller: filepath.Join(folder, "metallb-controller"),
		Speaker:    filepath.Join(folder, "metallb-speaker"),
		CRDs:       filepath.Join(folder, "metallb-crds.yaml"),
	}
}
