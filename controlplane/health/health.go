// Package health asks an API server, again and again, if it is ready.
package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Options say whom to ask, how often, and what to make of the answers.
type Options struct {
	// URL is what is asked for, such as https://127.0.0.1:6443/readyz. Any answer but
	// 200 is a failure.
	URL string
	// ServerName is what the server's certificate has to be for; "" is the URL's host.
	// kubeadm's is not for 127.0.0.1, but for "kubernetes".
	ServerName string
	// CA is the file of the certificates that sign the server's. It is read for each
	// question: it may come, or change, later. "" is for the host's own.
	CA string
	// Certificate and Key are the files of a client's, for servers that answer no
	// stranger; "": none.
	Certificate, Key string
	// Period is the time between two questions, Timeout how long one may take.
	Period, Timeout time.Duration
	// Failures in a row make a server unready, Successes in a row ready again; the
	// first success of all counts at once.
	Failures, Successes int
}

// The defaults of Options.
const (
	DefaultPeriod    = 500 * time.Millisecond
	DefaultTimeout   = time.Second
	DefaultFailures  = 2
	DefaultSuccesses = 2
	// DefaultServerName is in the certificate of every API server: its Service's name.
	DefaultServerName = "kubernetes"
)

// again is the most that is waited after an answer that contradicts the verdict.
const again = 100 * time.Millisecond

// SetDefaults fills in what is zero.
func (o *Options) SetDefaults() {
	if o.Period == 0 {
		o.Period = DefaultPeriod
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Failures == 0 {
		o.Failures = DefaultFailures
	}
	if o.Successes == 0 {
		o.Successes = DefaultSuccesses
	}
}

// Prober asks one API server.
type Prober struct {
	options Options
	log     *slog.Logger
	ready   chan bool
}

// New returns a Prober that asks when run.
func New(o Options, log *slog.Logger) *Prober {
	o.SetDefaults()
	return &Prober{options: o, log: log.With("server", o.URL), ready: make(chan bool, 1)}
}

// Ready returns a channel that gives the verdict, at first and after each change. Who
// is late finds the newest.
func (p *Prober) Ready() <-chan bool { return p.ready }

// Run asks until ctx ends, then returns nil.
func (p *Prober) Run(ctx context.Context) error {
	verdict := hysteresis{failures: p.options.Failures, successes: p.options.Successes}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		start := time.Now()
		err := p.ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if verdict.take(err == nil) {
			p.tell(verdict.ready, err)
		}
		wait := p.options.Period - time.Since(start)
		if verdict.contradicted() {
			wait = min(wait, again)
		}
		timer.Reset(max(0, wait))
	}
}

// tell passes the verdict on.
func (p *Prober) tell(ready bool, err error) {
	if ready {
		p.log.Info("API server is ready")
	} else {
		p.log.Warn("API server is not ready", "error", err)
	}
	select {
	case <-p.ready:
	default:
	}
	p.ready <- ready
}

// maxAnswer is how much of an answer is read, in bytes: all checks that fail are
// named in it.
const maxAnswer = 4096

// ask asks once, on a connection of its own, as a client that is new would.
func (p *Prober) ask(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	config, err := p.tls()
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, DialContext: new(net.Dialer).DialContext}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.options.URL, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", p.options.URL, err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return errors.Join(fmt.Errorf("it answered %s: %s", response.Status, failing(string(body))), err)
}

// failing picks the checks that fail out of the answer of /readyz, or else returns
// its first line.
func failing(answer string) string {
	var checks []string
	for line := range strings.Lines(answer) {
		if check, ok := strings.CutPrefix(line, "[-]"); ok {
			name, _, _ := strings.Cut(strings.TrimSpace(check), " ")
			checks = append(checks, name)
		}
	}
	if len(checks) > 0 {
		return strings.Join(checks, ", ")
	}
	first, _, _ := strings.Cut(answer, "\n")
	return first
}

// ErrCertificate is wrapped by errors about files that hold no certificate.
var ErrCertificate = errors.New("no certificate in it")

// tls reads the files anew: kubeadm writes them while this runs already.
func (p *Prober) tls() (*tls.Config, error) {
	config := &tls.Config{ServerName: p.options.ServerName, MinVersion: tls.VersionTLS12}
	if p.options.CA != "" {
		pem, err := os.ReadFile(p.options.CA)
		if err != nil {
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authority %s: %w", p.options.CA, ErrCertificate)
		}
	}
	if p.options.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(p.options.Certificate, p.options.Key)
		if err != nil {
			return nil, fmt.Errorf("client certificate %s: %w", p.options.Certificate, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
