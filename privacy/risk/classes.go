package risk

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"sync"
)

// Classes are the rows of a table grouped by the quasi-identifiers: rows in one class
// are equal in all of them. Make them with [Table.Classes].
//
// Classes print as their number, never with values.
type Classes struct{ s *sealed[classesData] }

type classesData struct {
	t     *tableData
	quasi []int
	grouping

	once  sync.Once
	order []uint32 // rows by class, in order within
	start []uint32 // of each class in order, and the end
}

// A grouping says which class each item is in. Classes are numbered in the order of
// their first item.
type grouping struct {
	of   []uint32
	size []int // weight of each class: rows
}

// Classes groups the rows by quasi-identifiers, named as in the header; without any,
// all rows are one class.
func (t *Table) Classes(quasi ...string) (*Classes, error) {
	d := t.data()
	at, err := d.lookup("classes", quasi)
	if err != nil {
		return nil, err
	}
	r := newRefiner(d.rows)
	for _, i := range at {
		r.by(d.columns[i].codes, len(d.columns[i].values))
	}
	return &Classes{seal(&classesData{t: d, quasi: at, grouping: r.grouping(nil)})}, nil
}

func (c *Classes) data() *classesData {
	if c == nil || c.s == nil {
		return &classesData{t: &tableData{}}
	}
	return c.s.p
}

// Len returns the number of classes.
func (c *Classes) Len() int { return len(c.data().size) }

// Rows returns the number of rows in all classes.
func (c *Classes) Rows() int { return c.data().t.rows }

// K returns the size of the smallest class: the table is K-anonymous for these
// quasi-identifiers and for no greater number. It is 0 for a table without rows.
func (c *Classes) K() int {
	if len(c.data().size) == 0 {
		return 0
	}
	return slices.Min(c.data().size)
}

// Sizes returns how many classes there are of each size.
func (c *Classes) Sizes() map[int]int {
	sizes := map[int]int{}
	for _, n := range c.data().size {
		sizes[n]++
	}
	return sizes
}

// Discernibility returns the sum of the squares of the sizes of classes (Bayardo and
// Agrawal, ICDE 2005): the smaller, the more the rows still differ.
func (c *Classes) Discernibility() float64 { return discernibility(c.data().size) }

func discernibility(size []int) float64 {
	sum := 0.0
	for _, n := range size {
		sum += float64(n) * float64(n)
	}
	return sum
}

// All returns the classes in the order of their first rows.
func (c *Classes) All() iter.Seq[Class] {
	return func(yield func(Class) bool) {
		for i := range c.data().size {
			if !yield(Class{c.s, uint32(i)}) {
				return
			}
		}
	}
}

// Of returns the class of a row, numbered from 1, and whether there is such a row.
func (c *Classes) Of(row int) (Class, bool) {
	if c.s == nil || row < 1 || row > len(c.s.p.of) {
		return Class{}, false
	}
	return Class{c.s, c.s.p.of[row-1]}, true
}

// String returns the number of classes.
func (c Classes) String() string {
	if c.s == nil {
		return "risk.Classes(none)"
	}
	return fmt.Sprintf("risk.Classes(%d of %d rows)", len(c.data().size), c.data().t.rows)
}

// Format implements fmt.Formatter with the number of classes, whatever the verb.
func (c Classes) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// MarshalText implements encoding.TextMarshaler with the number of classes.
func (c Classes) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// A Class is a group of rows that are equal in the quasi-identifiers. It prints as
// its size. Classes of one [Classes] are comparable with ==. The zero Class is empty.
type Class struct {
	s  *sealed[classesData]
	id uint32
}

// Size returns the number of rows.
func (c Class) Size() int {
	if c.s == nil {
		return 0
	}
	return c.s.p.size[c.id]
}

// Rows returns the numbers of the rows, from 1, ascending.
func (c Class) Rows() iter.Seq[int] {
	return func(yield func(int) bool) {
		if c.s == nil {
			return
		}
		c.s.p.sort()
		for _, row := range c.s.p.order[c.s.p.start[c.id]:c.s.p.start[c.id+1]] {
			if !yield(int(row) + 1) {
				return
			}
		}
	}
}

// First returns the number of the first row, from 1; 0 for the zero Class.
func (c Class) First() int {
	for row := range c.Rows() {
		return row
	}
	return 0
}

