// Package echo is the server behind the cases' Services: it tells whoever asks,
// over HTTP or in a UDP datagram, who it is and whom it saw asking. The lab's
// kubelets have it built in, elsewhere it is an image (package pod).
package echo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Pod is who answers.
type Pod struct {
	Name      string `json:"pod"`
	Namespace string `json:"namespace"`
	Node      string `json:"node"`
}

// Answer tells which Pod answered, and whom it saw asking.
type Answer struct {
	Pod
	// Client is the address that the Pod saw: the client's own, unless
	// kube-proxy hid it.
	Client netip.Addr `json:"client"`
	// Local is the address and port at which the Pod was asked.
	Local netip.AddrPort `json:"local"`
}

func (p Pod) answer(from, local string) Answer {
	client, _ := netip.ParseAddrPort(from)
	at, _ := netip.ParseAddrPort(local)
	return Answer{
		Pod:    p,
		Client: client.Addr().Unmap(),
		Local:  netip.AddrPortFrom(at.Addr().Unmap(), at.Port()),
	}
}

// HTTP answers requests until ctx ends.
func (p Pod) HTTP(ctx context.Context, listener net.Listener) error {
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local := fmt.Sprint(r.Context().Value(http.LocalAddrContextKey))
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(p.answer(r.RemoteAddr, local))
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// UDP answers each datagram until ctx ends.
func (p Pod) UDP(ctx context.Context, conn *net.UDPConn, log *slog.Logger) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	buffer := make([]byte, 1<<16)
	for {
		_, from, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := json.Marshal(p.answer(from.String(), conn.LocalAddr().String()))
		if err != nil {
			return err
		}
		if _, err := conn.WriteToUDPAddrPort(text, from); err != nil && ctx.Err() == nil {
			log.Warn("answer", "to", from, "error", err)
		}
	}
}
