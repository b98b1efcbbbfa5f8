package promtool

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Scrape is what was read of some targets at one moment: samples by their series, such as
// herald_claims{family="IPv4",node="node1"}.
type Scrape map[string]float64

// Add adds what one target exposes, with the labels that are the target's.
func (s Scrape) Add(families map[string]*dto.MetricFamily, target map[string]string) {
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			labels := maps.Clone(target)
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			s.add(name, labels, metric)
		}
	}
}

func (s Scrape) add(name string, labels map[string]string, metric *dto.Metric) {
	if summary := metric.GetSummary(); summary != nil {
		s[series(name+"_sum", labels)] = summary.GetSampleSum()
		s[series(name+"_count", labels)] = float64(summary.GetSampleCount())
		return
	}
	histogram := metric.GetHistogram()
	if histogram == nil {
		s[series(name, labels)] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + metric.GetUntyped().GetValue()
		return
	}
	s[series(name+"_sum", labels)] = histogram.GetSampleSum()
	s[series(name+"_count", labels)] = float64(histogram.GetSampleCount())
	for _, bucket := range histogram.GetBucket() {
		labels["le"] = strconv.FormatFloat(bucket.GetUpperBound(), 'g', -1, 64)
		s[series(name+"_bucket", labels)] = float64(bucket.GetCumulativeCount())
	}
}

// Names are those of the metrics, as they are queried.
func (s Scrape) Names() map[string]bool {
	names := map[string]bool{}
	for key := range s {
		names[metric(key)] = true
	}
	return names
}

func series(name string, labels map[string]string) string {
	var pairs []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, labels[label]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

func metric(series string) string {
	name, _, _ := strings.Cut(series, "{")
	return name
}

// counts says whether a series only ever grows.
func counts(series string) bool {
	name := metric(series)
	return slices.ContainsFunc([]string{"_total", "_bucket", "_sum", "_count"}, func(end string) bool { return strings.HasSuffix(name, end) })
}
