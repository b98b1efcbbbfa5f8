package dist

import (
	_ "embed"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/heraldlb/herald/release/chart"
	"github.com/heraldlb/herald/release/kustomize"
	"github.com/heraldlb/herald/release/notes"
	"github.com/heraldlb/herald/release/plugin"
)

// install writes the manifest for kubectl apply -f.
func (m *maker) install() error {
	text, err := kustomize.Install(filepath.Join(m.Root, "deploy/base"), m.Image.Repository.Name(), m.Image.TagStr())
	if err != nil {
		return err
	}
	return m.text("install.yaml", text)
}

// chart writes the Helm chart.
func (m *maker) chart() error {
	path, err := chart.Pack(filepath.Join(m.Root, "deploy/helm/herald"), m.Version, m.Created, m.dir)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return m.text(filepath.Base(path), text)
}

// krew writes the plugin's manifest for krew.
func (m *maker) krew() error {
	release := plugin.Release{Version: m.Version}
	for _, built := range m.Built {
		name := m.platformBase(built) + ".tar.gz"
		release.Archives = append(release.Archives, plugin.Archive{
			OS:     built.Platform.OS,
			Arch:   built.Platform.Architecture,
			URI:    m.Downloads + "/" + m.Version + "/" + name,
			SHA256: m.sums[name],
		})
	}
	return m.file("herald.yaml", func(to io.Writer) error { return plugin.WriteKrew(to, release) })
}

//go:embed notes.md
var notesTemplate string

// notes writes the release's notes: what changed, by the changelog, and how to install it.
func (m *maker) notes() error {
	changelog, err := os.ReadFile(filepath.Join(m.Root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	changes, err := notes.Of(string(changelog), m.Version)
	if err != nil {
		return err
	}
	text, err := template.New("notes.md").Option("missingkey=error").Parse(notesTemplate)
	if err != nil {
		return err
	}
	return m.file("release-notes.md", func(to io.Writer) error {
		return text.Execute(to, map[string]string{
			"Version":   m.Version,
			"Changes":   changes,
			"Image":     m.Image.Name(),
			"Digest":    m.digest,
			"Chart":     "herald-" + strings.TrimPrefix(m.Version, "v") + ".tgz",
			"Downloads": m.Downloads + "/" + m.Version,
		})
	})
}
