package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/balancer"
	"github.com/heraldlb/herald/controlplane/handover"
)

// cleanup says what of Herald's is to go.
type cleanup struct {
	vips       []string
	interfaces []string
}

// newCleanupCommand returns a command for a node that leaves, when no announcer runs on it
// any more.
func newCleanupCommand() *cobra.Command {
	var c cleanup
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Take what Herald left off this host: the control plane's address, its load balancer",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			meant, err := c.meant()
			if err != nil {
				return err
			}
			return cleanUp(cmd.OutOrStdout(), meant)
		},
	}
	cmd.Flags().StringSliceVar(&c.vips, "vip", nil, "take only these addresses off, of those that Herald put there; repeatable")
	cmd.Flags().StringSliceVar(&c.interfaces, "interface", nil, "take addresses off these interfaces only; repeatable")
	return cmd
}

// meant returns what tells the addresses that are to go, or an error that names a flag.
func (c *cleanup) meant() (func(address.Assigned) bool, error) {
	var vips []netip.Addr
	for _, text := range c.vips {
		vip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("--vip %q: an IP address", text)
		}
		vips = append(vips, vip)
	}
	var on []int
	for _, name := range c.interfaces {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return nil, fmt.Errorf("--interface %q: there is none of that name", name)
		}
		on = append(on, i.Index)
	}
	return func(a address.Assigned) bool {
		return (vips == nil || slices.Contains(vips, a.Prefix.Addr())) && (on == nil || slices.Contains(on, a.Index))
	}, nil
}

// cleanUp does all it can, and says what it did.
func cleanUp(out io.Writer, meant func(address.Assigned) bool) error {
	if err := address.Permitted(); err != nil {
		return err
	}
	swept, err := address.Sweep(meant)
	for _, a := range swept {
		fmt.Fprintf(out, "%s: off %s\n", a.Prefix.Addr(), address.Name(a.Index))
	}
	was, failed := balancer.Sweep()
	if was && failed == nil {
		fmt.Fprintln(out, "nftables table inet", balancer.Table+": removed")
	}
	passed, unpassed := handover.Sweep()
	if passed && unpassed == nil {
		fmt.Fprintln(out, "nftables tables ip, ip6, arp", handover.Table+": removed")
	}
	failed = errors.Join(failed, unpassed)
	if len(swept) == 0 && !was && !passed && err == nil && failed == nil {
		fmt.Fprintln(out, "nothing of Herald's is on this host")
	}
	return errors.Join(err, failed)
}
