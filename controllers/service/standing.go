package service

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

const (
	// unreported stands for the reason of a condition that is not there, or speaks of
	// another address.
	unreported = "Unreported"
	// otherReason stands for those beyond maxReasons: who may write a status may write
	// any.
	otherReason = "Other"
	maxReasons  = 24
)

// standing is how the Services stand, by what their conditions say.
type standing struct {
	// addresses counts those held, each once, whoever shares it.
	addresses map[familyReason]int
	// waiting counts the Services that have no address, and are to have one.
	waiting map[string]int
}

type familyReason struct {
	family corev1.IPFamily
	reason string
}

func (k familyReason) other() familyReason { return familyReason{k.family, otherReason} }

func (k familyReason) compare(l familyReason) int {
	return cmp.Or(cmp.Compare(k.family, l.family), strings.Compare(k.reason, l.reason))
}

// standingOf counts the Services that Herald serves.
func standingOf(services []corev1.Service, class loadbalancer.Class) standing {
	said := make(map[netip.Addr]*metav1.Condition)
	s := standing{addresses: make(map[familyReason]int), waiting: make(map[string]int)}
	for i := range services {
		svc := &services[i]
		if roleIn(svc, class, false) != roleServe {
			continue
		}
		addresses := loadbalancer.Addresses(svc)
		if len(addresses) == 0 {
			s.waiting[reasonOf(condition(svc))]++
		}
		for _, addr := range addresses {
			if loadbalancer.Foremost(svc, addr) {
				said[addr] = graver(said, addr, announced(svc, addr))
			}
		}
	}
	for addr, c := range said {
		s.addresses[familyReason{loadbalancer.Family(addr), reasonOf(c)}]++
	}
	return s
}

// announced returns the condition of svc that speaks of addr, nil if none does.
func announced(svc *corev1.Service, addr netip.Addr) *metav1.Condition {
	c := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.AnnouncedCondition(addr))
	if c == nil || !loadbalancer.Mentions(c.Message, addr) {
		return nil
	}
	return c
}

// graver returns which of two conditions counts of an address that is shared: one that is
// not True, of equals the first by its reason.
func graver(said map[netip.Addr]*metav1.Condition, addr netip.Addr, c *metav1.Condition) *metav1.Condition {
	before, shared := said[addr]
	if !shared {
		return c
	}
	is := func(c *metav1.Condition) int {
		if c != nil && c.Status == metav1.ConditionTrue {
			return 1
		}
		return 0
	}
	return slices.MinFunc([]*metav1.Condition{before, c}, func(a, b *metav1.Condition) int {
		return cmp.Or(cmp.Compare(is(a), is(b)), cmp.Compare(reasonOf(a), reasonOf(b)))
	})
}

func reasonOf(c *metav1.Condition) string {
	if c == nil {
		return unreported
	}
	// Nobody has checked that it is text, and a label that is none makes Prometheus' library panic.
	return strings.ToValidUTF8(c.Reason, "?")
}

// standings exposes how the Services stand when it is scraped.
type standings struct {
	addresses, waiting *prometheus.Desc
	// now is false while it is not for this replica to say.
	now func() (standing, bool)
}

func newStandings(now func() (standing, bool)) *standings {
	return &standings{
		addresses: prometheus.NewDesc("herald_addresses",
			"Addresses that Services hold, by IP family and by the reason in the condition that says whether a node answers for it; Unreported: it says nothing yet.",
			[]string{"family", "reason"}, nil),
		waiting: prometheus.NewDesc("herald_services_waiting",
			"Services without an address, by the reason in their condition; Unreported: it says nothing yet.", []string{"reason"}, nil),
		now: now,
	}
}

// Describe implements prometheus.Collector.
func (s *standings) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- s.addresses
	descriptions <- s.waiting
}

// Collect implements prometheus.Collector.
func (s *standings) Collect(samples chan<- prometheus.Metric) {
	now, known := s.now()
	if !known {
		return
	}
	for key, count := range bounded(now.addresses, familyReason.other, familyReason.compare) {
		samples <- prometheus.MustNewConstMetric(s.addresses, prometheus.GaugeValue, float64(count), string(key.family), key.reason)
	}
	for reason, count := range bounded(now.waiting, func(string) string { return otherReason }, strings.Compare) {
		samples <- prometheus.MustNewConstMetric(s.waiting, prometheus.GaugeValue, float64(count), reason)
	}
}

// bounded keeps the maxReasons that count most, of equals the first, and counts the rest as
// another.
func bounded[K comparable](counts map[K]int, other func(K) K, compare func(a, b K) int) map[K]int {
	if len(counts) <= maxReasons {
		return counts
	}
	keys := make([]K, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b K) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), compare(a, b)) })
	few := make(map[K]int)
	for i, key := range keys {
		if i < maxReasons {
			few[key] += counts[key]
		} else {
			few[other(key)] += counts[key]
		}
	}
	return few
}
