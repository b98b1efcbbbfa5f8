package topology

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Build makes the planned network. The caller's own network namespace becomes
// the control-plane host's.
func Build(plan *Plan) (map[string]Namespace, error) {
	namespaces := map[string]Namespace{}
	own, err := AdoptNamespace(ControlPlane)
	if err != nil {
		return nil, err
	}
	namespaces[ControlPlane] = own
	for _, name := range append([]string{Switch}, hostNames(plan)...) {
		if name == ControlPlane {
			continue
		}
		if namespaces[name], err = NewNamespace(name); err != nil {
			return nil, err
		}
	}
	// Before the links: a new link takes over its namespace's defaults.
	for _, host := range plan.Hosts {
		if err := namespaces[host.Name].Do(func() error { return sysctls(host.Forward) }); err != nil {
			return nil, fmt.Errorf("host %s: %w", host.Name, err)
		}
	}
	if err := namespaces[Switch].Do(func() error { return buildSwitch(plan, namespaces) }); err != nil {
		return nil, fmt.Errorf("switch: %w", err)
	}
	for _, host := range plan.Hosts {
		if err := namespaces[host.Name].Do(host.Configure); err != nil {
			return nil, fmt.Errorf("host %s: %w", host.Name, err)
		}
	}
	return namespaces, nil
}

func hostNames(plan *Plan) []string {
	var names []string
	for _, host := range plan.Hosts {
		names = append(names, host.Name)
	}
	return names
}

// buildSwitch makes the bridges, and for each host's link a veth pair with one
// end here and the other in the host's namespace.
func buildSwitch(plan *Plan, namespaces map[string]Namespace) error {
	bridges := map[string]*netlink.Bridge{}
	for _, host := range plan.Hosts {
		for _, link := range host.Links {
			bridge := bridges[link.Bridge]
			if bridge == nil {
				bridge = &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: link.Bridge}}
				if err := errors.Join(netlink.LinkAdd(bridge), netlink.LinkSetUp(bridge)); err != nil {
					return fmt.Errorf("bridge %s: %w", link.Bridge, err)
				}
				bridges[link.Bridge] = bridge
			}
			if err := plug(bridge, link, namespaces[host.Name]); err != nil {
				return fmt.Errorf("port %s: %w", link.Port, err)
			}
		}
	}
	return nil
}

func plug(bridge *netlink.Bridge, link Link, into Namespace) error {
	veth := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Name: link.Port, MasterIndex: bridge.Index},
		PeerName:         link.Name,
		PeerNamespace:    netlink.NsFd(int(into.handle)),
		PeerHardwareAddr: link.MAC,
	}
	return errors.Join(netlink.LinkAdd(veth), netlink.LinkSetUp(veth))
}

// Configure sets the host's links up, with their addresses and routes, from
// inside its namespace. What is there already stays.
func (h Host) Configure() error {
	if err := SetUp("lo"); err != nil {
		return err
	}
	for _, link := range h.Links {
		for _, prefix := range link.Addresses {
			if err := AddAddress(link.Name, prefix); err != nil {
				return err
			}
		}
		if err := SetUp(link.Name); err != nil {
			return err
		}
	}
	for _, gateway := range h.Gateways {
		if err := AddRoute(netip.PrefixFrom(Unspecified(gateway), 0), gateway, ""); err != nil {
			return err
		}
	}
	return nil
}

// PodDefaults sets the sysctls of a Pod's namespace, from inside.
func PodDefaults() error { return sysctls(false) }

// The thresholds of the neighbour tables (gc_thresh3) are not among them: the
// kernel has one set for all namespaces, and shows it in the first alone.
func sysctls(forward bool) error {
	settings := map[string]string{
		// Addresses are usable at once: nobody else hands any out in here.
		"ipv6/conf/all/accept_dad":     "0",
		"ipv6/conf/default/accept_dad": "0",
		"ipv6/conf/all/accept_ra":      "0",
		"ipv6/conf/default/accept_ra":  "0",
		"ipv4/conf/all/rp_filter":      "0",
		"ipv4/conf/default/rp_filter":  "0",
	}
	if forward {
		settings["ipv4/ip_forward"] = "1"
		settings["ipv6/conf/all/forwarding"] = "1"
	}
	for name, value := range settings {
		if err := os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0); err != nil {
			return fmt.Errorf("sysctl net/%s=%s: %w", name, value, err)
		}
	}
	return nil
}

func bindMount(source, target string) error {
	return unix.Mount(source, target, "", unix.MS_BIND, "")
}
