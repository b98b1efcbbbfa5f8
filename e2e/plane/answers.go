// Package plane looks at a lab's control plane through its VIP, as a client does, and harms
// who holds it.
package plane

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// Answer is what became of one request.
type Answer struct {
	// Number counts the requests.
	Number int `json:"number"`
	// Pending says that nothing became of it yet.
	Pending bool `json:"pending,omitempty"`
	// At is when it was begun, Took how long it took.
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took"`
	// Server is the host whose API server answered.
	Server string `json:"server,omitempty"`
	// Error is why there was no answer; "" if there was one. Refused says that no
	// connection was made at all.
	Error   string `json:"error,omitempty"`
	Refused bool   `json:"refused,omitempty"`
}

// patience is how long a request may take.
const patience = 5 * time.Second

// Ask asks an API server for a URL, on a new connection each time, at an interval, and writes two
// lines of JSON for each, an Answer that is pending and what became of it, until ctx ends.
func Ask(ctx context.Context, url string, interval time.Duration, out io.Writer) error {
	lines := make(chan Answer, 1024)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	encoder := json.NewEncoder(out)
	for number := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case answer := <-lines:
			if err := encoder.Encode(answer); err != nil {
				return err
			}
		case <-ticker.C:
			number++
			begun := Answer{Number: number, At: time.Now(), Pending: true}
			if err := encoder.Encode(begun); err != nil {
				return err
			}
			go func() {
				answer := ask(ctx, url, begun)
				select {
				case lines <- answer:
				case <-ctx.Done():
				}
			}()
		}
	}
}

func ask(ctx context.Context, url string, a Answer) Answer {
	a.Pending = false
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true, DialContext: new(net.Dialer).DialContext,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // that it answers matters, not who it is
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err == nil {
		a.Server, err = answered(transport.RoundTrip(request))
	}
	a.Took = time.Since(a.At)
	if err != nil {
		a.Error = err.Error()
		dial, ok := errors.AsType[*net.OpError](err)
		a.Refused = ok && dial.Op == "dial"
	}
	return a
}

// answered returns who answered, by its certificate.
func answered(response *http.Response, err error) (server string, _ error) {
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("answer %s", response.Status))
	}
	return response.TLS.PeerCertificates[0].Subject.CommonName, errors.Join(err, response.Body.Close())
}

// Outage is the longest that a request had to wait for an answer: its own, or one to a
// later request, or until end if none came.
func Outage(answers []Answer, end time.Time) (longest time.Duration) {
	next := end // the earliest answer to this or a later request
	for _, a := range slices.Backward(answers) {
		if came := a.At.Add(a.Took); a.Error == "" && !a.Pending && came.Before(next) {
			next = came
		}
		longest = max(longest, next.Sub(a.At))
	}
	return longest
}

// Slowest is the longest that a request took which was answered: where a packet was lost,
// TCP sends it again after a second.
func Slowest(answers []Answer) (slowest time.Duration) {
	for _, a := range answers {
		if a.Error == "" {
			slowest = max(slowest, a.Took)
		}
	}
	return slowest
}

// Failed returns those that got no answer.
func Failed(answers []Answer) (failed []Answer) {
	for _, a := range answers {
		if a.Error != "" || a.Pending {
			failed = append(failed, a)
		}
	}
	return failed
}
