package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/controlplane/health/healthtest"
)

// serve starts a server on a loopback address.
func serve(t *testing.T, address string, cert tls.Certificate, handler http.HandlerFunc, with ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	must(t, err)
	return healthtest.Serve(t, l, cert, handler, with...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ok(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/readyz" {
		http.NotFound(w, r)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func ask(t *testing.T, o Options) error {
	t.Helper()
	o.ServerName = "kubernetes"
	complete, err := o.complete()
	must(t, err)
	a := &asker{options: complete, broken: make(chan struct{}, 1)}
	defer a.close()
	return a.ask(t.Context())
}

func TestAnswers(t *testing.T) {
	ours, theirs := healthtest.NewAuthority(t), healthtest.NewAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	ours.Write(t, ca)
	good := ours.Sign(t, time.Hour)
	release := make(chan struct{})
	defer close(release)
	for name, c := range map[string]struct {
		cert    tls.Certificate
		handler http.HandlerFunc
		want    string // in the error; "": none
		silent  bool
	}{
		"ready":   {good, ok, "", false},
		"expired": {ours.Sign(t, -time.Hour), ok, "expired", false},
		"of another authority": {
			theirs.Sign(t, time.Hour), ok, "certificate signed by unknown authority", false,
		},
		"not ready": {good, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n")
		}, "500 Internal Server Error: etcd failed: reason withheld", false},
		"for nobody": {good, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "client certificate", false},
		"elsewhere": {good, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://192.0.2.1/", http.StatusFound)
		}, "302", false},
		"hanging": {good, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, "no answer within 2s", true},
		"hanging in its answer": {good, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, "no answer within 2s", true},
		"endless": {good, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, "[-]all failed\n"); err != nil {
					return
				}
			}
		}, "", false},
		"killed": {good, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", true},
	} {
		for _, address := range []string{"127.0.0.1", "::1"} {
			t.Run(name+" "+address, func(t *testing.T) {
				s := serve(t, address, c.cert, c.handler)
				err := ask(t, Options{URL: s.URL, CA: ca, Timeout: 2 * time.Second})
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if _, silent := errors.AsType[*silence](err); silent != c.silent {
					t.Errorf("silent: %t", silent)
				}
			})
		}
	}
}

// A listener whose process is stopped: the kernel takes connections that nobody
// answers.
func TestStopped(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	ca := filepath.Join(t.TempDir(), "ca.crt")
	healthtest.NewAuthority(t).Write(t, ca)
	err = ask(t, Options{URL: "https://" + l.Addr().String(), CA: ca, Timeout: 100 * time.Millisecond})
	if err == nil || err.Error() != "no answer within 100ms" {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	ours, dir := healthtest.NewAuthority(t), t.TempDir()
	s := serve(t, "127.0.0.1", ours.Sign(t, time.Hour), ok)
	ca := filepath.Join(dir, "ca.crt")
	if err := ask(t, Options{URL: s.URL, CA: ca}); err == nil || !strings.Contains(err.Error(), ca) {
		t.Errorf("without a CA: %v", err)
	}
	must(t, os.WriteFile(ca, []byte("rubbish"), 0o600))
	if err := ask(t, Options{URL: s.URL, CA: ca}); err == nil || !strings.Contains(err.Error(), ca) {
		t.Errorf("without a certificate: %v", err)
	}
	ours.Write(t, ca)
	if err := ask(t, Options{URL: s.URL, CA: ca}); err != nil {
		t.Errorf("with a CA: %v", err)
	}
	client := filepath.Join(dir, "client.crt")
	if err := ask(t, Options{URL: s.URL, CA: ca, Certificate: client, Key: ca}); err == nil || !strings.Contains(err.Error(), client) {
		t.Errorf("without a client certificate: %v", err)
	}
}

func TestClientCertificate(t *testing.T) {
	ours, dir := healthtest.NewAuthority(t), t.TempDir()
	s := serve(t, "127.0.0.1", ours.Sign(t, time.Hour), func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}, func(s *httptest.Server) { s.TLS.ClientAuth = tls.RequestClientCert })
	ca, cert, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "client.crt"), filepath.Join(dir, "client.key")
	ours.Write(t, ca)
	pair := ours.Sign(t, time.Hour)
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	must(t, err)
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	if err := ask(t, Options{URL: s.URL, CA: ca}); err == nil {
		t.Error("ready without a client certificate")
	}
	if err := ask(t, Options{URL: s.URL, CA: ca, Certificate: cert, Key: key}); err != nil {
		t.Error(err)
	}
}

