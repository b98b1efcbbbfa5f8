package health

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Defaults of Options.
const (
	DefaultPeriod    = 500 * time.Millisecond
	DefaultTimeout   = time.Second
	DefaultFailures  = 2
	DefaultSuccesses = 2
)

// Options say which API server is probed, and how. What is zero is the default.
type Options struct {
	// URL is where to ask, such as https://127.0.0.1:6443 or https://[::1]:6443.
	// Without a path, it is /readyz that is asked for.
	URL string
	// CA is the file of the certificates that the server's must be signed by. It
	// is read for each probe: it may be written, or replaced, at any time.
	CA string
	// ServerName is the name that the server's certificate must be for; empty: the
	// host of the URL. Those of kubeadm are not for the loopback address, but for
	// "kubernetes".
	ServerName string
	// Certificate and Key are the files of a client certificate, for an API server
	// that shows /readyz to nobody else; read for each probe. Empty: none.
	Certificate, Key string
	// Token is the file of a bearer token, for the same, read for each probe; empty: none.
	Token string
	// Period is the time from the start of one probe to that of the next.
	Period time.Duration
	// Timeout is how long the server may take to answer.
	Timeout time.Duration
	// Failures and Successes are how many in a row it takes to turn unready and
	// ready; the first success of all is enough.
	Failures, Successes int
}

// complete returns the options with their defaults, or an error that names the
// one which is wrong.
func (o Options) complete() (Options, error) {
	o.Period = cmp.Or(o.Period, DefaultPeriod)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Failures = cmp.Or(o.Failures, DefaultFailures)
	o.Successes = cmp.Or(o.Successes, DefaultSuccesses)
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return o, fmt.Errorf("URL of the API server's health: %w", err)
	case u.Scheme != "https" || u.Host == "":
		return o, fmt.Errorf("URL of the API server's health %q: want such as https://127.0.0.1:6443/readyz", o.URL)
	case o.CA == "":
		return o, errors.New("health of the API server: no CA file")
	case (o.Certificate == "") != (o.Key == ""):
		return o, errors.New("health of the API server: a client certificate needs its key, and a key its certificate")
	case o.Period < 0 || o.Timeout < 0 || o.Failures < 0 || o.Successes < 0:
		return o, fmt.Errorf("health of the API server: period %s, timeout %s, %d failures, %d successes: none may be negative",
			o.Period, o.Timeout, o.Failures, o.Successes)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/readyz"
	}
	o.URL = u.String()
	return o, nil
}
