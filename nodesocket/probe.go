package nodesocket

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// ErrUnhealthy is wrapped by the error about an announcer that answers a probe
// with a complaint.
var ErrUnhealthy = errors.New("announcer is not healthy")

// Probe asks the announcer that listens at path for its health and returns nil
// if that is good. A hung announcer answers nothing: the error comes within
// seconds, or when ctx ends.
func Probe(ctx context.Context, path string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("probe announcer: %w", err)
	}
	l := newLink(conn, defaultTiming())
	defer l.close()
	defer context.AfterFunc(ctx, l.close)()
	if err := l.greet(roleProbe); err != nil {
		return fmt.Errorf("probe announcer: %w", err)
	}
	m, err := l.receive(l.timing.hello)
	switch {
	case err != nil:
		return fmt.Errorf("probe announcer: %w", err)
	case m.Kind != kindHealth:
		return fmt.Errorf("probe announcer: %w: %q", errUnexpected, m.Kind)
	case m.Error != "":
		return fmt.Errorf("%w: %s", ErrUnhealthy, m.Error)
	}
	return nil
}
