package plane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
)

// Plane is a lab with three control planes behind a VIP.
type Plane struct {
	*lab.Cluster
	VIP netip.Addr
}

// Parameters are those of such a lab, with as little else as may be.
func Parameters(elector string) lab.Parameters {
	p := lab.Defaults()
	p.Nodes, p.ControlPlanes, p.VIP, p.Elector, p.Deploy = 1, 3, "auto", elector, ""
	return p
}

// Up brings one up, in the place of the lab that is.
func Up(ctx context.Context, parameters lab.Parameters, progress io.Writer) (*Plane, error) {
	if err := lab.Down(ctx); err != nil {
		return nil, err
	}
	cluster, err := lab.Up(ctx, parameters, func(line lab.Progress) {
		fmt.Fprintf(progress, "%5.1f s  %s\n", line.Elapsed.Seconds(), line.Text)
	})
	if err != nil {
		return nil, err
	}
	return &Plane{Cluster: cluster, VIP: cluster.VIPs()[0]}, nil
}

// URL is where the VIP's clients ask, such as for /readyz.
func (p *Plane) URL(path string) string {
	port := uint16(6443)
	if p.Parameters().Elector == lab.Keepalived {
		port = lab.HAProxyPort
	}
	return "https://" + netip.AddrPortFrom(p.VIP, port).String() + path
}

// The processes of a control plane that tests harm.
const (
	APIServer    = "kube-apiserver"
	Etcd         = "etcd"
	Announcer    = "herald-announcer"
	ControlPlane = "herald-controlplane"
)

// Processes returns the components of a host that run, and those that have ended.
func (p *Plane) Processes(ctx context.Context, host lab.Host) (running, ended []string, err error) {
	status, err := p.Status(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, process := range status.Processes {
		switch {
		case process.Host != host.Name:
		case process.Exit == "":
			running = append(running, process.Component)
		default:
			ended = append(ended, process.Component)
		}
	}
	return running, ended, nil
}

// StartEnded starts the components of a host that have ended.
func (p *Plane) StartEnded(ctx context.Context, host lab.Host) error {
	_, ended, err := p.Processes(ctx, host)
	for _, component := range ended {
		err = errors.Join(err, host.Start(ctx, component))
	}
	return err
}

// Ended waits until a component of a host has ended.
func (p *Plane) Ended(ctx context.Context, host lab.Host, component string) error {
	return Await(ctx, func() (bool, error) {
		_, ended, err := p.Processes(ctx, host)
		return slices.Contains(ended, component), err
	})
}

// Holds reports whether a host has a VIP on an interface.
func (p *Plane) Holds(ctx context.Context, host lab.Host) (bool, error) {
	output, err := host.Run(ctx, "ip", "-json", "address", "show")
	if err != nil {
		return false, err
	}
	var links []struct {
		Name      string `json:"ifname"`
		Addresses []struct {
			Local string `json:"local"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(output, &links); err != nil {
		return false, fmt.Errorf("%s: addresses: %w", host.Name, err)
	}
	for _, link := range links {
		if link.Name == "lo" { // where it lingers, for the connections that it had
			continue
		}
		for _, address := range link.Addresses {
			for _, vip := range p.VIPs() {
				if address.Local == vip.String() {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// Holders returns the hosts that have a VIP on an interface.
func (p *Plane) Holders(ctx context.Context) (all []lab.Host, err error) {
	for _, host := range p.ControlPlanes() {
		holds, err := p.Holds(ctx, host)
		if err != nil {
			return nil, err
		}
		if holds {
			all = append(all, host)
		}
	}
	return all, nil
}

// lookAgain is the time between looks at what nobody tells of.
const lookAgain = 20 * time.Millisecond

// Holder waits until one host alone holds the VIPs, and returns it; not are those that it
// must not be.
func (p *Plane) Holder(ctx context.Context, not ...string) (lab.Host, error) {
	var holders []lab.Host
	err := Await(ctx, func() (is bool, err error) {
		holders, err = p.Holders(ctx)
		if err != nil || len(holders) != 1 {
			return false, err
		}
		return !slices.Contains(not, holders[0].Name), nil
	})
	if err != nil {
		return lab.Host{}, fmt.Errorf("one holder of %v, other than %v; they were %v: %w", p.VIPs(), not, names(holders), err)
	}
	return holders[0], nil
}

func names(hosts []lab.Host) (all []string) {
	for _, host := range hosts {
		all = append(all, host.Name)
	}
	return all
}

// Await looks until it is so, or ctx ends.
func Await(ctx context.Context, is func() (bool, error)) error {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		ok, err := is()
		if ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Ready waits until the API servers of all hosts are ready.
func (p *Plane) Ready(ctx context.Context) error {
	for _, host := range p.ControlPlanes() {
		err := Await(ctx, func() (bool, error) {
			_, err := host.Run(ctx, "curl", "--insecure", "--silent", "--fail", "--max-time", "2", "https://127.0.0.1:6443/readyz")
			return err == nil, nil
		})
		if err != nil {
			return fmt.Errorf("the API server of %s: %w", host.Name, err)
		}
	}
	return nil
}

// Stop has processes of a host hang, Continue go on.
func (p *Plane) Stop(ctx context.Context, host lab.Host, components ...string) error {
	return signal(ctx, host, syscall.SIGSTOP, components)
}

// Continue has processes of a host go on.
func (p *Plane) Continue(ctx context.Context, host lab.Host, components ...string) error {
	return signal(ctx, host, syscall.SIGCONT, components)
}

// Start starts a process of a host again that was told to end, once it has ended.
func Start(ctx context.Context, host lab.Host, component string) error {
	var failed error
	err := Await(ctx, func() (bool, error) {
		failed = host.Start(ctx, component)
		return failed == nil, nil
	})
	if err != nil {
		return errors.Join(err, failed)
	}
	return nil
}

func signal(ctx context.Context, host lab.Host, s syscall.Signal, components []string) error {
	for _, component := range components {
		if err := host.Signal(ctx, component, s); err != nil {
			return err
		}
	}
	return nil
}

// Cut keeps a host and the other control planes from each other; clients still reach it.
func (p *Plane) Cut(ctx context.Context, host lab.Host) error {
	var rules []string
	for _, other := range p.ControlPlanes() {
		if other.Name != host.Name {
			rules = append(rules,
				fmt.Sprintf("iifname %q oifname %q drop", host.Name, other.Name),
				fmt.Sprintf("iifname %q oifname %q drop", other.Name, host.Name))
		}
	}
	return p.Drop(ctx, rules...)
}

// Heal ends Cut.
func (p *Plane) Heal(ctx context.Context) error { return p.Drop(ctx) }
