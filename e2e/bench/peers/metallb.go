package peers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/bench/steady"
	"github.com/heraldlb/herald/e2e/daemon"
)

// What MetalLB's own manifests call things.
const (
	metalController = "controller"
	metalSpeaker    = "speaker"
	MetalNamespace  = "metallb-system"
	// MetalClass is the class of the Services that are MetalLB's here.
	MetalClass   = "metallb.io/metallb"
	metalService = "metallb"
	// controllerHost is where the controller runs: no fault touches it.
	controllerHost = "cp1"
)

// MetalLB is its controller and speakers, built from its Go
// module. Its processes are no containers: the lab runs no image but Herald's.
// Pods of the same names stand in for them in the API.
type MetalLB struct {
	site     *site.Site
	programs Programs
	pools    []string
	peer     *Peer                     // nil: layer 2 mode
	daemons  map[string]*daemon.Daemon // by node; the controller's by its own name
}

// Programs are the files that MetalLB is made of.
type Programs struct{ Controller, Speaker, CRDs string }

// Peer is a router that speakers talk to.
type Peer struct {
	Address         netip.Addr
	Local, Remote   uint32 // autonomous systems
	HoldTime        time.Duration
	AdvertiseByHand bool // nothing is advertised before Advertise
}

// NewMetalLB returns MetalLB in layer 2 mode on a site, with pools that nobody else uses.
func NewMetalLB(s *site.Site, programs Programs, pools ...string) *MetalLB {
	return &MetalLB{site: s, programs: programs, pools: pools, daemons: map[string]*daemon.Daemon{}}
}

// NewMetalLBByBGP returns MetalLB that speaks BGP itself, which it does for IPv4
// addresses alone, and without BFD.
func NewMetalLBByBGP(s *site.Site, programs Programs, peer Peer, pools ...string) *MetalLB {
	m := NewMetalLB(s, programs, pools...)
	m.peer = &peer
	return m
}

// Start implements failover.System.
func (m *MetalLB) Start(ctx context.Context) ([]netip.Addr, error) {
	if err := m.Install(ctx); err != nil {
		return nil, err
	}
	if m.peer != nil {
		return m.site.ExposeIPv4(ctx, metalService, MetalClass)
	}
	return m.site.Expose(ctx, metalService, MetalClass)
}

