package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/kubernetes/test/utils/image"

	"github.com/heraldlb/herald/e2e/docker"
)

// loadAgnhost gives the nodes the one image that the cases use, by the name that they use:
// the published one, or where it cannot be pulled, agnhost itself with this machine's
// programs in the place of Alpine's.
func (r *run) loadAgnhost(ctx context.Context) error {
	name := image.GetE2EImage(image.Agnhost)
	if _, err := docker.Run(ctx, nil, "image", "inspect", name); err == nil {
		return r.cluster.Load(ctx, name)
	}
	if _, err := docker.Run(ctx, nil, "pull", name); err == nil {
		return r.cluster.Load(ctx, name)
	}
	fmt.Fprintln(r.out, "kind:", name, "cannot be pulled, and is made")
	if err := makeAgnhost(ctx, name, filepath.Join(r.bin, "agnhost")); err != nil {
		return err
	}
	err := r.cluster.Load(ctx, name)
	// Nobody else is to take it for the published one.
	_, gone := docker.Run(context.WithoutCancel(ctx), nil, "image", "rm", name)
	return errors.Join(err, gone)
}

// tools are the programs that cases run in Pods beside agnhost. Alpine's are busybox's, and
// from packages that test/images/agnhost/Dockerfile installs.
func tools() []string {
	return []string{"sh", "bash", "cat", "curl", "date", "echo", "grep", "hostname", "ip", "ls", "nc", "sed", "seq", "sleep", "ss", "test", "timeout", "true", "wget"}
}

func makeAgnhost(ctx context.Context, name, agnhost string) error {
	read, write := io.Pipe()
	go func() { write.CloseWithError(writeAgnhost(ctx, write, agnhost)) }()
	err := docker.Import(ctx, name, read, `ENTRYPOINT ["/agnhost"]`, `CMD ["pause"]`)
	return errors.Join(err, read.Close())
}

// writeAgnhost writes the image's file system.
func writeAgnhost(ctx context.Context, to io.Writer, agnhost string) error {
	w := tar.NewWriter(to)
	files := map[string]string{"/agnhost": agnhost}
	for _, tool := range tools() {
		program, err := exec.LookPath(tool)
		if err != nil {
			return err
		}
		files["/bin/"+tool] = program
		// What is linked statically has no libraries, and ldd says so by its status.
		libraries, err := exec.CommandContext(ctx, "ldd", program).Output()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			return err
		}
		for _, library := range paths(string(libraries)) {
			files[library] = library
		}
	}
	for at, file := range files {
		if err := add(w, at, file); err != nil {
			return err
		}
	}
	// Alpine's wget asks once, GNU's twenty times.
	if err := put(w, "etc/wgetrc", []byte("tries = 1\n")); err != nil {
		return err
	}
	for _, directory := range []string{"tmp/", "uploads/"} {
		if err := w.WriteHeader(&tar.Header{Name: directory, Mode: 0o1777, Typeflag: tar.TypeDir}); err != nil {
			return err
		}
	}
	return w.Close()
}

// paths returns the files that ldd names.
func paths(ldd string) []string {
	return slices.DeleteFunc(strings.Fields(ldd), func(field string) bool { return !filepath.IsAbs(field) })
}

func add(w *tar.Writer, at, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return put(w, strings.TrimPrefix(at, "/"), content)
}

func put(w *tar.Writer, at string, content []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: at, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}