// Values returns what the rows have in the quasi-identifiers, in the order in which
// these were named. This is data of people: don't log it.
func (c Class) Values() []string {
	row := c.First()
	if row == 0 {
		return nil
	}
	values := make([]string, len(c.s.p.quasi))
	for i, q := range c.s.p.quasi {
		column := &c.s.p.t.columns[q]
		values[i] = column.values[column.codes[row-1]]
	}
	return values
}

// String returns the size of the class.
func (c Class) String() string { return "class of " + plural(c.Size(), "row") }

// Format implements fmt.Formatter with the size of the class, whatever the verb.
func (c Class) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// MarshalText implements encoding.TextMarshaler with the size of the class.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun[len(noun)-1] == 's' {
		return strconv.Itoa(n) + " " + noun + "es"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sort lists the rows by class, once.
func (d *classesData) sort() {
	d.once.Do(func() { d.order, d.start = bucket(d.of, len(d.size), nil, nil) })
}

// bucket lists items by class, in their order within each (a counting sort). The
// slices are used again if they are large enough.
func bucket(of []uint32, classes int, order, start []uint32) (_, _ []uint32) {
	order = slices.Grow(order[:0], len(of))[:len(of)]
	start = slices.Grow(start[:0], classes+1)[:classes+1]
	clear(start)
	for _, c := range of {
		start[c]++
	}
	sum := uint32(0)
	for i := range start {
		start[i], sum = sum, sum+start[i]
	}
	for item, c := range of {
		order[start[c]] = uint32(item)
		start[c]++
	}
	// Each start has moved to its end: the next one's start.
	copy(start[1:], start[:classes])
	start[0] = 0
	return order, start
}

// A refiner splits items into classes, column by column, in time linear in the items
// and the values of the column: no hash is needed, so that nobody can choose values
// which make it slow.
type refiner struct {
	of      []uint32
	classes int

	table        []uint32 // new class of class × value, from 1
	order, start []uint32
	seen, fresh  []uint32 // by value: the class that last had it, from 1, and the new class
}

func newRefiner(items int) *refiner {
	r := &refiner{of: make([]uint32, items)}
	r.reset()
	return r
}

// reset puts all items in one class again.
func (r *refiner) reset() {
	clear(r.of)
	r.classes = min(1, len(r.of))
}

// by splits every class by the values of a column.
func (r *refiner) by(codes []uint32, values int) {
	if values < 2 || r.classes == len(r.of) {
		return
	}
	next := uint32(0)
	if cells := r.classes * values; cells <= 2*len(r.of)+1024 {
		r.table = slices.Grow(r.table[:0], cells)[:cells]
		clear(r.table)
		for i, c := range r.of {
			cell := &r.table[int(c)*values+int(codes[i])]
			if *cell == 0 {
				next++
				*cell = next
			}
			r.of[i] = *cell - 1
		}
		r.classes = int(next)
		return
	}
	r.order, r.start = bucket(r.of, r.classes, r.order, r.start)
	r.seen = slices.Grow(r.seen[:0], values)[:values]
	clear(r.seen)
	r.fresh = slices.Grow(r.fresh[:0], values)[:values]
	for c := range r.classes {
		for _, i := range r.order[r.start[c]:r.start[c+1]] {
			v := codes[i]
			if r.seen[v] != uint32(c)+1 {
				r.seen[v], r.fresh[v] = uint32(c)+1, next
				next++
			}
			r.of[i] = r.fresh[v]
		}
	}
	r.classes = int(next)
}

// grouping numbers the classes in the order of their first items. It takes the
// slice of the refiner, which must be reset by a new one.
func (r *refiner) grouping(weight []int) grouping {
	g := grouping{of: r.of, size: make([]int, r.classes)}
	r.weigh(weight, g.size)
	r.of = nil
	return g
}

// weigh renumbers the classes and sums up their weights, 1 an item if weight is nil.
func (r *refiner) weigh(weight, size []int) {
	r.fresh = slices.Grow(r.fresh[:0], r.classes)[:r.classes]
	clear(r.fresh)
	next := uint32(0)
	for i, c := range r.of {
		if r.fresh[c] == 0 {
			next++
			r.fresh[c] = next
		}
		id := r.fresh[c] - 1
		r.of[i] = id
		if weight == nil {
			size[id]++
		} else {
			size[id] += weight[i]
		}
	}
}
