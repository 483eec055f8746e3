package tables

import "encoding/binary"

// A Packer packs automata for package dense.
type Packer struct {
	cells                           int
	shapes                          []uint16
	back, changes, classes, targets []byte
	placed                          map[string]int
}

// furthest is how many rows before it a row may be like.
const furthest = 255

// Add packs an automaton, whose states follow each other by next[state*classes+class],
// and returns its place in dense.Rows. Classes are at most 255.
func (p *Packer) Add(next []uint16, classes int) int {
	content := binary.LittleEndian.AppendUint16(nil, uint16(classes))
	for _, s := range next {
		content = binary.LittleEndian.AppendUint16(content, s)
	}
	if at, ok := p.placed[string(content)]; ok {
		return at
	}
	if p.placed == nil {
		p.placed = map[string]int{}
	}
	at := p.cells
	p.placed[string(content)] = at
	states := len(next) / classes
	p.cells += len(next)
	p.shapes = append(p.shapes, uint16(states), uint16(classes))
	nothing := make([]uint16, classes)
	for s := range states {
		row := next[s*classes : (s+1)*classes]
		back, like, least := 0, nothing, differ(row, nothing, classes+1)
		for b := 1; b <= min(s, furthest); b++ {
			other := next[(s-b)*classes : (s-b+1)*classes]
			if n := differ(row, other, least); n < least {
				back, like, least = b, other, n
			}
		}
		p.back, p.changes = append(p.back, byte(back)), append(p.changes, byte(least))
		for c, to := range row {
			if to != like[c] {
				p.classes = append(p.classes, byte(c))
				p.targets = binary.AppendVarint(p.targets, int64(to)-int64(s))
			}
		}
	}
	return at
}

// differ counts the differences of two rows, up to a number that is too many.
func differ(a, b []uint16, most int) int {
	n := 0
	for i, v := range a {
		if v != b[i] {
			if n++; n >= most {
				break
			}
		}
	}
	return n
}

// Tables are those of package dense.
func (p *Packer) Tables() *Tables {
	t := &Tables{Package: "dense"}
	t.Room("Rows", 2, p.cells)
	t.Uint16("Shapes", p.shapes)
	t.Bytes("Back", 1, p.back)
	t.Bytes("Changes", 1, p.changes)
	t.Bytes("Classes", 1, p.classes)
	t.Bytes("Targets", 1, p.targets)
	return t
}
