package apiservers

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/internal/apiserver"
)

const patience = 30 * time.Second

// follow waits for each list that Follow tells.
func follow(t *testing.T, client kubernetes.Interface, source Source) (next func() []netip.AddrPort) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	told, done := make(chan []netip.AddrPort, 8), make(chan error, 1)
	go func() {
		done <- Follow(ctx, client, source, 6443, func(all []netip.AddrPort) { told <- all })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() []netip.AddrPort {
		t.Helper()
		select {
		case all := <-told:
			return all
		case <-time.After(patience):
			t.Fatal("told nothing")
			return nil
		}
	}
}

// Nodes with the label are told of, with one address of each family; of none, nothing is.
func TestNodes(t *testing.T) {
	client, err := kubernetes.NewForConfig(apiserver.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	next := follow(t, client, Nodes)
	nodes := client.CoreV1().Nodes()
	add := func(name string, labels map[string]string, addresses ...string) {
		t.Helper()
		node, err := nodes.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range addresses {
			node.Status.Addresses = append(node.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: address})
		}
		if _, err := nodes.UpdateStatus(t.Context(), node, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	isControlPlane := map[string]string{ControlPlaneLabel: ""}
	add("worker", nil, "192.0.2.9")
	add("cp1", isControlPlane, "192.0.2.1", "192.0.2.101", "2001:db8::1")
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:6443"), netip.MustParseAddrPort("[2001:db8::1]:6443")}
	if got := next(); !slices.Equal(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
	add("cp2", isControlPlane, "192.0.2.2")
	want = slices.Insert(want, 1, netip.MustParseAddrPort("192.0.2.2:6443"))
	if got := next(); !slices.Equal(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
	if err := nodes.Delete(t.Context(), "cp1", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := next(); !slices.Equal(got, want[1:2]) {
		t.Errorf("told of %v, want %v", got, want[1:2])
	}
}

// The API server lists itself.
func TestEndpoints(t *testing.T) {
	config := apiserver.Start(t)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if got := follow(t, client, Endpoints)(); len(got) != 1 || got[0].Port() == 0 {
		t.Errorf("told of %v, want the API server", got)
	}
}
