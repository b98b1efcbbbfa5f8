package topology

import (
	"net/netip"
	"testing"
)

// TestPlan: no two hosts share an address, a link-layer address or a port, none
// stands in a pool, and each has the families that were asked for.
func TestPlan(t *testing.T) {
	families := map[Family]int{V4: 1, V6: 1, Dual: 2}
	for family, count := range families {
		for _, nodes := range []int{1, MaxNodes} {
			plan, err := NewPlan(nodes, 3, family)
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Nodes) != nodes || len(plan.Pools) != count || len(plan.PodCIDRs) != count || len(plan.ServiceCIDRs) != count {
				t.Errorf("%s, %d nodes: %d nodes, %d pools", family, nodes, len(plan.Nodes), len(plan.Pools))
			}
			seen := map[string]string{}
			unique := func(host, what string) {
				if other, ok := seen[what]; ok {
					t.Errorf("%s: %s is %s's and %s's", family, what, other, host)
				}
				seen[what] = host
			}
			for _, vip := range plan.VIPs() {
				unique("the VIP", vip.String())
				checkOutside(t, plan, vip)
			}
			for _, host := range plan.Hosts {
				if len(host.Addresses()) != count {
					t.Errorf("%s: %s has the addresses %v", family, host.Name, host.Addresses())
				}
				for _, link := range host.Links {
					unique(host.Name, link.MAC.String())
					unique(host.Name, link.Port)
					for _, prefix := range link.Addresses {
						unique(host.Name, prefix.Addr().String())
						checkOutside(t, plan, prefix.Addr())
					}
				}
			}
		}
	}
}

func checkOutside(t *testing.T, plan *Plan, address netip.Addr) {
	t.Helper()
	for _, pool := range plan.Pools {
		if pool.Contains(address) {
			t.Errorf("%s is in pool %s", address, pool)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, controlPlanes := range []int{-1, 0, MaxControlPlanes + 1} {
		if _, err := NewPlan(1, controlPlanes, Dual); err == nil {
			t.Errorf("%d control planes were taken", controlPlanes)
		}
	}
	for _, nodes := range []int{-1, 0, MaxNodes + 1} {
		if _, err := NewPlan(nodes, 1, Dual); err == nil {
			t.Errorf("%d nodes were taken", nodes)
		}
	}
	if _, err := NewPlan(1, 1, "v5"); err == nil {
		t.Error("family v5 was taken")
	}
}

func TestHost(t *testing.T) {
	plan, err := NewPlan(2, 1, Dual)
	if err != nil {
		t.Fatal(err)
	}
	node, ok := plan.Host("node2")
	want := []netip.Addr{netip.MustParseAddr("192.168.100.22"), netip.MustParseAddr("fd00:100::22")}
	if !ok || len(node.Addresses()) != 2 || node.Addresses()[0] != want[0] || node.Addresses()[1] != want[1] {
		t.Errorf("node2: %v, want %v", node.Addresses(), want)
	}
	if !plan.IsNode("node2") || plan.IsNode(Client) {
		t.Error("node2 is a node, the client is not")
	}
	if _, ok := plan.Host("node3"); ok {
		t.Error("there is no node3")
	}
}
