package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	flowInterval = 10 * time.Millisecond
	flowPatience = 3 * time.Second
	// lossesTold is of how many losses a summary tells.
	lossesTold = 10
)

// summary tells what became of a flow of requests.
type summary struct {
	Sent int `json:"sent"`
	// Lost is how many requests got no answer, or only after TCP had sent a
	// packet again; Losses are the first of them.
	Lost   int    `json:"lost"`
	Losses []loss `json:"losses,omitempty"`
	// Slowest is the longest time that a request took.
	Slowest time.Duration `json:"slowest"`
	// Outage is the longest time between the begins of two requests that lost nothing,
	// with none such between.
	Outage time.Duration `json:"outage"`

	fine []time.Duration // when those began that lost nothing
}

// loss tells of a request that lost a packet, or got no answer.
type loss struct {
	// Began is when the request began, counted from the flow's begin.
	Began time.Duration `json:"began"`
	// Source is the client's end of the connection: what a capture and the
	// nodes' records of connections know the request by.
	Source netip.AddrPort `json:"source"`
	// Resent is how many packets TCP sent again.
	Resent int `json:"resent"`
	// Error is why there was no answer.
	Error string `json:"error,omitempty"`
}

// flow sends a request every flowInterval, each on a connection of its own,
// until ctx ends, and waits for the last answers.
func flow(ctx context.Context, url string) summary {
	var (
		mu       sync.Mutex
		total    summary
		requests sync.WaitGroup
	)
	start := time.Now()
	ticker := time.NewTicker(flowInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		requests.Go(func() {
			begin := time.Now()
			result := loss{Began: begin.Sub(start)}
			// A request that is under way when ctx ends is finished too.
			if err := request(context.WithoutCancel(ctx), url, &result); err != nil {
				result.Error = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(time.Since(begin), result)
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	requests.Wait()
	total.finish(time.Since(start))
	return total
}

// finish computes what is known at the end only: requests end in another order than they
// begin.
func (s *summary) finish(end time.Duration) {
	slices.Sort(s.fine)
	var last time.Duration
	for _, began := range append(s.fine, end) {
		s.Outage = max(s.Outage, began-last)
		last = began
	}
}

func (s *summary) add(took time.Duration, result loss) {
	s.Sent++
	s.Slowest = max(s.Slowest, took)
	if result.Error == "" && result.Resent == 0 {
		s.fine = append(s.fine, result.Began)
		return
	}
	s.Lost++
	if len(s.Losses) < lossesTold {
		s.Losses = append(s.Losses, result)
	}
}

// request makes one request on a connection of its own, and notes what the
// kernel knows of that. It is the one to close it: the end that is first remembers
// the connection for a minute. If that were the Pod, a node that translates many
// clients' ports to few of its own might be taken for the one before, and have to
// send its first packet again.
func request(ctx context.Context, url string, note *loss) error {
	ctx, cancel := context.WithTimeout(ctx, flowPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	conn, socket, err := connect(ctx, request.URL.Host)
	if err == nil {
		err = errors.Join(converse(ctx, conn, request), conn.Close())
	}
	if socket == nil {
		return err
	}
	var unknown [2]error
	note.Source, unknown[0] = socket.local()
	note.Resent, unknown[1] = socket.resent()
	return errors.Join(err, unknown[0], unknown[1], socket.close())
}

// converse sends a request and reads its answer.
func converse(ctx context.Context, conn net.Conn, request *http.Request) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return response.Body.Close()
}
