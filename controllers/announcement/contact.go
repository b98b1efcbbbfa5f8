package announcement

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// Contact notes whether the API server answers what it is asked anyway; it asks
// nothing itself. The zero value takes it that it does.
type Contact struct {
	// lost is when it first did not answer since it last did, nil if it does.
	lost atomic.Pointer[time.Time]
}

// Watch has what is asked with config noted.
func (c *Contact) Watch(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &noted{next: next, contact: c} })
}

func (c *Contact) there() bool { return c.lost.Load() == nil }

// away returns for how long the API server has answered nothing, 0 if it does.
func (c *Contact) away() time.Duration {
	if lost := c.lost.Load(); lost != nil {
		return time.Since(*lost)
	}
	return 0
}

func (c *Contact) note(answered bool) {
	if answered {
		c.lost.Store(nil)
		return
	}
	now := time.Now()
	c.lost.CompareAndSwap(nil, &now)
}

// noted is a way to the API server that a Contact notes.
type noted struct {
	next    http.RoundTripper
	contact *Contact
}

// RoundTrip implements http.RoundTripper.
func (n *noted) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := n.next.RoundTrip(request)
	if !errors.Is(err, context.Canceled) { // which is our word, not the server's
		n.contact.note(err == nil)
	}
	return response, err
}
