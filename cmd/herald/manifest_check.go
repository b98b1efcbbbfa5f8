package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/election/lease"
	"github.com/heraldlb/herald/election/raft"
	"github.com/heraldlb/herald/manifest"
)

// checkSettings refuses what the programs would refuse, one start after the other, on
// each node that has the manifest.
func checkSettings(o *manifest.Options) error {
	if err := checkBGP(o.BGP); err != nil {
		return err
	}
	if !o.ControlPlane {
		return nil
	}
	if _, _, err := address.ParseVIPs(o.VIP.Addresses); err != nil {
		return fmt.Errorf("--vip, --address: %w", err)
	}
	if err := checkHealth(o.VIP.Health); err != nil {
		return err
	}
	for _, text := range o.VIP.Backends {
		_, err := netip.ParseAddrPort(text)
		if _, bare := netip.ParseAddr(text); err != nil && bare != nil {
			return fmt.Errorf("--lb-backend %q: ADDRESS or ADDRESS:PORT", text)
		}
	}
	switch o.VIP.Elector {
	case manifest.ElectorRaft:
		if _, err := raft.ParsePeers(o.Raft.Peers); err != nil {
			return fmt.Errorf("--raft-peers: %w", err)
		}
	case manifest.ElectorLease:
		election := lease.Options{
			Identity: "a node", Namespace: cmp.Or(o.Namespace, lease.DefaultNamespace), Name: cmp.Or(o.Lease.Name, lease.DefaultName),
			Duration:      cmp.Or(o.Lease.Duration, lease.DefaultDuration),
			RenewDeadline: cmp.Or(o.Lease.RenewDeadline, lease.DefaultRenewDeadline),
			RetryPeriod:   cmp.Or(o.Lease.RetryPeriod, lease.DefaultRetryPeriod),
		}
		if err := election.Check(); err != nil {
			return fmt.Errorf("--leaseDuration, --leaseRenewDuration, --leaseRetry: %w", err)
		}
	}
	return nil
}

// checkBGP names environment variables, those of flags too.
func checkBGP(environment []manifest.Variable) error {
	_, err := bgp.FromKubeVIP(func(name string) (string, bool) {
		at := slices.IndexFunc(environment, func(v manifest.Variable) bool { return v.Name == name })
		if at < 0 {
			return "", false
		}
		return environment[at].Value, true
	})
	if err != nil {
		return fmt.Errorf("--bgp: %w", err)
	}
	return nil
}

func checkHealth(h manifest.Health) error {
	asked := health.Flags{Options: health.Options{
		URL: h.URL, CA: cmp.Or(h.CA, health.DefaultCA), Certificate: h.Certificate, Key: h.Key,
		Period: cmp.Or(h.Period, health.DefaultPeriod), Timeout: cmp.Or(h.Timeout, health.DefaultTimeout),
		Failures: cmp.Or(h.Failures, health.DefaultFailures), Successes: health.DefaultSuccesses,
	}}
	asked.Options = asked.Of(1)
	if err := asked.Check(); err != nil {
		return fmt.Errorf("health of the API server: %w", err)
	}
	return nil
}
