package router

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/heraldlb/herald/e2e/daemon"
)

// BIRD is BIRD 2 on a host.
type BIRD struct {
	*on
	daemon *daemon.Daemon
}

// NewBIRD starts BIRD on a host, with a configuration as bird.conf has it, and returns
// when that is in force. The protocols of its sessions are named after the neighbors.
func NewBIRD(ctx context.Context, hosts daemon.Hosts, host, configuration string) (*BIRD, error) {
	if err := require("birdc", "bird2"); err != nil {
		return nil, err
	}
	o, err := place(ctx, hosts, host, nil)
	if err != nil {
		return nil, err
	}
	b := &BIRD{on: o}
	if err := b.start(ctx, configuration); err != nil {
		return nil, errors.Join(err, b.Stop(ctx))
	}
	return b, nil
}

func (b *BIRD) start(ctx context.Context, configuration string) error {
	if err := b.write(ctx, "bird.conf", configuration); err != nil {
		return err
	}
	started, err := daemon.Start(context.WithoutCancel(ctx), b.hosts, b.host, "bird", "-d",
		"-c", b.path("bird.conf"), "-s", b.path("bird.ctl"), "-P", b.path("bird.pid"))
	if err != nil {
		return err
	}
	b.daemon = started
	return started.Await(ctx, 0, "Started")
}

// Stop ends BIRD.
func (b *BIRD) Stop(ctx context.Context) error {
	var failed error
	if b.daemon != nil {
		failed = b.daemon.Stop(ctx)
	}
	return errors.Join(failed, b.remove(ctx))
}

// Configure puts another configuration in the place of the one that is in force.
func (b *BIRD) Configure(ctx context.Context, configuration string) error {
	if err := b.write(ctx, "bird.conf", configuration); err != nil {
		return err
	}
	_, err := b.ask(ctx, "configure")
	return err
}

// Sessions returns the sessions by the neighbor's name.
func (b *BIRD) Sessions(ctx context.Context) (map[string]Session, error) {
	text, err := b.ask(ctx, "show protocols all")
	if err != nil {
		return nil, err
	}
	return parseProtocols(text)
}

// Routes returns what BIRD was told of a prefix, by the neighbor's name.
func (b *BIRD) Routes(ctx context.Context, prefix netip.Prefix) (map[string]Route, error) {
	text, err := b.ask(ctx, fmt.Sprintf("show route all for %s", prefix))
	if err != nil {
		return nil, err
	}
	routes, err := parseRoutes(text)
	if err != nil {
		return nil, err
	}
	byName := map[string]Route{}
	for _, route := range routes {
		if route.Prefix == prefix {
			byName[route.From] = route
		}
	}
	return byName, nil
}

// ask returns what BIRD says to a command; it says it in words for people alone.
func (b *BIRD) ask(ctx context.Context, command string) (string, error) {
	output, err := b.run(ctx, "birdc", "-s", b.path("bird.ctl"), command)
	return string(output), err
}
