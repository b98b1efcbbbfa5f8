package announcement

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"
)

func TestLookout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, cutOff := 0, false
		answer := func(context.Context) error { return nil }
		l := newLookout(func(ctx context.Context) error { tries++; return answer(ctx) }, func(is bool) { cutOff = is })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.run(ctx) }()
		expect := func(what string, within time.Duration, least, most int, want bool) {
			t.Helper()
			tries = 0
			<-time.After(within)
			synctest.Wait()
			if tries < least || tries > most || cutOff != want {
				t.Errorf("%s: %d tries, cut off %v; want %d to %d, %v", what, tries, cutOff, least, most, want)
			}
		}
		expect("others are heard", time.Hour, 0, 0, false)
		l.set(true)
		expect("alone", 10*time.Second, 10, 11, false)
		answer = func(context.Context) error { return errors.New("refused") }
		expect("refused", 10*time.Second, 10, 10, true)
		answer = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		expect("silent", 10*time.Second, 9, 10, true)
		answer = func(context.Context) error { return nil }
		expect("back", 3*time.Second, 2, 4, false)
		answer = func(context.Context) error { return errors.New("refused") }
		expect("refused again", 2*time.Second, 1, 2, true)
		l.set(false)
		expect("somebody is heard", time.Hour, 0, 1, false)
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
