package announcement

import (
	"sync/atomic"

	"github.com/heraldlb/herald/announcer"
)

// LatestView is the membership as the announcer told of it last. The zero value
// holds none. It is safe for concurrent use.
type LatestView struct {
	view atomic.Pointer[announcer.View]
}

// Get returns the view; it is false while the announcer is away, or has not
// told of any.
func (l *LatestView) Get() (announcer.View, bool) {
	if view := l.view.Load(); view != nil {
		return *view, true
	}
	return announcer.View{}, false
}

func (l *LatestView) set(view announcer.View) { l.view.Store(&view) }

func (l *LatestView) forget() { l.view.Store(nil) }
