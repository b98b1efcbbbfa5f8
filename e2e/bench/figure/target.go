package figure

import "fmt"

// Target is a limit of a figure.
type Target struct {
	LimitMost  *float64 `json:"atMost,omitempty"`
	LimitLeast *float64 `json:"atLeast,omitempty"`
}

// AtMost is met by what is no larger.
func AtMost(limit float64) *Target { return &Target{LimitMost: &limit} }

// AtLeast is met by what is no smaller.
func AtLeast(limit float64) *Target { return &Target{LimitLeast: &limit} }

func (t *Target) String() string {
	if t.LimitMost != nil {
		return fmt.Sprintf("at most %g", *t.LimitMost)
	}
	return fmt.Sprintf("at least %g", *t.LimitLeast)
}

func (t *Target) met(value float64) bool {
	if t.LimitMost != nil {
		return value <= *t.LimitMost
	}
	return value >= *t.LimitLeast
}
