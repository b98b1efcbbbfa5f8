package announcement

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// Contact notes whether the API server answers what it is asked anyway; it asks
// nothing itself. The zero value takes it that it does.
type Contact struct{ lost atomic.Bool }

// Watch has what is asked with config noted.
func (c *Contact) Watch(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &noted{next: next, contact: c} })
}

func (c *Contact) there() bool { return !c.lost.Load() }

// noted is a way to the API server that a Contact notes.
type noted struct {
	next    http.RoundTripper
	contact *Contact
}

// RoundTrip implements http.RoundTripper.
func (n *noted) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := n.next.RoundTrip(request)
	if !errors.Is(err, context.Canceled) { // which is our word, not the server's
		n.contact.lost.Store(err != nil)
	}
	return response, err
}
