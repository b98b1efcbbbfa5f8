package service

import (
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/heraldlb/herald/config"
)

// The reasons of events on the ConfigMap of the pools.
const (
	// eventPoolsInvalid: a key has an error, so the last good ConfigMap stays (Warning).
	eventPoolsInvalid = "PoolsInvalid"
	// eventPoolsWarning: a key is without effect, or is used, but hardly as it was meant (Warning).
	eventPoolsWarning = "PoolsWarning"
	// eventPoolsMissing: there is no ConfigMap, so the last good one stays (Warning).
	eventPoolsMissing = "PoolsMissing"
)

// maxFaultEvents bounds the events of one broken ConfigMap.
const maxFaultEvents = 50

// faultReporter tells what is wrong with the ConfigMap of the pools: one event
// for each faulty key, once.
type faultReporter struct {
	reporter
	data map[string]string // the ConfigMap that told is of
	told map[string]bool
}

// report tells the faults that it has not told yet; those of a Node's addresses
// with the Node, else nil.
func (f *faultReporter) report(configMap *corev1.ConfigMap, faults config.Faults, node *corev1.Node) {
	if f.told == nil || !maps.Equal(f.data, configMap.Data) {
		f.data, f.told = configMap.Data, make(map[string]bool)
	}
	places, notes := f.untold(faults)
	for i, at := range places {
		if i == maxFaultEvents {
			f.warn(configMap, node, "", eventPoolsWarning, fmt.Sprintf("%d more keys have faults; herald check lists them all", len(places)-i))
			return
		}
		reason := eventPoolsWarning
		if at.severity == config.Error {
			reason = eventPoolsInvalid
		}
		f.warn(configMap, node, at.key, reason, strings.Join(notes[at], "; "))
	}
}

// place is what one event is about.
type place struct {
	key      string
	severity config.Severity
}

// untold returns the new faults by place, and the places in order.
func (f *faultReporter) untold(faults config.Faults) ([]place, map[place][]string) {
	var places []place
	notes := make(map[place][]string)
	for _, fault := range faults {
		note := fault.String()
		if f.told[note] {
			continue
		}
		f.told[note] = true
		at := place{fault.Key, fault.Severity}
		if notes[at] == nil {
			places = append(places, at)
		}
		notes[at] = append(notes[at], note)
	}
	return places, notes
}

// missing tells, once, that there is no ConfigMap.
func (f *faultReporter) missing(configMap *corev1.ConfigMap, note string) {
	if f.told[note] {
		return
	}
	f.data, f.told = nil, map[string]bool{note: true}
	f.warn(configMap, nil, "", eventPoolsMissing, note)
}

// warn names the key and the Node in the event's references: the recorder takes
// events that differ in nothing but the note for one that repeats.
func (f *faultReporter) warn(configMap *corev1.ConfigMap, node *corev1.Node, key, reason, note string) {
	regarding := &corev1.ObjectReference{
		APIVersion:      corev1.SchemeGroupVersion.String(),
		Kind:            "ConfigMap",
		Namespace:       configMap.Namespace,
		Name:            configMap.Name,
		UID:             configMap.UID,
		ResourceVersion: configMap.ResourceVersion,
	}
	if key != "" {
		regarding.FieldPath = fmt.Sprintf("data[%s]", key)
	}
	var related runtime.Object
	if node != nil {
		related = node
	}
	f.recorder.Eventf(regarding, related, corev1.EventTypeWarning, reason, actionLoad, "%s", shortened(note))
}