// Install starts it without any Service.
func (m *MetalLB) Install(ctx context.Context) error {
	for _, step := range []func() error{
		func() error { return m.kubectl(ctx, "", "apply", "--server-side", "--filename="+m.programs.CRDs) },
		func() error {
			return m.kubectl(ctx, "", "wait", "--for=condition=Established", "--timeout=30s", "--filename="+m.programs.CRDs)
		},
		func() error { return m.kubectl(ctx, m.manifest(), "apply", "--filename=-") },
		func() error {
			// A Pod that runs has its node's address.
			return m.kubectl(ctx, "", "wait", "--for=condition=Ready", "--timeout=30s", "--namespace="+MetalNamespace, "pod", "--all")
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, account := range []string{metalController, metalSpeaker} {
		if err := m.site.WriteKubeconfig(ctx, MetalNamespace, account, m.kubeconfig(account)); err != nil {
			return err
		}
	}
	if err := m.runController(ctx); err != nil {
		return err
	}
	for _, node := range m.site.Nodes {
		if err := m.runSpeaker(ctx, node); err != nil {
			return err
		}
	}
	for node, running := range m.daemons {
		for _, other := range m.site.Others(node) {
			if node == metalController {
				break
			}
			if err := running.Await(ctx, 0, joined(other)...); err != nil {
				return err
			}
		}
	}
	return nil
}

func joined(node string) []string {
	return []string{`"node event":"NodeJoin"`, fmt.Sprintf(`"node name":%q`, node)}
}

func (m *MetalLB) kubeconfig(account string) string { return "/run/metallb-" + account + ".kubeconfig" }

func (m *MetalLB) runController(ctx context.Context) (err error) {
	m.daemons[metalController], err = daemon.Start(ctx, m.site.Hosts, controllerHost, "env",
		"KUBECONFIG="+m.kubeconfig(metalController),
		"METALLB_NAMESPACE="+MetalNamespace,
		"METALLB_POD_NAME="+metalController,
		m.programs.Controller, "--port=0", "--health-probe-port=0", "--webhook-mode=disabled", "--lb-class="+MetalClass)
	return err
}

func (m *MetalLB) runSpeaker(ctx context.Context, node string) (err error) {
	m.daemons[node], err = daemon.Start(ctx, m.site.Hosts, node, "env",
		"KUBECONFIG="+m.kubeconfig(metalSpeaker),
		"METALLB_NAMESPACE="+MetalNamespace,
		"METALLB_NODE_NAME="+node,
		"METALLB_POD_NAME="+speakerPod(node),
		"METALLB_ML_BIND_ADDR="+m.site.Cluster.Host(node).Addresses[0].String(),
		"METALLB_ML_LABELS=app=metallb,component=speaker",
		m.programs.Speaker, "--port=0", "--health-probe-port=0", "--lb-class="+MetalClass)
	return err
}

func speakerPod(node string) string { return metalSpeaker + "-" + node }

// Processes implements failover.System.
func (m *MetalLB) Processes(_ context.Context, node string) ([]int, error) {
	return []int{m.daemons[node].PID}, nil
}

// Revive implements failover.System: the node is back once all speakers are
// members of one another again. By BGP it is back when the router says so: the members
// may not have noticed that it was gone.
func (m *MetalLB) Revive(ctx context.Context, node string) error {
	m.daemons[node].Wait()
	if m.peer != nil {
		return errors.Join(m.site.Reconnect(ctx, node), m.runSpeaker(ctx, node))
	}
	seen := map[string]int{}
	for _, other := range m.site.Others(node) {
		seen[other] = m.daemons[other].Count()
	}
	if err := m.site.Reconnect(ctx, node); err != nil {
		return err
	}
	if err := m.runSpeaker(ctx, node); err != nil {
		return err
	}
	for other, count := range seen {
		if err := m.daemons[node].Await(ctx, 0, joined(other)...); err != nil {
			return err
		}
		if err := m.welcomed(ctx, other, count, node); err != nil {
			return err
		}
	}
	return nil
}

// welcomed waits until a speaker says that a node is back. It says nothing if it had not
// found out that it was gone: a member that suspects another is told by the rest.
func (m *MetalLB) welcomed(ctx context.Context, by string, count int, node string) error {
	const enough = 15 * time.Second
	bound, cancel := context.WithTimeout(ctx, enough)
	defer cancel()
	err := m.daemons[by].Await(bound, count, joined(node)...)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// Stop implements failover.System.
func (m *MetalLB) Stop(ctx context.Context) error {
	return errors.Join(m.site.Unexpose(ctx, metalService), m.Uninstall(ctx))
}

// All returns the processes, by role.
func (m *MetalLB) All() []steady.Process {
	var all []steady.Process
	for node, running := range m.daemons {
		process := steady.Process{Role: metalSpeaker, Host: node, PID: running.PID}
		if node == metalController {
			process.Role, process.Host = metalController, controllerHost
		}
		all = append(all, process)
	}
	return all
}

// Uninstall ends what Install started.
func (m *MetalLB) Uninstall(ctx context.Context) error {
	var failed error
	for node, running := range m.daemons {
		host := node
		if node == metalController {
			host = controllerHost
		}
		err := m.site.Signal(ctx, host, syscall.SIGKILL, running.PID)
		if err == nil {
			running.Wait()
		}
		failed = errors.Join(failed, err)
	}
	// It may be installed again: that waits until nothing is left.
	return errors.Join(failed, m.kubectl(ctx, "", "delete", "namespace", MetalNamespace, "--wait", "--timeout=60s"))
}