// So does a token, which is read each time.
func TestToken(t *testing.T) {
	ours, dir := healthtest.NewAuthority(t), t.TempDir()
	s := serve(t, "127.0.0.1", ours.Sign(t, time.Hour), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
	ours.Write(t, ca)
	if err := ask(t, Options{URL: s.URL, CA: ca, Token: token}); err == nil || !strings.Contains(err.Error(), token) {
		t.Errorf("without the file: %v", err)
	}
	for text, want := range map[string]bool{"other": false, "secret\n": true} {
		must(t, os.WriteFile(token, []byte(text), 0o600))
		if err := ask(t, Options{URL: s.URL, CA: ca, Token: token}); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Each probe comes by its own connection, and the one before is closed.
func TestConnections(t *testing.T) {
	ours := healthtest.NewAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	ours.Write(t, ca)
	open, closed := make(chan string, 10), make(chan string, 10)
	note := func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open <- c.RemoteAddr().String()
		case http.StateClosed:
			closed <- c.RemoteAddr().String()
		default:
		}
	}
	s := serve(t, "127.0.0.1", ours.Sign(t, time.Hour), ok, func(s *httptest.Server) { s.Config.ConnState = note })
	o, err := Options{URL: s.URL, CA: ca, ServerName: "kubernetes"}.complete()
	must(t, err)
	a := &asker{options: o, broken: make(chan struct{}, 1)}
	for range 3 {
		must(t, a.ask(t.Context()))
		first := <-open
		a.close()
		if last := <-closed; last != first {
			t.Errorf("closed %s, not %s", last, first)
		}
	}
}

// A server that is killed is noticed long before the next probe is due.
func TestKilled(t *testing.T) {
	ours := healthtest.NewAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	ours.Write(t, ca)
	s := serve(t, "127.0.0.1", ours.Sign(t, time.Hour), ok)
	p, err := New(Options{URL: s.URL, CA: ca, ServerName: "kubernetes", Period: 5 * time.Second}, slog.New(slog.DiscardHandler))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	if !<-p.Ready() {
		t.Fatal("not ready")
	}
	start := time.Now()
	_ = s.Listener.Close()
	s.CloseClientConnections()
	if <-p.Ready() {
		t.Fatal("ready")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("noticed after %s", took)
	} else {
		t.Logf("noticed after %s", took)
	}
	cancel()
	must(t, <-ended)
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no URL":            {CA: "ca.crt"},
		"no TLS":            {URL: "http://127.0.0.1", CA: "ca.crt"},
		"no host":           {URL: "https:///readyz", CA: "ca.crt"},
		"rubbish":           {URL: "https://[::1", CA: "ca.crt"},
		"no CA":             {URL: "https://127.0.0.1"},
		"no key":            {URL: "https://127.0.0.1", CA: "ca.crt", Certificate: "a"},
		"negative":          {URL: "https://127.0.0.1", CA: "ca.crt", Period: -1},
		"less than nothing": {URL: "https://127.0.0.1", CA: "ca.crt", Failures: -1},
	} {
		if _, err := New(o, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o, err := Options{URL: "https://[::1]:6443/livez?verbose", CA: "ca.crt"}.complete()
	if err != nil || o.URL != "https://[::1]:6443/livez?verbose" {
		t.Errorf("%+v, %v", o, err)
	}
}

// localhost is asked by IPv4, or else by IPv6, and an error names both.
func TestLocalhost(t *testing.T) {
	authority := healthtest.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	authority.Write(t, file)
	var flags Flags
	flags.CA, flags.ServerName, flags.Timeout = file, DefaultServerName, DefaultTimeout
	var free uint16
	for _, address := range []string{"127.0.0.1", "::1"} {
		server := serve(t, address, authority.Sign(t, time.Hour), ok)
		port := uint16(server.Listener.Addr().(*net.TCPAddr).Port)
		if err := ask(t, flags.Of(port)); err != nil {
			t.Errorf("of a server on %s: %v", address, err)
		}
		server.Close()
		free = port
	}
	err := ask(t, flags.Of(free))
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1") || !strings.Contains(err.Error(), "[::1]") || !hasty(err) {
		t.Errorf("of no server: %v", err)
	}
}
