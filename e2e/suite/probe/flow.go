package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	flowInterval = 10 * time.Millisecond
	flowPatience = 3 * time.Second
)

// summary tells what became of a flow of requests.
type summary struct {
	Sent   int `json:"sent"`
	Failed int `json:"failed"`
	// FirstError is that of the first request that failed.
	FirstError string `json:"firstError,omitempty"`
	// Slowest is the longest time that a request took. A lost packet shows
	// here as the second that TCP waits before it sends again.
	Slowest time.Duration `json:"slowest"`
}

// flow sends a request every flowInterval, each on a connection of its own,
// until ctx ends, and waits for the last answers.
func flow(ctx context.Context, url string) summary {
	client := &http.Client{
		Timeout:   flowPatience,
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	var (
		mu       sync.Mutex
		total    summary
		requests sync.WaitGroup
	)
	ticker := time.NewTicker(flowInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		requests.Go(func() {
			begin := time.Now()
			// A request that is under way when ctx ends is finished too.
			err := request(context.WithoutCancel(ctx), client, url)
			mu.Lock()
			defer mu.Unlock()
			total.add(time.Since(begin), err)
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	requests.Wait()
	return total
}

func (s *summary) add(took time.Duration, err error) {
	s.Sent++
	s.Slowest = max(s.Slowest, took)
	if err == nil {
		return
	}
	if s.Failed == 0 {
		s.FirstError = err.Error()
	}
	s.Failed++
}

func request(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}
