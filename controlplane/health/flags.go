package health

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/pflag"
)

const (
	// DefaultCA is where kubeadm keeps the certificate authority of API servers.
	DefaultCA = "/etc/kubernetes/pki/ca.crt"
	// DefaultServerName is in the certificate of every API server: its Service's name.
	DefaultServerName = "kubernetes"
	// Localhost is this host, by IPv4 or IPv6.
	Localhost = "localhost"
)

// Flags say how to look at the health of the API server of this host.
type Flags struct{ Options }

// Register adds the flags, all named health-*, to a command's.
func (f *Flags) Register(set *pflag.FlagSet) {
	set.StringVar(&f.URL, "health-url", "", "health of the API server of this host (default https://localhost:PORT/readyz, by IPv4 or else IPv6)")
	set.StringVar(&f.CA, "health-ca", DefaultCA, "file of the certificate authority of the API server")
	set.StringVar(&f.ServerName, "health-server-name", DefaultServerName, "name that the API server's certificate is for")
	set.StringVar(&f.Certificate, "health-cert", "", "file of a client certificate, for an API server that answers no stranger")
	set.StringVar(&f.Key, "health-key", "", "file of its key")
	set.StringVar(&f.Token, "health-token", "", "file of a bearer token, for an API server that answers no stranger")
	set.DurationVar(&f.Period, "health-period", DefaultPeriod, "time between two looks at the API server's health")
	set.DurationVar(&f.Timeout, "health-timeout", DefaultTimeout, "time that a look may take")
	set.IntVar(&f.Failures, "health-failures", DefaultFailures, "failures in a row that make the API server unready")
	set.IntVar(&f.Successes, "health-successes", DefaultSuccesses, "successes in a row that make it ready again; the first of all counts at once")
}

// Check returns an error that names a flag.
func (f *Flags) Check() error {
	switch {
	case f.Period < 10*time.Millisecond:
		return fmt.Errorf("--health-period %s: at least 10ms", f.Period)
	case f.Timeout < time.Millisecond:
		return fmt.Errorf("--health-timeout %s: at least 1ms", f.Timeout)
	case f.Failures < 1:
		return fmt.Errorf("--health-failures %d: at least 1", f.Failures)
	case f.Successes < 1:
		return fmt.Errorf("--health-successes %d: at least 1", f.Successes)
	case f.CA == "":
		return errors.New("--health-ca: the certificate authority of the API server is needed")
	}
	if _, err := f.Of(1).complete(); err != nil {
		return fmt.Errorf("--health-url, --health-cert, --health-key: %w", err)
	}
	return nil
}

// Of returns how to ask the API server that listens on that port of this host, unless
// there is a --health-url.
func (f *Flags) Of(port uint16) Options {
	o := f.Options
	if o.URL == "" {
		o.URL = "https://" + net.JoinHostPort(Localhost, strconv.Itoa(int(port))) + "/readyz"
	}
	return o
}
