// Package site is the lab as the benchmark uses it: addresses that lead to an
// echo beside the nodes, whoever owns them, and what harms their owner.
package site

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// Site is a lab that is up.
type Site struct {
	ground.Ground
	Cluster *lab.Cluster
	API     kubernetes.Interface
	// Out is told what happens.
	Out io.Writer
	// Program is the path of this program.
	Program string

	echo      *exec.Cmd
	namespace string
}

// Open returns the site on a ground of a lab, with the echo started. Close
// takes away what Open and the site's methods made.
func Open(ctx context.Context, base ground.Ground, out io.Writer) (*Site, error) {
	cluster, err := lab.Open(ctx)
	if err != nil {
		return nil, err
	}
	config := rest.CopyConfig(base.Config)
	config.WarningHandler = rest.NoWarnings{} // that external IPs are deprecated is known
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &Site{Ground: base, Cluster: cluster, API: api, Out: out, Program: program}
	if err := s.makeNamespace(ctx); err != nil {
		return nil, err
	}
	if err := s.startEcho(ctx); err != nil {
		s.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return s, nil
}

// Close removes everything; what goes wrong then has no bearing on the figures.
func (s *Site) Close(ctx context.Context) {
	if s.echo != nil {
		_ = s.echo.Process.Kill()
		_ = s.echo.Wait()
	}
	s.removeNamespace(ctx)
}

// echoHost is where the echo runs: no fault touches it.
const echoHost = "cp1"

// startEcho returns once the echo answers.
func (s *Site) startEcho(ctx context.Context) error {
	s.echo = s.Prompt(ctx, echoHost, "echo")
	s.echo.Stderr = os.Stderr
	output, err := s.echo.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.echo.Start(); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	if _, err := output.Read(make([]byte, 64)); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	return nil
}

// Self returns this program as a command on a host.
func (s *Site) Self(ctx context.Context, host string, args ...string) *exec.Cmd {
	return s.Hosts.Command(ctx, host, append([]string{"nice", "-n", "-19", s.Program}, args...)...)
}

// Prompt returns this program as a command on a host which comes before all else.
func (s *Site) Prompt(ctx context.Context, host string, args ...string) *exec.Cmd {
	return s.Cluster.Host(host).Prompt(ctx, append([]string{s.Program}, args...)...)
}

// Run runs a program on a host and returns what it prints.
func (s *Site) Run(ctx context.Context, host string, args ...string) ([]byte, error) {
	return s.Cluster.Host(host).Run(ctx, args...)
}

// Ask starts an asker on a host.
func (s *Site) Ask(ctx context.Context, host string, kind outage.Kind, addresses ...netip.Addr) (*outage.Probe, error) {
	task := outage.Task{Kind: kind, Interface: s.Interface}
	for _, address := range addresses {
		task.Targets = append(task.Targets, netip.AddrPortFrom(address, servicePort))
	}
	return outage.Start(s.Prompt(ctx, host, "asker"), task)
}

// Owner returns the node that the client's packets to an address go to. The
// client has to be talking to it.
func (s *Site) Owner(ctx context.Context, address netip.Addr) (string, error) {
	mac, err := s.Cluster.Host(s.Client).Neighbour(ctx, address)
	if err != nil {
		return "", err
	}
	host, ok := s.Cluster.Owner(mac)
	if !ok {
		return "", fmt.Errorf("the client's neighbour %s is %q, no node", address, mac)
	}
	return host.Name, nil
}

// Others returns the nodes but one.
func (s *Site) Others(node string) []string {
	var others []string
	for _, other := range s.Nodes {
		if other != node {
			others = append(others, other)
		}
	}
	return others
}

// Logf tells what happens.
func (s *Site) Logf(format string, args ...any) {
	fmt.Fprintln(s.Out, strings.TrimSpace(fmt.Sprintf(format, args...)))
}
