// Package lab gives tests and benchmarks a real cluster: etcd, the Kubernetes
// control plane, nodes with kube-proxy, a client, a router and a host behind
// it, each in a network namespace of its own, with Herald deployed from the
// manifests in deploy. It needs the programs in the checkout's bin folder
// (make lab build), iproute2, nftables and util-linux; no container runtime
// and no root.
//
// There is one lab per checkout and user. Nothing of it is on disk: it ends,
// whole, with its first process.
package lab

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/echo"
	"github.com/heraldlb/herald/e2e/lab/internal/control"
	"github.com/heraldlb/herald/e2e/lab/internal/supervisor"
	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// What the library's words stand for.
type (
	// Parameters are what a lab is made of.
	Parameters = control.Parameters
	// Family is the IP families that a lab speaks.
	Family = topology.Family
	// Status is what a running lab says of itself.
	Status = control.Status
	// Answer is what the lab's stand-in servers say, over HTTP and UDP.
	Answer = echo.Answer
	// Progress is one line of what a starting lab does.
	Progress = control.Progress
)

// The families of a lab.
const (
	V4   = topology.V4
	V6   = topology.V6
	Dual = topology.Dual
)

const (
	// Keepalived is the Elector of a lab where keepalived and HAProxy stand in the
	// place of Herald.
	Keepalived = control.Keepalived
	// HAProxyPort is where HAProxy is asked there.
	HAProxyPort = control.HAProxyPort
	// BGP is the Elector of a lab where each control plane has the VIP, and the router,
	// which is BIRD and is asked at BIRDSocket, leads there.
	BGP = control.BGP
	// BIRDSocket is where that BIRD listens for birdc, in the router's file system.
	BIRDSocket = control.BIRDSocket
)

var (
	// ErrDown says that no lab runs for this checkout and user.
	ErrDown = control.ErrDown
	// ErrFailed says that a lab did not come up; the text names the component
	// and has the end of its log.
	ErrFailed = control.ErrFailed
	// ErrStarting says that the lab is still coming up.
	ErrStarting = errors.New("the lab is still coming up")
	// ErrOther says that a lab with other parameters is up.
	ErrOther = errors.New("a lab with other parameters is up: take it down first")
)

// Defaults returns the parameters of the demo's lab: three nodes, both
// families, Herald deployed, and a kube-proxy that does not wait.
func Defaults() Parameters {
	return Parameters{
		Nodes:         3,
		ControlPlanes: 1,
		Family:        Dual,
		ProxyMinSync:  10 * time.Millisecond,
		Deploy:        "deploy/base",
	}
}

// Open returns the lab that is up for the checkout around the working
// directory; ErrDown if there is none, ErrStarting if it is not ready yet.
func Open(ctx context.Context) (*Cluster, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	client := control.NewClient(root)
	status, err := client.Status(ctx)
	if err != nil {
		return nil, err
	}
	if status.Phase != control.Ready {
		return nil, ErrStarting
	}
	return newCluster(root, client, status), nil
}

// Inspect returns the status of the lab of this checkout, also of one that is
// still coming up; ErrDown if there is none.
func Inspect(ctx context.Context) (Status, error) {
	root, err := Root()
	if err != nil {
		return Status{}, err
	}
	return control.NewClient(root).Status(ctx)
}

// Down ends the lab of this checkout, if there is one, and returns when no
// process of it is left.
func Down(ctx context.Context) error {
	status, err := Inspect(ctx)
	if errors.Is(err, ErrDown) {
		return nil
	}
	if err != nil {
		return err
	}
	return kill(ctx, status.PID)
}

// Up brings a lab up, or finds the one with the same parameters that is up
// already, and returns when Herald's roles are ready. It tells show what it
// does. When ctx ends before, the lab goes down again.
func Up(ctx context.Context, parameters Parameters, show func(Progress)) (*Cluster, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	if _, err := topology.NewPlan(parameters.Nodes, parameters.ControlPlanes, parameters.Family); err != nil {
		return nil, err
	}
	listener, err := control.Listen(root)
	if errors.Is(err, syscall.EADDRINUSE) {
		return join(ctx, root, parameters, show)
	}
	if err != nil {
		return nil, err
	}
	config := supervisor.Config{Parameters: parameters, Root: root}
	pid, output, err := launch(config, listener)
	if err := errors.Join(err, listener.Close()); err != nil {
		return nil, err
	}
	defer output.Close() //nolint:errcheck // memory
	cluster, err := join(ctx, root, parameters, show)
	if err == nil {
		return cluster, nil
	}
	err = errors.Join(err, kill(context.WithoutCancel(ctx), pid))
	if errors.Is(err, ErrFailed) || ctx.Err() != nil {
		return nil, err
	}
	return nil, errors.Join(err, said(output))
}

// join follows a lab that comes up; one that is up already has nothing to show.
func join(ctx context.Context, root string, parameters Parameters, show func(Progress)) (*Cluster, error) {
	client := control.NewClient(root)
	status, err := client.Status(ctx)
	if err != nil {
		return nil, err
	}
	if status.Parameters != parameters {
		return nil, fmt.Errorf("%w: it has %s, not %s", ErrOther, status.Parameters, parameters)
	}
	if status.Phase != control.Ready {
		if err := client.Follow(ctx, show); err != nil {
			return nil, err
		}
		if status, err = client.Status(ctx); err != nil {
			return nil, err
		}
	}
	return newCluster(root, client, status), nil
}
