// Package dist makes all files of a release.
package dist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/heraldlb/herald/release/image"
)

// Release says what is released.
type Release struct {
	image.Source
	// Image is the name that the image will have in its registry.
	Image name.Tag
	// Built are the programs of each platform.
	Built []image.Built
	// Root is the checkout.
	Root string
	// Extras is a folder that goes into each archive as it is: completions, man pages.
	Extras string
	// Downloads is where the files will be found, without the slash at the end.
	Downloads string
}

// maker writes the files of a release, and keeps what it wrote.
type maker struct {
	Release
	dir    string
	sums   map[string]string
	digest string // of the image's index
}

// Make writes all files of a release into a folder, and SHA256SUMS last. It returns their names.
func Make(release Release, dir string) ([]string, error) {
	if !strings.HasPrefix(release.Version, "v") {
		return nil, fmt.Errorf("version %q: a release has one such as v1.2.3", release.Version)
	}
	m := &maker{Release: release, dir: dir, sums: make(map[string]string)}
	for _, step := range []func() error{m.images, m.platforms, m.install, m.chart, m.krew, m.notes} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return m.checksums()
}

// base is how the names of files begin.
func (m *maker) base() string { return "herald-" + m.Version }

// platformBase is base for the files of one platform.
func (m *maker) platformBase(built image.Built) string {
	return m.base() + "-" + strings.ReplaceAll(built.Platform.String(), "/", "-")
}

// file writes one file.
func (m *maker) file(name string, write func(io.Writer) error) (err error) {
	file, err := os.Create(filepath.Join(m.dir, name))
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	hash := sha256.New()
	if err := write(io.MultiWriter(file, hash)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.sums[name] = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// text writes a file of text.
func (m *maker) text(name string, text []byte) error {
	return m.file(name, func(to io.Writer) error {
		_, err := to.Write(text)
		return err
	})
}

// checksums writes SHA256SUMS, for sha256sum --check.
func (m *maker) checksums() ([]string, error) {
	names := make([]string, 0, len(m.sums)+1)
	for name := range m.sums {
		names = append(names, name)
	}
	slices.Sort(names)
	var lines strings.Builder
	for _, name := range names {
		fmt.Fprintf(&lines, "%s  %s\n", m.sums[name], name)
	}
	const sums = "SHA256SUMS"
	if err := os.WriteFile(filepath.Join(m.dir, sums), []byte(lines.String()), 0o644); err != nil {
		return nil, err
	}
	return append(names, sums), nil
}
