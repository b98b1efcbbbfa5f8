package balance

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// What a client asks for with its first byte; TLS begins otherwise.
const (
	askBulk = 'b' // bytes without end
	askPing = 'p' // an answer of some bytes to each request of as many
)

// small is how long a request and its answer are, and large how much is sent at once.
const (
	small = 128
	large = 256 << 10
)

// serverName is what the certificate is for.
const serverName = "kubernetes"

// certificate makes one that signs itself, and writes it to a file for those who
// probe.
func certificate(file string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{serverName}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(file, data, 0o600)
}

// server stands for an API server: /readyz by TLS, and what is measured without, on
// one port.
type server struct {
	cert tls.Certificate
	id   byte // is in its answers
}

// serve serves until ctx ends.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	probes := &handed{conns: make(chan net.Conn), Listener: l}
	ready := &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ReadHeaderTimeout: time.Minute,
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		_ = ready.Serve(tls.NewListener(probes, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12}))
	})
	defer context.AfterFunc(ctx, func() { _ = errors.Join(l.Close(), ready.Close()) })()
	defer close(probes.conns)
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		running.Go(func() { s.answer(ctx, conn, probes.conns) })
	}
}

func (s *server) answer(ctx context.Context, conn net.Conn, probes chan<- net.Conn) {
	reader := bufio.NewReaderSize(conn, small)
	first, err := reader.Peek(1)
	if err == nil && first[0] != askBulk && first[0] != askPing {
		select {
		case probes <- &peeked{conn, reader}:
		case <-ctx.Done():
			_ = conn.Close()
		}
		return
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	if err != nil {
		return
	}
	if first[0] == askBulk {
		chunk := make([]byte, large)
		for err == nil {
			_, err = conn.Write(chunk)
		}
		return
	}
	request := make([]byte, small)
	for err == nil {
		if _, err = io.ReadFull(reader, request); err == nil {
			request[0] = s.id
			_, err = conn.Write(request)
		}
	}
}

// peeked is a connection whose first byte was looked at.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.reader.Read(b) }

// handed is a listener whose connections are given by another.
type handed struct {
	net.Listener
	conns chan net.Conn
}

func (h *handed) Accept() (net.Conn, error) {
	conn, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
