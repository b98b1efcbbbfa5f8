package service

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// stored takes note of svc as the API server has it: of its version, and of the
// addresses that it has lost, which are free from now on.
func (b *book) stored(svc *corev1.Service) {
	b.mu.Lock()
	e := b.entries[client.ObjectKeyFromObject(svc)]
	if e == nil || e.uid != svc.UID {
		b.mu.Unlock()
		return
	}
	e.version = svc.ResourceVersion
	b.shed(e, loadbalancer.Addresses(svc))
	woken := b.serve()
	b.mu.Unlock()

	b.wake(woken)
}

// shed frees what is leaving e and not in its status any more.
func (b *book) shed(e *entry, status []netip.Addr) {
	if len(e.leaving) == 0 {
		return
	}
	keep := append(b.granted(e), status...)
	b.allocator.Shed(e.request.Owner, keep)
	e.leaving = slices.DeleteFunc(e.leaving, func(a netip.Addr) bool { return !slices.Contains(status, a) })
}

// ahead says whether a newer version of svc was written or learned: then what
// the cache says of it is out of date (resource versions are comparable since
// KEP-5504).
func (b *book) ahead(svc *corev1.Service) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	e := b.entries[client.ObjectKeyFromObject(svc)]
	if e == nil || e.uid != svc.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(svc.ResourceVersion, e.version)
	return err == nil && order < 0
}

// serves says whether the Service is in the book as one of ours.
func (b *book) serves(key types.NamespacedName) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	e := b.entries[key]
	return e != nil && !e.reserved
}
