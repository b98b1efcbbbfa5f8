package service

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// wrote remembers the version of a Service that a write made.
func (b *book) wrote(svc *corev1.Service) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if e := b.entries[client.ObjectKeyFromObject(svc)]; e != nil && e.uid == svc.UID {
		e.version = svc.ResourceVersion
	}
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

// knows says whether the Service is in the book.
func (b *book) knows(key types.NamespacedName) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.entries[key] != nil
}
