package health

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
)

// maxBody is how much of an answer is read: /readyz has a line for each check.
const maxBody = 64 << 10

// asker asks a server, on a new connection each time. It keeps that open until
// it asks again, so that the kernel tells when the server was killed.
type asker struct {
	options Options
	broken  chan struct{}
	line    *line
}

// line is what one question went over.
type line struct {
	transport http.Transport
	// watched: who closes the connection now is the server.
	watched atomic.Bool
	broken  chan<- struct{}
}

// ask returns nil of a server that is ready, else what is wrong with it.
func (a *asker) ask(ctx context.Context) error {
	a.close()
	config, err := a.options.config()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.options.Timeout, fmt.Errorf("no answer within %s", a.options.Timeout))
	defer cancel()
	a.line = &line{broken: a.broken}
	a.line.transport.TLSClientConfig = config
	a.line.transport.DialContext = a.line.dial
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.options.URL, http.NoBody)
	if err != nil {
		return err
	}
	if err := a.options.authorize(request); err != nil {
		return err
	}
	response, err := a.line.transport.RoundTrip(request) // follows no redirect
	if err != nil {
		return unanswered(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := judge(response); ctx.Err() == nil && err != nil {
		return err
	}
	if ctx.Err() != nil { // an answer to the end of the question is none
		return &silence{context.Cause(ctx)}
	}
	a.line.watched.Store(!response.Close)
	return nil
}

// close closes the connection of the last question.
func (a *asker) close() {
	if a.line == nil {
		return
	}
	a.line.watched.Store(false)
	a.line.transport.CloseIdleConnections()
	a.line = nil
	select {
	case <-a.broken:
	default:
	}
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, line: l}, nil
}

// dial connects; localhost is this host by IPv4, or else by IPv6, whatever a resolver
// says (RFC 6761 section 6.3).
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	host, port, err := net.SplitHostPort(address)
	if err != nil || host != Localhost {
		return dialer.DialContext(ctx, network, address)
	}
	conn, err := dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err == nil {
		return conn, nil
	}
	conn, other := dialer.DialContext(ctx, network, net.JoinHostPort("::1", port))
	if other != nil {
		return nil, fmt.Errorf("%w; %w", err, other)
	}
	return conn, nil
}

// watchedConn tells when the transport closes it because the server did.
type watchedConn struct {
	net.Conn
	line *line
}

func (c *watchedConn) Close() error {
	if c.line.watched.Load() {
		select {
		case c.line.broken <- struct{}{}:
		default:
		}
	}
	return c.Conn.Close()
}

// silence is why a server gave no answer.
type silence struct{ error }

func (s *silence) Unwrap() error { return s.error }

// unanswered says why there is no answer; of a question that ran out of time,
// just that. A server whose certificate is wrong does answer.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &silence{context.Cause(ctx)}
	}
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return err
	}
	return &silence{err}
}

// judge returns what an answer says other than ready.
func judge(response *http.Response) error {
	body := bufio.NewScanner(io.LimitReader(response.Body, maxBody))
	var failed []string
	for body.Scan() {
		// https://kubernetes.io/docs/reference/using-api/health-checks/
		if check, is := strings.CutPrefix(body.Text(), "[-]"); is {
			failed = append(failed, check)
		}
	}
	switch {
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("it says %s: it may want a client certificate, or a token", response.Status)
	case response.StatusCode != http.StatusOK && failed != nil:
		return fmt.Errorf("it says %s: %s", response.Status, strings.Join(failed, ", "))
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("it says %s", response.Status)
	}
	return body.Err()
}

// authorize adds the token, if there is one.
func (o Options) authorize(request *http.Request) error {
	if o.Token == "" {
		return nil
	}
	token, err := os.ReadFile(o.Token)
	if err != nil {
		return fmt.Errorf("token for the API server: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	return nil
}

// config reads the files.
func (o Options) config() (*tls.Config, error) {
	pem, err := os.ReadFile(o.CA)
	if err != nil {
		return nil, fmt.Errorf("CA of the API server: %w", err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: o.ServerName, MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA of the API server: no certificate in %s", o.CA)
	}
	if o.Certificate == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
	if err != nil {
		return nil, fmt.Errorf("client certificate for the API server, %s with key %s: %w", o.Certificate, o.Key, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
