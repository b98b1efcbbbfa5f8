// Package realtime has what a thread of the announcer needs that is to be in time,
// whatever else the process and the machine do: a priority, a wait that tells Go's
// scheduler, wake-ups that take no lock, and a count of how late it was.
package realtime
