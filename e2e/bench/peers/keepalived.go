// Package peers runs other implementations on the lab, as processes on its
// nodes, for comparison.
package peers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/daemon"
)

// Keepalived is VRRP, by Debian's package.
type Keepalived struct {
	site      *site.Site
	adverts   time.Duration
	addresses []netip.Addr
	daemons   map[string]*daemon.Daemon
}

// NewKeepalived returns keepalived on a site, with so much time between two
// advertisements, and one address of each family that nobody else uses.
func NewKeepalived(s *site.Site, adverts time.Duration, addresses ...netip.Addr) *Keepalived {
	return &Keepalived{site: s, adverts: adverts, addresses: addresses, daemons: map[string]*daemon.Daemon{}}
}

// ErrAbsent says that the machine has no keepalived.
var ErrAbsent = errors.New("keepalived is not installed (apt-get install keepalived)")

// Start implements failover.System.
func (k *Keepalived) Start(ctx context.Context) ([]netip.Addr, error) {
	if _, err := exec.LookPath("keepalived"); err != nil {
		return nil, ErrAbsent
	}
	if err := k.site.Serve(ctx, k.service(), k.addresses...); err != nil {
		return nil, err
	}
	for i, node := range k.site.Nodes {
		if err := k.configure(ctx, node, i); err != nil {
			return nil, err
		}
		if err := k.run(ctx, node); err != nil {
			return nil, err
		}
	}
	return k.addresses, nil
}

func (k *Keepalived) service() string { return fmt.Sprintf("keepalived-%d", k.adverts.Milliseconds()) }

func (k *Keepalived) file(node, suffix string) string {
	return fmt.Sprintf("/run/%s-%s.%s", k.service(), node, suffix)
}

func (k *Keepalived) configure(ctx context.Context, node string, rank int) error {
	cmd := k.site.Hosts.Command(ctx, node, "sh", "-c", "cat >"+k.file(node, "conf"))
	cmd.Stdin = strings.NewReader(k.config(rank))
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("configuration of keepalived on %s: %w: %s", node, err, output)
	}
	return nil
}

// config: version 3 of VRRP has advertisements by the hundredth of a second
// (RFC 5798), and IPv6.
func (k *Keepalived) config(rank int) string {
	var text strings.Builder
	text.WriteString("global_defs {\n vrrp_version 3\n}\n")
	for i, address := range k.addresses {
		fmt.Fprintf(&text, `vrrp_instance v%d {
 state BACKUP
 interface %s
 virtual_router_id %d
 priority %d
 advert_int %.2f
 nopreempt
 virtual_ipaddress {
  %s
 }
}
`, i, k.site.Interface, 50+i, 150-10*rank, k.adverts.Seconds(), address)
	}
	return text.String()
}

// run returns once the node stands by, or is the master, for each address.
func (k *Keepalived) run(ctx context.Context, node string) error {
	running, err := daemon.Start(ctx, k.site.Hosts, node, "keepalived",
		"--dont-fork", "--vrrp", "--log-console", "--use-file="+k.file(node, "conf"),
		"--pid="+k.file(node, "pid"), "--vrrp_pid="+k.file(node, "vrrp.pid"))
	if err != nil {
		return err
	}
	k.daemons[node] = running
	for i := range k.addresses {
		if err := running.Await(ctx, 0, fmt.Sprintf("(v%d) Entering", i), "STATE"); err != nil {
			return err
		}
	}
	return nil
}

// Processes implements failover.System: the process that was started, and the
// one that it started.
func (k *Keepalived) Processes(ctx context.Context, node string) ([]int, error) {
	text, err := k.site.Run(ctx, node, "cat", k.file(node, "vrrp.pid"))
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return []int{k.daemons[node].PID, pid}, err
}

// Revive implements failover.System. A node that starts has no address left
// from before.
func (k *Keepalived) Revive(ctx context.Context, node string) error {
	k.daemons[node].Wait()
	if err := k.forget(ctx, node); err != nil {
		return err
	}
	if err := k.site.Reconnect(ctx, node); err != nil {
		return err
	}
	return k.run(ctx, node)
}

func (k *Keepalived) forget(ctx context.Context, node string) error {
	for _, address := range k.addresses {
		if _, err := k.site.Run(ctx, node, "ip", "address", "flush", "dev", k.site.Interface, "to", address.String()); err != nil {
			return err
		}
	}
	return nil
}

// Stop implements failover.System.
func (k *Keepalived) Stop(ctx context.Context) error {
	var failed error
	for node, running := range k.daemons {
		err := k.site.Signal(ctx, node, syscall.SIGTERM, running.PID)
		if err == nil {
			running.Wait()
		}
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, k.site.Unexpose(ctx, k.service()))
}
