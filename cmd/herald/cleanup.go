package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/balancer"
)

// newCleanupCommand returns a command for a node that leaves, when no announcer runs on it
// any more.
func newCleanupCommand() *cobra.Command {
	var vips []string
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Take what Herald left off this host: the control plane's address, its load balancer",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var addrs []netip.Addr
			for _, text := range vips {
				addr, err := netip.ParseAddr(text)
				if err != nil {
					return fmt.Errorf("--vip %q: an IP address", text)
				}
				addrs = append(addrs, addr)
			}
			return cleanUp(cmd.OutOrStdout(), addrs)
		},
	}
	cmd.Flags().StringSliceVar(&vips, "vip", nil, "take only these addresses off, of those that Herald put there; repeatable")
	return cmd
}

// cleanUp does all it can, and says what it did.
func cleanUp(out io.Writer, vips []netip.Addr) error {
	permitted := address.Permitted()
	if permitted != nil {
		return permitted
	}
	swept, err := address.Sweep(vips...)
	for _, a := range swept {
		fmt.Fprintf(out, "%s: off interface %d\n", a.Prefix.Addr(), a.Index)
	}
	was, failed := balancer.Sweep()
	if was && failed == nil {
		fmt.Fprintln(out, "nftables table inet", balancer.Table+": removed")
	}
	if len(swept) == 0 && !was && err == nil && failed == nil {
		fmt.Fprintln(out, "nothing of Herald's is on this host")
	}
	return errors.Join(err, failed)
}
