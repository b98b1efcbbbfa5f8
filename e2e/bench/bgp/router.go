package bgp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/router"
)

const (
	// BFDInterval is the time between two packets of BFD, from either end.
	BFDInterval = 50 * time.Millisecond
	// BFDMultiplier is how many are missed until the path counts as dead.
	BFDMultiplier = 3
	// calm is how long all has to be as it should before something is harmed.
	calm = 2 * time.Second
	// patience is how long that may take.
	patience = 2 * time.Minute
)

// Router is FRR on the site's router.
type Router struct {
	frr  *router.FRR
	site *site.Site
	bfd  bool
}

// StartRouter starts it, with sessions with all nodes over IPv4 for both families; with
// bfd it watches them.
func StartRouter(ctx context.Context, s *site.Site, bfd bool) (*Router, error) {
	var neighbors []router.Neighbor
	for _, node := range s.Nodes {
		neighbors = append(neighbors, router.Neighbor{Name: node, Address: s.Cluster.Host(node).Addresses[0]})
	}
	r := &Router{site: s, bfd: bfd}
	if err := r.spread(ctx, 1); err != nil {
		return nil, err
	}
	var err error
	r.frr, err = router.NewFRR(ctx, apart{s}, s.Router, configuration(r.Address(), neighbors, bfd), neighbors)
	return r, err
}

// Address is where nodes find it.
func (r *Router) Address() netip.Addr { return r.site.Cluster.Host(r.site.Router).Addresses[0] }

// Stop ends it.
func (r *Router) Stop(ctx context.Context) error {
	return errors.Join(r.frr.Stop(ctx), r.spread(ctx, 0))
}

// spread has the kernel choose among next hops for each connection (1), or for each
// client (0).
func (r *Router) spread(ctx context.Context, policy int) error {
	for _, family := range []string{"ipv4", "ipv6"} {
		file := fmt.Sprintf("/proc/sys/net/%s/fib_multipath_hash_policy", family)
		if _, err := r.site.Run(ctx, r.site.Router, "sh", "-c", fmt.Sprintf("echo %d >%s", policy, file)); err != nil {
			return err
		}
	}
	return nil
}

// apart runs the router's programs as on a machine of their own, as far as that goes:
// bfdd in real time, or it would miss nodes that are there; the others before what has
// no real time.
type apart struct{ *site.Site }

// Command implements daemon.Hosts.
func (a apart) Command(ctx context.Context, host string, args ...string) *exec.Cmd {
	program := func(name string) bool {
		return slices.ContainsFunc(args, func(arg string) bool { return strings.HasSuffix(arg, "/frr/"+name) })
	}
	switch {
	case program("bfdd"):
		return a.Cluster.Host(host).Prompt(ctx, args...)
	case program("bgpd") || program("zebra"):
		return a.Hosts.Command(ctx, host, append([]string{"nice", "-n", "-19"}, args...)...)
	default:
		return a.Hosts.Command(ctx, host, args...)
	}
}

func configuration(id netip.Addr, neighbors []router.Neighbor, bfd bool) string {
	var text strings.Builder
	if bfd {
		fmt.Fprintf(&text, "bfd\n profile fast\n  detect-multiplier %d\n  receive-interval %d\n  transmit-interval %[2]d\n exit\n!\n",
			BFDMultiplier, BFDInterval.Milliseconds())
	}
	fmt.Fprintf(&text, `router bgp %d
 bgp router-id %s
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
 neighbor nodes peer-group
 neighbor nodes remote-as %d
 neighbor nodes passive
`, RouterAS, id, NodesAS)
	if bfd {
		text.WriteString(" neighbor nodes bfd\n neighbor nodes bfd profile fast\n")
	}
	for _, neighbor := range neighbors {
		fmt.Fprintf(&text, " neighbor %s peer-group nodes\n", neighbor.Address)
	}
	for _, family := range []int{4, 6} {
		fmt.Fprintf(&text, " address-family ipv%d unicast\n  neighbor nodes activate\n  maximum-paths 8\n exit-address-family\n", family)
	}
	return text.String()
}

// Routed waits until the kernel sends packets to each address by all nodes, and that has
// been so for a while.
func (r *Router) Routed(ctx context.Context, addresses []netip.Addr) error {
	return r.steady(ctx, "routes by all nodes", func() (bool, error) { return r.routed(ctx, addresses) })
}

// Watched waits until nodes and router see each other by BFD beside that.
func (r *Router) Watched(ctx context.Context, addresses []netip.Addr) error {
	return r.steady(ctx, "routes by all nodes, and BFD with them", func() (bool, error) {
		routed, err := r.routed(ctx, addresses)
		if !routed || err != nil {
			return false, err
		}
		states, err := r.frr.BFD(ctx)
		up := 0
		for _, state := range states {
			if state == "up" {
				up++
			}
		}
		return up == len(r.site.Nodes), err
	})
}

func (r *Router) steady(ctx context.Context, what string, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	since := time.Now()
	return until(ctx, 100*time.Millisecond, what, func() (bool, error) {
		yes, err := so()
		if !yes {
			since = time.Now()
		}
		return yes && time.Since(since) > calm, err
	})
}

func (r *Router) routed(ctx context.Context, addresses []netip.Addr) (bool, error) {
	for _, address := range addresses {
		hops, err := router.NextHops(ctx, r.site.Hosts, r.site.Router, netip.PrefixFrom(address, address.BitLen()))
		if len(hops) != len(r.site.Nodes) || err != nil {
			return false, err
		}
	}
	return true, nil
}
