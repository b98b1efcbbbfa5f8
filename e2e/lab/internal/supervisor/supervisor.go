package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
	"github.com/heraldlb/herald/e2e/lab/internal/pki"
	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// deadline is how long a lab may take to come up before it gives up.
const deadline = 3 * time.Minute

// Config is what the supervisor is told by the one who starts it.
type Config struct {
	control.Parameters
	// Root is the checkout, whose bin folder holds the programs.
	Root string `json:"root"`
	// PID is the first process's id as the machine knows it.
	PID int `json:"pid"`
}

// Supervisor is one lab.
type Supervisor struct {
	config  Config
	plan    *topology.Plan
	vips    []netip.Addr // the control plane's, that Herald holds
	journal *journal
	server  net.Listener // where the machine reaches the API server
	table   processTable
	abort   context.CancelCauseFunc // ends a lab that is coming up

	// Made while the lab comes up.
	namespaces map[string]topology.Namespace
	authority  *pki.Authority
	admin      pki.Pair
	client     kubernetes.Interface
	podCIDRs   map[string][]string // by node
}

// Run brings the lab up and serves until ctx ends or the lab does not come up.
func Run(ctx context.Context, config Config) error {
	plan, err := topology.NewPlan(config.Nodes, config.ControlPlanes, config.Family)
	if err != nil {
		return err
	}
	server, err := net.FileListener(os.NewFile(ServerFD, "server"))
	if err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(ControlFD, "control"))
	if err != nil {
		return err
	}
	vips, err := chooseVIPs(config.Parameters, plan)
	if err != nil {
		return err
	}
	s := &Supervisor{config: config, plan: plan, vips: vips, journal: newJournal(), server: server}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.serveControl(ctx, control.Private{Listener: listener}) })
	group.Go(func() error { return forward(ctx, server, s.dial) })
	group.Go(func() error {
		if err := s.bringUp(ctx); err != nil {
			s.journal.add(true, "%s", s.explain(ctx, err))
			s.journal.close()
			return err
		}
		s.journal.close()
		return nil
	})
	return group.Wait()
}

// bringUp makes everything, in the order in which it is needed. It ends early
// when a component does.
func (s *Supervisor) bringUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, deadline, fmt.Errorf("not up within %s", deadline))
	defer cancel()
	ctx, s.abort = context.WithCancelCause(ctx)
	defer s.abort(nil)

	steps := []struct {
		name string
		run  func(context.Context, func(string)) error
	}{
		{fmt.Sprintf("network of %d hosts", len(s.plan.Hosts)), s.buildNetwork},
		{"certificates", s.writeCredentials},
		{s.serversStep(), s.startServers},
		{"start of controllers, scheduler, and each node's kubelet and kube-proxy", s.startWorkers},
		{"nodes and their kube-proxy", s.awaitNodes},
		{"Herald", s.deploy},
	}
	for _, step := range steps {
		if err := s.journal.step(ctx, step.name, step.run); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return fmt.Errorf("%s: %w", step.name, cause)
			}
			return err
		}
	}
	return nil
}

func (s *Supervisor) buildNetwork(_ context.Context, _ func(string)) (err error) {
	if s.namespaces, err = topology.Build(s.plan); err != nil {
		return err
	}
	return s.masquerade()
}

// program returns the path of one of the project's programs.
func (s *Supervisor) program(name string) string {
	return filepath.Join(s.config.Root, "bin", name)
}
