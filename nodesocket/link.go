package nodesocket

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// timing holds what both sides wait for.
type timing struct {
	// beat is the longest time that a healthy side says nothing.
	beat time.Duration
	// silence is how long a peer may say nothing before it counts as hung.
	silence time.Duration
	// write bounds the writing of one frame.
	write time.Duration
	// hello bounds the opening of a connection.
	hello time.Duration
	// backoff are the shortest and the longest wait before the agent dials anew.
	backoff [2]time.Duration
	// away is how long there is no connection before the observer is told.
	away time.Duration
	// accept is how long the announcer waits after it could not accept.
	accept time.Duration
}

func defaultTiming() timing {
	return timing{
		beat:    2 * time.Second,
		silence: 10 * time.Second,
		write:   5 * time.Second,
		hello:   2 * time.Second,
		backoff: [2]time.Duration{20 * time.Millisecond, time.Second},
		away:    10 * time.Second,
		accept:  100 * time.Millisecond,
	}
}

// link is one connection: a reader and a writer that do not wait for each other.
type link struct {
	conn    net.Conn
	decoder *decoder
	encoder *encoder
	timing  timing
}

func newLink(conn net.Conn, t timing) *link {
	return &link{conn: conn, decoder: newDecoder(conn), encoder: &encoder{w: conn}, timing: t}
}

// send writes one message within the write bound.
func (l *link) send(m *message) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.timing.write)); err != nil {
		return err
	}
	return l.encoder.encode(m)
}

// receive reads one message within the given time.
func (l *link) receive(within time.Duration) (*message, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	return l.decoder.decode()
}

func (l *link) close() { _ = l.conn.Close() }

// talk is what one side does on a link after the hello.
type talk struct {
	// handle takes what the peer says; an error ends the link.
	handle func(*message) error
	// pending returns what there is to say now, nil if nothing; wake tells
	// when to ask again.
	pending func() []*message
	wake    <-chan struct{}
	// beat returns what to say at every beat.
	beat func() []*message
}

// run carries the conversation until ctx ends, the peer goes, hangs or talks
// nonsense. It closes the connection and returns why it ended.
func (l *link) run(ctx context.Context, t talk) error {
	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, l.close)()
	defer l.close()
	group.Go(func() error { return l.read(t) })
	group.Go(func() error { return l.write(ctx, t) })
	return group.Wait()
}

func (l *link) read(t talk) error {
	for {
		m, err := l.receive(l.timing.silence)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if m.Kind == kindPing {
			continue
		}
		if err := t.handle(m); err != nil {
			return err
		}
	}
}

func (l *link) write(ctx context.Context, t talk) error {
	ticker := time.NewTicker(l.timing.beat)
	defer ticker.Stop()
	say := t.beat
	for {
		for messages := say(); len(messages) > 0; messages = t.pending() {
			for _, m := range messages {
				if err := l.send(m); err != nil {
					return fmt.Errorf("write: %w", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.wake:
			say = t.pending
		case <-ticker.C:
			say = t.beat
		}
	}
}
