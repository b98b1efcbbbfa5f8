package suite

import (
	"flag"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"

	"github.com/heraldlb/herald/e2e/kind"
	"github.com/heraldlb/herald/e2e/lab"
)

// What make e2e-kind tells.
var (
	kindProgram   = flag.String("kind.program", "kind", "kind")
	kindNodeImage = flag.String("kind.node-image", "", "kind's node image, which docker has or pulls")
	kindImage     = flag.String("kind.image", "", "Herald's image, as in dist/herald.tar")
)

func kindOptions() (kind.Options, error) {
	root, err := lab.Root()
	return kind.Options{
		Root:      root,
		Kind:      *kindProgram,
		NodeImage: *kindNodeImage,
		Image:     *kindImage,
		Archive:   filepath.Join(root, "dist", "herald.tar"),
		Pod:       filepath.Join(root, "bin", "e2e-pod"),
		Previous:  filepath.Join(root, "dist", "previous"),
		Evidence:  filepath.Join(root, "dist", "e2e-kind"),
		Progress:  GinkgoWriter,
	}, err
}
