package expose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

const (
	// attemptInterval is how exactly the first answer is timed.
	attemptInterval = 5 * time.Millisecond
	// attemptPatience is longer than TCP waits to send a lost packet again.
	attemptPatience = 2 * time.Second
	// proberPatience is when an address counts as unreachable.
	proberPatience = 10 * time.Second
)

// question asks the prober to try an address; claims before Since are not of
// this Service.
type question struct {
	Address netip.Addr    `json:"address"`
	Since   clock.Instant `json:"since"`
}

// answer tells when a node first claimed the address on the segment (0 if none
// was seen to), when any request was first answered, and when the one was that
// was sent first, as soon as the address was known (0 if it was not).
type answer struct {
	Claimed clock.Instant `json:"claimed"`
	Reached clock.Instant `json:"reached"`
	First   clock.Instant `json:"first"`
	// Error is why it was not reached.
	Error string `json:"error,omitempty"`
}

var errUnreached = errors.New("no answer")

// Prober answers one question after the other, until there are no more.
func Prober(ctx context.Context, link string, in io.Reader, out io.Writer) error {
	claims, err := listen(link)
	if err != nil {
		return err
	}
	defer claims.close()
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked question
		err := questions.Decode(&asked)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		found, err := reach(ctx, asked.Address)
		if err != nil {
			found.Error = err.Error()
		}
		// What was answered was claimed before; the frame may not be read yet.
		reading, cancel := context.WithTimeout(ctx, time.Second)
		found.Claimed = claims.first(reading, asked.Address, asked.Since)
		cancel()
		if err := answers.Encode(found); err != nil {
			return err
		}
	}
}

// reach begins a request every attemptInterval, whatever became of those
// before, until one is answered, and waits for what becomes of the first.
func reach(ctx context.Context, address netip.Addr) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, proberPatience, fmt.Errorf("%w from %s in %s", errUnreached, address, proberPatience))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{Timeout: attemptPatience}).DialContext,
	}}
	url := "http://" + netip.AddrPortFrom(address, servicePort).String() + "/"
	first := make(chan clock.Instant, 1)
	go func() { first <- attempt(ctx, client, url) }()

	others, stop := context.WithCancel(ctx)
	var found answer
	var attempts sync.WaitGroup
	successes := make(chan clock.Instant)
	ticker := time.NewTicker(attemptInterval)
	defer ticker.Stop()
	for found.Reached == 0 && ctx.Err() == nil {
		select {
		case found.First = <-first:
			found.Reached, first = found.First, nil
		case found.Reached = <-successes:
		case <-ticker.C:
			attempts.Go(func() {
				at := attempt(others, client, url)
				select {
				case successes <- at:
				case <-others.Done():
				}
			})
		case <-ctx.Done():
		}
	}
	stop()
	attempts.Wait()
	if first != nil {
		found.First = <-first
	}
	if found.Reached == 0 {
		return found, context.Cause(ctx)
	}
	return found, nil
}

// attempt returns when a request was answered; 0 if it was not.
func attempt(ctx context.Context, client *http.Client, url string) clock.Instant {
	if get(ctx, client, url) != nil {
		return 0
	}
	at, err := clock.Now()
	if err != nil {
		return 0
	}
	return at
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
