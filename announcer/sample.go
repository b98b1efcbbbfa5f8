package announcer

// Sample is one metric of the announcer with one set of labels, carried up to
// the agent, which has the metrics endpoint. Empty labels are left out. A
// metric whose name ends in _total is a counter, one with a Histogram that, and
// any other a gauge.
type Sample struct {
	Metric    string `json:"metric"`
	Interface string `json:"interface,omitempty"`
	Family    string `json:"family,omitempty"`
	Reason    string `json:"reason,omitempty"`
	State     string `json:"state,omitempty"`
	// Value is that of a counter or a gauge.
	Value     float64    `json:"value"`
	Histogram *Histogram `json:"histogram,omitempty"`
}

// MaxBuckets bounds Histogram.Buckets.
const MaxBuckets = 24

// Histogram is what was observed since the announcer started.
type Histogram struct {
	Count uint64  `json:"count"`
	Sum   float64 `json:"sum"`
	// Buckets are cumulative, in ascending order, without the one that has no
	// bound: that is Count.
	Buckets []Bucket `json:"buckets"`
}

// Bucket counts what was observed up to UpperBound, inclusively.
type Bucket struct {
	UpperBound float64 `json:"le"`
	Count      uint64  `json:"count"`
}
