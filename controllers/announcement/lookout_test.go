package announcement

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"
)

func TestLookout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		tries, cutOff := 0, false
		there := func(context.Context) error { return nil }
		refused := func(context.Context) error { return errors.New("refused") }
		silent := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		answer := there
		try := func(ctx context.Context) error {
			mu.Lock()
			tries++
			answer := answer
			mu.Unlock()
			return answer(ctx)
		}
		var gone time.Duration
		away := func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return gone
		}
		l := newLookout(try, away, func(is bool) {
			mu.Lock()
			defer mu.Unlock()
			cutOff = is
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.run(ctx) }()
		for _, step := range []struct {
			name        string
			alone       bool
			answer      func(context.Context) error
			lasts       time.Duration
			least, most int
			cutOff      bool
			away        time.Duration
		}{
			{"others are heard", false, refused, time.Hour, 0, 0, false, 0},
			{"alone", true, there, 10 * time.Second, 10, 11, false, 0},
			{"refused", true, refused, 10 * time.Second, 10, 10, true, 0},
			{"silent", true, silent, 10 * time.Second, 9, 10, true, 0},
			{"back", true, there, 3 * time.Second, 2, 4, false, 0},
			{"refused again", true, refused, 2 * time.Second, 1, 2, true, 0},
			{"somebody is heard", false, refused, time.Hour, 0, 1, false, 0},
			{"alone just after the API server went", true, refused, 3 * time.Second, 2, 4, true, time.Second},
			{"somebody is heard again", false, refused, time.Minute, 0, 1, false, time.Minute},
			{"alone long after the API server went", true, refused, time.Minute, 59, 61, false, time.Hour},
			{"the API server came back", true, there, 3 * time.Second, 2, 4, false, 0},
			{"and went again", true, refused, 3 * time.Second, 2, 4, true, 0},
		} {
			mu.Lock()
			tries, answer, gone = 0, step.answer, step.away
			mu.Unlock()
			l.set(step.alone)
			<-time.After(step.lasts)
			synctest.Wait()
			mu.Lock()
			if tries < step.least || tries > step.most || cutOff != step.cutOff {
				t.Errorf("%s: %d tries, cut off %v; want %d to %d, %v", step.name, tries, cutOff, step.least, step.most, step.cutOff)
			}
			mu.Unlock()
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Each try asks anew, over a connection of its own.
func TestReach(t *testing.T) {
	status := http.StatusOK
	connections := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/behind/readyz" || r.Header.Get("Authorization") != "Bearer word" {
			t.Errorf("%s with %q", r.URL, r.Header.Get("Authorization"))
		}
		w.WriteHeader(status)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections++
		}
	}
	server.StartTLS()
	config := &rest.Config{Host: server.URL + "/behind", BearerToken: "word"}
	config.CAData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	try, err := reach(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		status int
		there  bool
	}{
		{http.StatusOK, true},
		{http.StatusForbidden, true},
		{http.StatusInternalServerError, false},
		{http.StatusServiceUnavailable, false},
		{http.StatusOK, true},
	} {
		status = test.status
		if err := try(t.Context()); (err == nil) != test.there {
			t.Errorf("status %d: %v", test.status, err)
		}
	}
	server.Close()
	if err := try(t.Context()); err == nil {
		t.Error("nobody is there, and yet it was reached")
	}
	if connections != 5 {
		t.Errorf("%d connections for 5 tries", connections)
	}
}
