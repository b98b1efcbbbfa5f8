package ipam

// directory maps addresses to positions in a slice, by pages of neighbouring
// addresses. Pools are handed out in order, so pages are full, and the index of
// pages is small enough to stay in the processor's cache.
type directory struct {
	pages  []page
	vacant []uint32
	index  index
}

const (
	pageBits = 4
	pageSize = 1 << pageBits
)

// page has the positions of the addresses that differ in the last bits only.
type page struct {
	number    uint128 // what the addresses have in common
	positions [pageSize]uint32
}

func newDirectory() directory {
	return directory{pages: make([]page, 1), index: newIndex()}
}

// get returns the position of an address, or 0.
func (d *directory) get(address uint128) uint32 {
	return d.pages[d.page(pageOf(address))].positions[address.lo%pageSize]
}

// set gives an address a position.
func (d *directory) set(address uint128, position uint32) {
	number := pageOf(address)
	i := d.page(number)
	if i == 0 {
		if last := len(d.vacant) - 1; last >= 0 {
			i, d.vacant = d.vacant[last], d.vacant[:last]
		} else {
			i = uint32(len(d.pages))
			d.pages = append(d.pages, page{})
		}
		d.pages[i].number = number
		d.index.insert(number.hash(), i)
	}
	d.pages[i].positions[address.lo%pageSize] = position
}

// clear takes the position from an address that has one.
func (d *directory) clear(address uint128) {
	number := pageOf(address)
	i := d.page(number)
	p := &d.pages[i]
	p.positions[address.lo%pageSize] = 0
	if p.positions == ([pageSize]uint32{}) {
		d.index.remove(number.hash(), i)
		d.vacant = append(d.vacant, i)
	}
}

// page returns the place of a page; 0, an empty page, if there is none.
func (d *directory) page(number uint128) uint32 {
	i, _ := d.index.find(number.hash(), func(i uint32) bool { return d.pages[i].number == number })
	return i
}

func pageOf(address uint128) uint128 {
	return uint128{address.hi, address.lo >> pageBits}
}
