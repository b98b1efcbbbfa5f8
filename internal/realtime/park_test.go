package realtime

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// spinner is set for the process that TestParkYields watches.
const spinner = "HERALD_REALTIME_SPINNER"

func TestMain(m *testing.M) {
	if os.Getenv(spinner) != "" {
		spin()
		return
	}
	os.Exit(m.Run())
}

// spin wakes a timing thread often while garbage is collected all the time, so that it is
// woken while its stack is looked at.
func spin() {
	if err := Favour(); err != nil {
		panic(err)
	}
	go func() {
		for {
			runtime.GC()
		}
	}()
	woken := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		timing := Schedule()
		if timing.String() != RealTime {
			panic("no real time: " + timing.String())
		}
		for range 3_000 {
			timing.Park(nil, &unix.Timespec{Nsec: 20_000})
		}
		close(woken)
	}()
	<-woken
}

// A timing thread lets those run that it waits for. On one processor, one that did not
// would wait for ever.
func TestParkYields(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), spinner+"=1")
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	for cpu := range 1024 {
		if allowed.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread, which has one processor, ends with this
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			done <- err
			return
		}
		output, err := cmd.CombinedOutput()
		t.Logf("%s", output)
		done <- err
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
