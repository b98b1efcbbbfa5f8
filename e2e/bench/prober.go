package main

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
	Address netip.Addr `json:"address"`
	Since   instant    `json:"since"`
}

// answer tells when a node first claimed the address on the segment (0 if none
// was seen to), and when the first request was answered.
type answer struct {
	Claimed instant `json:"claimed"`
	Reached instant `json:"reached"`
	// Error is why it was not reached.
	Error string `json:"error,omitempty"`
}

var errUnreached = errors.New("no answer")

// prober answers one question after the other, until there are no more.
func prober(ctx context.Context, link string, in io.Reader, out io.Writer) error {
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
		var found answer
		if found.Reached, err = reach(ctx, asked.Address); err != nil {
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
// before, and returns when the first one was answered.
func reach(ctx context.Context, address netip.Addr) (instant, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, proberPatience, fmt.Errorf("%w from %s in %s", errUnreached, address, proberPatience))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{Timeout: attemptPatience}).DialContext,
	}}
	url := "http://" + netip.AddrPortFrom(address, servicePort).String() + "/"
	var attempts sync.WaitGroup
	defer attempts.Wait()
	defer cancel() // ends the attempts that are still under way
	successes := make(chan instant)
	ticker := time.NewTicker(attemptInterval)
	defer ticker.Stop()
	for {
		attempts.Go(func() {
			if get(ctx, client, url) != nil {
				return
			}
			at, err := now()
			if err != nil {
				return
			}
			select {
			case successes <- at:
			case <-ctx.Done():
			}
		})
		select {
		case at := <-successes:
			return at, nil
		case <-ticker.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
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
