// Package handover has what is under way at a VIP go on when the VIP goes from one
// node to another that are both well.
//
// Who gives the VIP up keeps it for a moment where nobody on the segment is led to it,
// so that its connections live; who takes it passes on to that node what belongs to no
// connection that began here. Then what is left is closed, so that clients know at once.
//
// What is put into nftables ends by itself (sets with a timeout), whatever becomes of
// the process.
package handover

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

const (
	// Linger is for how long who gave the VIP up goes on with its connections.
	Linger = time.Second
	// passing is for how long they are passed on to it. It is over first: who does not
	// have the VIP any more would send them back.
	passing = Linger - 200*time.Millisecond
)

// Table is the name of the nftables tables, of the families ip, ip6 and arp.
const Table = "herald-handover"

// families are those that may have a table.
func families() []nftables.TableFamily {
	return []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6, nftables.TableFamilyARP}
}

func familyOf(vip netip.Addr) nftables.TableFamily {
	if vip.Is4() {
		return nftables.TableFamilyIPv4
	}
	return nftables.TableFamilyIPv6
}

// begin writes the end of a table, which need not be there, and returns a new one.
func begin(batch *nftables.Conn, family nftables.TableFamily) *nftables.Table {
	table := &nftables.Table{Name: Table, Family: family}
	batch.DelTable(batch.AddTable(table))
	return batch.AddTable(table)
}

// remove removes a table, and reports whether there was one.
func remove(family nftables.TableFamily) (was bool, err error) {
	conn, err := nftables.New()
	if err != nil {
		return false, explain(err)
	}
	table, err := conn.ListTableOfFamily(Table, family)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, explain(err)
	}
	conn.DelTable(table)
	if err := conn.Flush(); err != nil {
		return true, explain(err)
	}
	return true, nil
}

// Sweep removes all that another run left in nftables, and reports whether there was
// anything.
func Sweep() (was bool, err error) {
	for _, family := range families() {
		there, failed := remove(family)
		was, err = was || there, errors.Join(err, failed)
	}
	return was, err
}

// explain names what it takes.
func explain(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("nftables: %w: CAP_NET_ADMIN is missing", err)
	}
	return fmt.Errorf("nftables: %w", err)
}
