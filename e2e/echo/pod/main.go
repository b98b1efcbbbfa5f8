// Pod is package echo as a container's one program. Its arguments are where it
// listens, tcp/PORT or udp/PORT; it learns from its environment who it is.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/e2e/echo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := serve(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pod:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, ports []string) error {
	self := echo.Pod{Name: os.Getenv("POD_NAME"), Namespace: os.Getenv("POD_NAMESPACE"), Node: os.Getenv("NODE_NAME")}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	group, ctx := errgroup.WithContext(ctx)
	var config net.ListenConfig
	for _, at := range ports {
		network, port, _ := strings.Cut(at, "/")
		switch network {
		case "tcp":
			listener, err := config.Listen(ctx, network, ":"+port)
			if err != nil {
				return err
			}
			group.Go(func() error { return self.HTTP(ctx, listener) })
		case "udp":
			conn, err := config.ListenPacket(ctx, network, ":"+port)
			if err != nil {
				return err
			}
			socket, ok := conn.(*net.UDPConn)
			if !ok {
				return fmt.Errorf("%s is %T", at, conn)
			}
			group.Go(func() error { return self.UDP(ctx, socket, log) })
		default:
			return fmt.Errorf("%s: want tcp/PORT or udp/PORT", at)
		}
	}
	return group.Wait()
}
