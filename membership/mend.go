package membership

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// mend closes the ports that the thread gave up, and has others opened in their
// place; what breaks again and again, once a tick.
func (d *desk) mend(now time.Time) error {
	if now.Before(d.nextMend) {
		return nil
	}
	d.mu.Lock() // those who send hold it too
	defer d.mu.Unlock()
	for key, p := range d.ports {
		if !p.broken.Load() {
			continue
		}
		d.nextMend = now.Add(tick)
		delete(d.ports, key)
		d.stale = true
		if err := unix.Close(p.fd); err != nil {
			return fmt.Errorf("close the broken socket of %s: %w", p.name, err)
		}
		d.quiet.log(d.log, "broken "+p.name+family(p.is4), "a socket told of errors only: opening another", "interface", p.name, "family", family(p.is4))
	}
	return nil
}
