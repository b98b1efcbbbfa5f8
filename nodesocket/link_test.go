package nodesocket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// quiet is a talk that only keeps the link alive.
func quiet() talk {
	return talk{
		handle:  func(*message) error { return nil },
		pending: func() []*message { return nil },
		beat:    ping,
	}
}

// Two idle sides keep each other's link alive by their beats alone.
func TestLinkStaysAliveWhileIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ended := make(chan error, 2)
		for _, conn := range []net.Conn{near, far} {
			go func() { ended <- newLink(conn, defaultTiming()).run(ctx, quiet()) }()
		}
		for range cap(ended) {
			if err := <-ended; err == nil {
				t.Error("a side ended without a reason")
			}
		}
		if ctx.Err() == nil {
			t.Error("the link ended before its context")
		}
	})
}

// A peer that is stopped sends nothing and leaves its end open.
func TestLinkEndsWhenPeerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _ = far.Close() }()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		start := time.Now()
		err := newLink(near, defaultTiming()).run(t.Context(), quiet())
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != defaultTiming().silence {
			t.Errorf("ended after %v with %v; want the deadline after %v", time.Since(start), err, defaultTiming().silence)
		}
	})
}

// A peer that speaks but does not read costs the writer no more than its bound.
func TestLinkEndsWhenPeerDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		speaker := newLink(far, defaultTiming())
		done := make(chan struct{})
		defer func() { <-done }()
		go func() {
			defer close(done)
			pace := time.NewTicker(time.Second)
			defer pace.Stop()
			for speaker.send(&message{Kind: kindPing}) == nil {
				<-pace.C
			}
		}()
		start := time.Now()
		err := newLink(near, defaultTiming()).run(t.Context(), quiet())
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != defaultTiming().write {
			t.Errorf("ended after %v with %v; want the deadline after %v", time.Since(start), err, defaultTiming().write)
		}
	})
}

// A peer that never says hello does not hold its place.
func TestWelcomeEndsWithoutHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _ = far.Close() }()
		l := newLink(near, defaultTiming())
		defer l.close()
		start := time.Now()
		if _, err := l.welcome(); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != defaultTiming().hello {
			t.Errorf("ended after %v with %v; want the deadline after %v", time.Since(start), err, defaultTiming().hello)
		}
	})
}
