package main

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

const (
	datagramInterval = 100 * time.Millisecond
	datagramPatience = 5 * time.Second
)

// datagram sends text every datagramInterval until there is an answer, and
// returns it.
func datagram(ctx context.Context, to string, text []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, datagramPatience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", to)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // nothing is buffered
	answer := make([]byte, 64<<10)
	for {
		// A refusal (ICMP) of an earlier datagram is no reason to give up.
		_, sent := conn.Write(text)
		if err := conn.SetReadDeadline(time.Now().Add(datagramInterval)); err != nil {
			return nil, err
		}
		n, err := conn.Read(answer)
		if err == nil {
			return answer[:n], nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(err, sent)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			select {
			case <-time.After(datagramInterval):
			case <-ctx.Done():
			}
		}
	}
}
