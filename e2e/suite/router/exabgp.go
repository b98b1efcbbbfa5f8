package router

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/heraldlb/herald/e2e/daemon"
)

// ExaBGP is ExaBGP on a host: it says what its configuration makes it say, sense or not.
type ExaBGP struct {
	*on
	daemon *daemon.Daemon
}

// NewExaBGP starts ExaBGP on a host, with a configuration as exabgp.conf has it, and
// returns when it listens.
func NewExaBGP(ctx context.Context, hosts daemon.Hosts, host string, listen netip.AddrPort, configuration string) (*ExaBGP, error) {
	if err := require("exabgp", "exabgp"); err != nil {
		return nil, err
	}
	o, err := place(ctx, hosts, host, nil)
	if err != nil {
		return nil, err
	}
	e := &ExaBGP{on: o}
	if err := e.start(ctx, listen, configuration); err != nil {
		return nil, errors.Join(err, e.Stop(ctx))
	}
	return e, nil
}

func (e *ExaBGP) start(ctx context.Context, listen netip.AddrPort, configuration string) error {
	if err := e.write(ctx, "exabgp.conf", configuration); err != nil {
		return err
	}
	started, err := daemon.Start(context.WithoutCancel(ctx), e.hosts, e.host, "env",
		"exabgp.daemon.daemonize=false", "exabgp.daemon.drop=false", "exabgp.daemon.user=root", "exabgp.api.cli=false",
		"exabgp.log.destination=stdout", "exabgp.log.level=INFO", "exabgp.log.short=true",
		"exabgp.tcp.bind="+listen.Addr().String(), fmt.Sprintf("exabgp.tcp.port=%d", listen.Port()),
		"exabgp", e.path("exabgp.conf"))
	if err != nil {
		return err
	}
	e.daemon = started
	return started.Await(ctx, 0, "loaded new configuration successfully")
}

// Connected waits until the session with a neighbor is established.
func (e *ExaBGP) Connected(ctx context.Context, neighbor netip.Addr) error {
	return e.daemon.Await(ctx, 0, "connected to", neighbor.String())
}

// Log returns the newest of what ExaBGP logged.
func (e *ExaBGP) Log() string { return e.daemon.Tail() }

// Stop ends ExaBGP.
func (e *ExaBGP) Stop(ctx context.Context) error {
	var failed error
	if e.daemon != nil {
		failed = e.daemon.Stop(ctx)
	}
	return errors.Join(failed, e.remove(ctx))
}
