package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// behave makes the test binary a program; its value says of which kind.
const behave = "HERALD_TEST_PROGRAM"

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == behave {
		os.Exit(program(os.Args[2]))
	}
	os.Exit(m.Run())
}

// program says its number, and ends as its kind demands.
func program(kind string) int {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGUSR1)
	fmt.Fprintln(os.Stdout, kind, os.Getpid())
	for {
		select {
		case <-end:
			if kind == "fails" {
				return 3
			}
			return 0
		case <-terms:
			if kind == "deaf" {
				continue
			}
			fmt.Fprintln(os.Stdout, "asked", os.Getpid())
			return 0
		}
	}
}

// running is a Run of programs of some kinds.
type running struct {
	t    *testing.T
	pids map[string][]int // by kind
	said chan string
	done chan error
	end  context.CancelFunc
}

func start(t *testing.T, grace time.Duration, kinds ...string) *running {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	r := &running{t: t, pids: make(map[string][]int), said: make(chan string, 16), done: make(chan error, 1), end: end}
	var programs []Program
	for _, kind := range kinds {
		programs = append(programs, Program{Name: "the one that " + kind, Path: "/proc/self/exe", Args: []string{behave, kind}})
	}
	go func() {
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			r.said <- lines.Text()
		}
		close(r.said)
	}()
	go func() {
		err := Run(ctx, programs, writer, grace)
		_ = writer.Close()
		r.done <- err
	}()
	for range kinds {
		kind, pid, _ := strings.Cut(r.hear(), " ")
		number, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		r.pids[kind] = append(r.pids[kind], number)
	}
	return r
}

func (r *running) hear() string {
	r.t.Helper()
	select {
	case line := <-r.said:
		return line
	case <-time.After(patience):
		r.t.Fatal("nothing is said")
		return ""
	}
}

func (r *running) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		for _, pid := range slices.Concat(slices.Collect(maps.Values(r.pids))...) {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				r.t.Errorf("process %d is left behind, or a zombie: %v", pid, err)
			}
		}
		return err
	case <-time.After(patience):
		r.t.Fatal("it does not end")
		return nil
	}
}

func TestAllAreAskedToEnd(t *testing.T) {
	r := start(t, patience, "lives", "lives", "lives")
	r.end()
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	asked := 0
	for line := range r.said {
		if strings.HasPrefix(line, "asked") {
			asked++
		}
	}
	if asked != 3 {
		t.Errorf("%d programs were asked to end, want 3", asked)
	}
}

func TestOneEndsAll(t *testing.T) {
	for kind, is := range map[string]func(error) bool{
		"ends": func(err error) bool { return errors.Is(err, ErrEnded) },
		"fails": func(err error) bool {
			exit, ok := errors.AsType[*exec.ExitError](err)
			return ok && exit.ExitCode() == 3
		},
	} {
		t.Run(kind, func(t *testing.T) {
			r := start(t, patience, kind, "lives", "lives")
			if err := syscall.Kill(r.pids[kind][0], syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			if err := r.wait(); !is(err) || !strings.Contains(err.Error(), "the one that "+kind) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDeafIsKilled(t *testing.T) {
	r := start(t, 100*time.Millisecond, "deaf")
	r.end()
	if err := r.wait(); err == nil || !strings.Contains(err.Error(), "the one that deaf") {
		t.Errorf("error %v, want the deaf one named", err)
	}
}

func TestNoProgram(t *testing.T) {
	err := Run(t.Context(), []Program{{Name: "nothing", Path: "/does/not/exist"}}, io.Discard, time.Second)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v", err)
	}
}
