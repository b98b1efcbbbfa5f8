package config

import "github.com/heraldlb/herald/config/fault"

type (
	// Severity tells whether a fault keeps the configuration from being used.
	Severity = fault.Severity
	// Fault is one thing wrong with the configuration, and where.
	Fault = fault.Fault
	// Faults are the faults of one configuration, sorted by key and place.
	Faults = fault.Faults
)

// The severities of a fault.
const (
	// Warning: the configuration is used, but hardly as it was meant.
	Warning = fault.Warning
	// Error: the configuration is refused as a whole.
	Error = fault.Error
)
