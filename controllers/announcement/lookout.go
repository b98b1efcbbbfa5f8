package announcement

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

// lookoutInterval is how often the API server is tried, and for how long.
const lookoutInterval = time.Second

// coincidence is how long before the peers an API server may have fallen silent for
// one cause to be likely.
const coincidence = 10 * time.Second

// lookout tells a node that is cut off from one whose peers are gone: while the
// announcer hears no peer, and only then, it tries the API server. One that was away
// long before, when peers were still heard, says nothing about them.
type lookout struct {
	// try returns nil if the API server answers.
	try func(context.Context) error
	// away returns for how long the API server has answered nothing.
	away func() time.Duration
	// tell is told after each try whether it was in vain.
	tell func(cutOff bool)

	alone atomic.Bool
	// before: when the peers fell silent the API server was away already, and has not
	// answered since.
	before atomic.Bool
	wake   chan struct{}
}

func newLookout(try func(context.Context) error, away func() time.Duration, tell func(bool)) *lookout {
	return &lookout{try: try, away: away, tell: tell, wake: make(chan struct{}, 1)}
}

// set says whether the announcer hears no peer. It never blocks.
func (l *lookout) set(alone bool) {
	if alone && !l.alone.Load() {
		l.before.Store(l.away() > coincidence)
	}
	if l.alone.Swap(alone) == alone {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run tries until ctx ends, then returns nil.
func (l *lookout) run(ctx context.Context) error {
	ticker := time.NewTicker(lookoutInterval)
	defer ticker.Stop()
	for {
		var again <-chan time.Time
		if l.alone.Load() {
			ticker.Reset(lookoutInterval)
			again = ticker.C
			failed := l.attempt(ctx) != nil
			if !failed {
				l.before.Store(false)
			}
			l.tell(failed && l.alone.Load() && !l.before.Load())
		} else {
			ticker.Stop()
			l.tell(false)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		case <-again:
		}
	}
}

func (l *lookout) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookoutInterval)
	defer cancel()
	return l.try(ctx)
}

// reach returns a try that asks the API server at config whether it is ready. One
// that is not, since it has lost its etcd, may be this node's own, and as cut off
// as the node; one that will not say to us is there.
func reach(config *rest.Config) (func(context.Context) error, error) {
	tlsConfig, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, fmt.Errorf("way to the API server: %w", err)
	}
	proxy := config.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	// A connection of its own for each try: one that is kept may be dead for long
	// before it is known to be.
	transport, err := rest.HTTPWrappersForConfig(config, &http.Transport{
		TLSClientConfig: tlsConfig, DialContext: config.Dial, Proxy: proxy, DisableKeepAlives: true,
	})
	if err != nil {
		return nil, fmt.Errorf("way to the API server: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("address of the API server: %w", err)
	}
	url := base.JoinPath("readyz").String()
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode >= http.StatusInternalServerError {
			return fmt.Errorf("GET %s: %s", url, response.Status)
		}
		return nil
	}, nil
}
