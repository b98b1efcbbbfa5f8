package balancer

// Sweep removes the table that a crash left, and reports whether there was one. The error
// says what the kernel or the process lacks.
func Sweep() (was bool, err error) {
	k, err := openKernel()
	if err != nil {
		return false, explain(err)
	}
	defer k.close()
	was, err = k.there()
	if err != nil {
		return false, explain(err)
	}
	if !was {
		return false, nil
	}
	if err := k.remove(); err != nil {
		return true, explain(err)
	}
	return true, nil
}
