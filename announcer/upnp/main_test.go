package upnp

import (
	"testing"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

func TestMain(m *testing.M) { l2test.Main(m) }
