package membership

import (
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// quiet keeps the log from being filled: of each topic it lets a line pass now and
// then.
type quiet map[string]*rate.Sometimes

const (
	// quietPause is between two lines of a topic.
	quietPause = time.Minute
	// maxTopics bounds the topics, which have names that strangers thought of. More
	// are one.
	maxTopics = 128
)

func (q *quiet) log(log *slog.Logger, topic, what string, args ...any) {
	if *q == nil {
		*q = make(quiet)
	}
	if (*q)[topic] == nil && len(*q) >= maxTopics {
		topic = "others"
	}
	s := (*q)[topic]
	if s == nil {
		s = &rate.Sometimes{Interval: quietPause}
		(*q)[topic] = s
	}
	s.Do(func() { log.Warn(what, args...) }) //nolint:sloglint // each caller has a constant
}
