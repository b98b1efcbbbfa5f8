package raft

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// Credentials are the files by which nodes know each other; all are PEM. kubeadm's are
// those of etcd's members.
type Credentials struct{ CA, Certificate, Key string }

// ErrStranger is wrapped by the error about a certificate that is valid, and no peer's.
var ErrStranger = errors.New("certificate of no peer")

// config reads the files.
func (c Credentials) config(peers []Peer) (*tls.Config, error) {
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of raft: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authority of raft: %s: no certificate in it", c.CA)
	}
	pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate of raft: %s, %s: %w", c.Certificate, c.Key, err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: pool,
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error { return known(s, peers) },
	}, nil
}

// known returns an error unless the other side is a peer: others may have certificates
// of the same authority.
func known(s tls.ConnectionState, peers []Peer) error {
	certificate := s.PeerCertificates[0]
	for _, p := range peers {
		host, _, _ := net.SplitHostPort(p.Address)
		if certificate.Subject.CommonName == p.Node || slices.Contains(certificate.DNSNames, p.Node) || certificate.VerifyHostname(host) == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %s, %v", ErrStranger, certificate.Subject.CommonName, certificate.DNSNames)
}

// stream is raft's network: TLS in both directions.
type stream struct {
	net.Listener
	ctx         context.Context //nolint:containedctx // raft hands none to Dial
	credentials Credentials
	peers       []Peer
}

var _ raft.StreamLayer = (*stream)(nil)

// listen opens the port. Certificates are read for each connection: they are renewed
// while this runs.
func (e *Elector) listen(ctx context.Context) (*stream, error) {
	address := e.options.Listen
	if address == "" {
		_, port, err := net.SplitHostPort(e.self.Address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		address = net.JoinHostPort("", port)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("raft: %w", err)
	}
	s := &stream{ctx: ctx, credentials: e.options.Credentials, peers: e.options.Peers}
	s.Listener = &advertised{
		Listener: tls.NewListener(listener, &tls.Config{
			MinVersion:         tls.VersionTLS13,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.credentials.config(s.peers) },
		}),
		address: e.self.Address,
	}
	return s, nil
}

// Dial implements raft.StreamLayer.
func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	config, err := s.credentials.config(s.peers)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", string(address))
}

// advertised is a listener that others know by another address.
type advertised struct {
	net.Listener
	address string
}

// Addr implements net.Listener.
func (a *advertised) Addr() net.Addr { return name(a.address) }

// name is an address that need not be a number.
type name string

// Network implements net.Addr.
func (name) Network() string { return "tcp" }

// String implements net.Addr.
func (n name) String() string { return string(n) }
