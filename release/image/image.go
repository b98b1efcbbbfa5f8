// Package image makes the container images: from nothing, without a daemon, and the same bytes of
// the same programs wherever it runs.
package image

import (
	"bytes"
	"io"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/heraldlb/herald/release/archive"
	"github.com/heraldlb/herald/release/sbom"
)

// Source says what an image is made of.
type Source struct {
	Version string
	Commit  string
	// Created is the time of the commit, for all that has a time.
	Created time.Time
	// Licence is the file LICENSE.
	Licence string
}

// Programs are those in the image's root.
func Programs() []string { return []string{"herald", "herald-announcer"} }

// Image returns the image of one platform. Its root holds the two programs, the licence, and the
// SBOM.
func Image(source Source, built Built) (v1.Image, error) {
	entries, err := contents(source, built)
	if err != nil {
		return nil, err
	}
	files, err := layer(entries, source.Created)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: source.Created.UTC()}
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS:           built.Platform.OS,
		Architecture: built.Platform.Architecture,
		Variant:      built.Platform.Variant,
		Created:      created,
		RootFS:       v1.RootFS{Type: "layers"},
		// No User: a manifest of kube-vip's names none either, and its capabilities count for root alone.
		// Herald's own manifests name one for each container, and root for the announcer's only, or where a
		// file of the host is root's.
		Config: v1.Config{Entrypoint: []string{"/herald"}, Labels: annotations(source)},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(image, mutate.Addendum{
		Layer:   files,
		History: v1.History{Created: created, CreatedBy: "make image", Comment: "herald, herald-announcer, licence, SBOM"},
	})
}

// contents are the files of the image.
func contents(source Source, built Built) ([]archive.Entry, error) {
	var entries []archive.Entry
	for _, name := range Programs() {
		program, err := archive.File(name, 0o755, filepath.Join(built.Dir, name))
		if err != nil {
			return nil, err
		}
		entries = append(entries, program)
	}
	licence, err := archive.File("licenses/LICENSE", 0o644, source.Licence)
	if err != nil {
		return nil, err
	}
	var bill bytes.Buffer
	if err := WriteSBOM(&bill, source, built); err != nil {
		return nil, err
	}
	return append(entries,
		archive.Folder("licenses"), licence,
		archive.Entry{Name: "sbom.cdx.json", Mode: 0o644, Content: bill.Bytes()},
	), nil
}

// WriteSBOM writes what the programs of a platform are made of, as CycloneDX in JSON.
func WriteSBOM(to io.Writer, source Source, built Built) error {
	subject := sbom.Subject{
		Version:  source.Version,
		Commit:   source.Commit,
		Created:  source.Created,
		Platform: built.Platform.String(),
	}
	for _, name := range Programs() {
		subject.Programs = append(subject.Programs, filepath.Join(built.Dir, name))
	}
	return sbom.Write(to, subject)
}

// annotations say what the image is, as labels of the image and as annotations of the index.
func annotations(source Source) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "Herald",
		"org.opencontainers.image.description": "Addresses for Services of type LoadBalancer on bare metal",
		"org.opencontainers.image.source":      "https://github.com/heraldlb/herald",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     source.Version,
		"org.opencontainers.image.revision":    source.Commit,
		"org.opencontainers.image.created":     source.Created.UTC().Format(time.RFC3339),
	}
}
