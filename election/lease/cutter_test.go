package lease

import (
	"errors"
	"net/http"
	"sync/atomic"
)

// cutter is a way to the API server that can be cut.
type cutter struct{ isCut atomic.Bool }

func (c *cutter) cut() { c.isCut.Store(true) }

func (c *cutter) wrap(next http.RoundTripper) http.RoundTripper { return wire{c, next} }

type wire struct {
	*cutter
	next http.RoundTripper
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.isCut.Load() {
		return nil, errors.New("cut off")
	}
	return w.next.RoundTrip(r)
}
