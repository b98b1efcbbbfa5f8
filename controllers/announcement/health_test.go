package announcement

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := &watchdog{name: "test", TypedReconciler: reconcile.TypedFunc[netip.Addr](
			func(context.Context, netip.Addr) (reconcile.Result, error) {
				<-release
				return reconcile.Result{}, nil
			})}
		healthy := func(want bool) {
			t.Helper()
			if err := w.check(nil); (err == nil) != want {
				t.Errorf("check says %v, want healthy %v", err, want)
			}
		}
		healthy(true)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = w.Reconcile(t.Context(), netip.Addr{})
		}()
		<-time.After(stuckAfter)
		healthy(true)
		<-time.After(time.Second)
		healthy(false)
		close(release)
		<-done
		healthy(true)
	})
}

func testHealth(c *cluster) {
	c.node("a")
	h := c.announcer("a")
	h.launch()
	h.awaitHealth("/readyz", http.StatusOK)
	h.awaitHealth("/healthz", http.StatusOK)
	c.service("web", addrs("192.0.2.1"))
	h.awaitExactly(c.t, addr("192.0.2.1"))
	poll(c.t, "the metrics", func() bool {
		return testutil.GatherAndCompare(h.registry, strings.NewReader(`
			# HELP herald_claims Addresses that this node owns, by IP family.
			# TYPE herald_claims gauge
			herald_claims{family="IPv4"} 1
			# HELP herald_announcer_connected 1 if the agent is connected to its announcer, else 0.
			# TYPE herald_announcer_connected gauge
			herald_announcer_connected 1
			# HELP herald_api_server_reachable 1 if the API server answered the agent's last request, else 0.
			# TYPE herald_api_server_reachable gauge
			herald_api_server_reachable 1
		`)) == nil
	})
	h.stopAnnouncer()
	h.awaitHealth("/readyz", http.StatusInternalServerError)
	h.awaitHealth("/healthz", http.StatusOK)
}

// awaitHealth waits until a probe has this answer.
func (h *host) awaitHealth(path string, status int) {
	h.c.t.Helper()
	poll(h.c.t, fmt.Sprint(path, " to answer ", status), func() bool {
		request, err := http.NewRequestWithContext(h.c.t.Context(), http.MethodGet, "http://"+h.health+path, nil)
		if err != nil {
			h.c.t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == status
	})
}

// poll waits for what gives no event.
func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// An agent of a mistaken name leaves its announcer alone, until it has a Node.
func testNodeName(c *cluster) {
	c.node("a")
	before := addr("192.0.2.1")
	svc := c.service("web", []netip.Addr{before})
	h := c.host("a")
	h.awaitExactly(c.t, before)
	h.stop()
	h.mu.Lock()
	snapshots := h.snapshots
	h.mu.Unlock()

	h.name = "late"
	h.launch()
	h.awaitHealth("/healthz", http.StatusOK)
	h.awaitHealth("/readyz/announcer", http.StatusOK)
	h.awaitHealth("/readyz/node", http.StatusInternalServerError)
	h.mu.Lock()
	if h.snapshots != snapshots {
		c.t.Error("the announcer was told of the addresses of no node")
	}
	h.mu.Unlock()
	h.awaitExactly(c.t, before)

	exclude := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	c.patch(exclude, func() { exclude.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} })
	c.node("late")
	h.awaitHealth("/readyz", http.StatusOK)
	h.awaitExactly(c.t, before)
	c.awaitService(svc, "the condition", announcedBy("late"))
}
