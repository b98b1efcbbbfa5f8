package nodesocket

import (
	"errors"
	"fmt"
)

// VersionError tells that the peer speaks another protocol version.
type VersionError struct {
	// Ours is Version, Theirs what the peer's hello said; 0 if it said none.
	Ours, Theirs int
}

// Error implements error.
func (e *VersionError) Error() string {
	return fmt.Sprintf("peer speaks protocol version %d, this is version %d", e.Theirs, e.Ours)
}

// errUnexpected is wrapped by errors about messages out of place.
var errUnexpected = errors.New("unexpected message")

// expectHello receives the peer's hello and returns its role.
func (l *link) expectHello(roles ...role) (role, error) {
	m, err := l.receive(l.timing.hello)
	if err != nil {
		return "", fmt.Errorf("read hello: %w", err)
	}
	if m.Kind != kindHello {
		return "", fmt.Errorf("%w: %q in place of a hello", errUnexpected, m.Kind)
	}
	if m.Version != Version {
		return "", &VersionError{Ours: Version, Theirs: m.Version}
	}
	for _, r := range roles {
		if m.Role == r {
			return r, nil
		}
	}
	return "", fmt.Errorf("%w: hello with role %q", errUnexpected, m.Role)
}

// greet is the dialling side's opening.
func (l *link) greet(r role) error {
	if err := l.send(&message{Kind: kindHello, Version: Version, Role: r}); err != nil {
		return fmt.Errorf("write hello: %w", err)
	}
	_, err := l.expectHello(roleAnnouncer)
	return err
}

// welcome is the listening side's opening. It says its own version before it
// refuses another, so that the peer can name both too.
func (l *link) welcome() (role, error) {
	r, err := l.expectHello(roleAgent, roleProbe)
	if _, other := errors.AsType[*VersionError](err); err != nil && !other {
		return "", err
	}
	if sent := l.send(&message{Kind: kindHello, Version: Version, Role: roleAnnouncer}); sent != nil && err == nil {
		err = fmt.Errorf("write hello: %w", sent)
	}
	return r, err
}
