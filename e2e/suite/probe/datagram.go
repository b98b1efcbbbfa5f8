package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

const (
	datagramInterval = 100 * time.Millisecond
	datagramPatience = 5 * time.Second
)

// datagram sends text every datagramInterval until there is an answer, and
// returns it. Each goes out from a port of its own: a connection that the node
// began to track before kube-proxy had its rules would never follow them.
func datagram(ctx context.Context, to string, text []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, datagramPatience)
	defer cancel()
	for {
		answer, err := ask(ctx, to, text)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no answer in %s: %w", datagramPatience, err)
		}
	}
}

// ask sends text once and waits for datagramInterval.
func ask(ctx context.Context, to string, text []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, datagramInterval)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", to)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // nothing is buffered
	if _, err := conn.Write(text); err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	answer := make([]byte, 64<<10)
	n, err := conn.Read(answer)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		<-ctx.Done() // refused (ICMP); what answers it may come
	}
	return answer[:n], err
}
