package dist

import (
	"io"
	"path/filepath"

	"github.com/heraldlb/herald/release/archive"
	"github.com/heraldlb/herald/release/image"
	"github.com/heraldlb/herald/release/plugin"
)

// images writes the image: of all platforms as one OCI archive, of each as a docker archive.
func (m *maker) images() error {
	index, err := image.Index(m.Source, m.Built)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	m.digest = digest.String()
	err = m.file(m.base()+"-image.tar", func(to io.Writer) error {
		return image.WriteOCI(to, m.Image, index, m.Created)
	})
	if err != nil {
		return err
	}
	for _, built := range m.Built {
		single, err := image.Image(m.Source, built)
		if err != nil {
			return err
		}
		err = m.file(m.platformBase(built)+"-image.tar", func(to io.Writer) error {
			return image.WriteDocker(to, m.Image, single)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// platforms writes each platform's programs, and what they are made of.
func (m *maker) platforms() error {
	for _, built := range m.Built {
		entries, err := m.entries(built)
		if err != nil {
			return err
		}
		err = m.file(m.platformBase(built)+".tar.gz", func(to io.Writer) error {
			return archive.TarGzip(to, entries, m.Created)
		})
		if err != nil {
			return err
		}
		err = m.file(m.platformBase(built)+".cdx.json", func(to io.Writer) error {
			return image.WriteSBOM(to, m.Source, built)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entries are what a platform's archive holds: the programs, and all that comes with them. There is no
// link among them, for krew does not unpack such.
func (m *maker) entries(built image.Built) ([]archive.Entry, error) {
	var entries []archive.Entry
	for _, program := range image.Programs() {
		file, err := archive.File(program, 0o755, filepath.Join(built.Dir, program))
		if err != nil {
			return nil, err
		}
		entries = append(entries, file)
	}
	licence, err := archive.File("LICENSE", 0o644, m.Licence)
	if err != nil {
		return nil, err
	}
	extras, err := archive.Tree("", m.Extras)
	if err != nil {
		return nil, err
	}
	entries = append(entries,
		archive.Entry{Name: "kubectl_complete-herald", Mode: 0o755, Content: plugin.Completer},
		licence)
	return append(entries, extras...), nil
}
