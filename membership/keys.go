package membership

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/heraldlb/herald/membership/wire"
)

// keyring are the keys of a directory. What is sent is sealed with the first.
type keyring struct{ keys [][]byte }

func (k *keyring) signing() []byte {
	if len(k.keys) == 0 {
		return nil
	}
	return k.keys[0]
}

func (k *keyring) equal(o keyring) bool {
	return slices.EqualFunc(k.keys, o.keys, slices.Equal)
}

const (
	// signingKey is the file whose key is first, if it is there.
	signingKey = "current"
	maxKeys    = 8
)

var errKeys = errors.New("too many keys")

// readKeyring reads the files of a directory as keys, as a Secret is mounted: what
// begins with a dot is not one of its entries.
func readKeyring(directory string) (keyring, error) {
	entries, err := os.ReadDir(directory) // sorted by name
	if err != nil {
		return keyring{}, fmt.Errorf("read keys: %w", err)
	}
	var ring keyring
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(directory, e.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			return keyring{}, fmt.Errorf("read keys: %w", err)
		}
		key, err := wire.ParseKey(b)
		if err != nil {
			return keyring{}, fmt.Errorf("key %s: %w", path, err)
		}
		if len(ring.keys) == maxKeys {
			return keyring{}, fmt.Errorf("keys in %s: %w, at most %d", directory, errKeys, maxKeys)
		}
		if e.Name() == signingKey {
			ring.keys = slices.Insert(ring.keys, 0, key)
		} else {
			ring.keys = append(ring.keys, key)
		}
	}
	return ring, nil
}
