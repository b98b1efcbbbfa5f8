package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/config"
)

// The reasons of events on the ConfigMap of the pools.
const (
	eventPoolsInvalid = "PoolsInvalid"
	eventPoolsWarning = "PoolsWarning"
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

// report tells the faults that it has not told yet.
func (f *faultReporter) report(configMap *corev1.ConfigMap, faults config.Faults) {
	if f.told == nil || !maps.Equal(f.data, configMap.Data) {
		f.data, f.told = configMap.Data, make(map[string]bool)
	}
	type place struct {
		key      string
		severity config.Severity
	}
	var order []place
	notes := make(map[place][]string)
	for _, fault := range faults {
		note := fault.String()
		if f.told[note] {
			continue
		}
		f.told[note] = true
		at := place{fault.Key, fault.Severity}
		if !slices.Contains(order, at) {
			order = append(order, at)
		}
		notes[at] = append(notes[at], note)
	}
	for i, at := range order {
		if i == maxFaultEvents {
			f.warn(configMap, "", eventPoolsWarning, fmt.Sprintf("%d more keys have faults; herald check lists them all", len(order)-i))
			return
		}
		reason := eventPoolsWarning
		if at.severity == config.Error {
			reason = eventPoolsInvalid
		}
		f.warn(configMap, at.key, reason, strings.Join(notes[at], "; "))
	}
}

// missing tells, once, that there is no ConfigMap.
func (f *faultReporter) missing(configMap *corev1.ConfigMap) {
	note := "does not exist; the last good pools stay in use"
	if f.told[note] {
		return
	}
	f.data, f.told = nil, map[string]bool{note: true}
	f.warn(configMap, "", eventPoolsMissing, note)
}

// warn refers to the key, so that events of several keys are not taken for one
// that repeats.
func (f *faultReporter) warn(configMap *corev1.ConfigMap, key, reason, note string) {
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
	f.reporter.report(regarding, corev1.EventTypeWarning, reason, actionLoad, note)
}
