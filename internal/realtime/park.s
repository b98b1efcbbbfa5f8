// It lets park.go declare functions without a body.
