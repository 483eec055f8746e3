package classify

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// What is remembered about fields: enough places for the fields of large schemas,
// and a bound for streams whose names never repeat.
const (
	memorySize = 4096    // places, a power of two
	memoryWays = 4       // places that one field may take
	memoryKey  = 4 << 10 // bytes of names and tags that are worth remembering
	memoryTag  = 128     // bytes; more than a tag costs besides its texts
)

// A memory holds what is known about fields from everything but their values. It
// is bounded: a field that finds its places taken replaces another one. It needs
// no lock: a place holds one complete entry or none.
type memory struct {
	places [memorySize]atomic.Pointer[known]
}

// known is what there is to know about a field before its value is looked at.
type known struct {
	hash    uint64
	field   Field // without value and context; its texts are our own copies
	said    []said
	open    []int32  // rules that the value or the context decides
	atoms   []uint32 // that hold, if late rules need them
	unknown bool     // a tag declares a category that does not exist
	// labels are those of the names alone, once the field was seen again.
	labels atomic.Pointer[[]Label]
	near   []uint64 // detectors that have a context word in the name or path; nil: none
}

// clear forgets everything but keeps the room.
func (k *known) clear() {
	k.said, k.open, k.atoms, k.near, k.unknown = k.said[:0], k.open[:0], k.atoms[:0], k.near[:0], false
}

// keep is a copy of k for the memory.
func (k *known) keep(hash uint64, f *Field) *known {
	return &known{hash: hash, field: keep(f), said: slices.Clone(k.said), open: slices.Clone(k.open),
		atoms: slices.Clone(k.atoms), near: slices.Clone(k.near), unknown: k.unknown}
}

// declared reports whether a tag says what the field is.
func (k *known) declared() bool { return len(k.said) > 0 && k.said[0].rule == declaredRule }

// isNear reports whether a word of detector i's context is in the name or path.
func (k *known) isNear(i int) bool { return len(k.near) > 0 && k.near[i>>6]>>(i&63)&1 == 1 }

// setNear notes that it is; there are n detectors.
func (k *known) setNear(i, n int) {
	for len(k.near) < (n+63)/64 {
		k.near = append(k.near, 0)
	}
	k.near[i>>6] |= 1 << (i & 63)
}

// said is one category and the strongest evidence for it.
type said struct {
	category, confidence int32
	rule                 int32 // declaredRule, or an index
}

const (
	noRule       = -1
	declaredRule = -2
)

func (m *memory) get(hash uint64, f *Field) *known {
	for i := range uint64(memoryWays) {
		if k := m.places[(hash+i)&(memorySize-1)].Load(); k != nil && k.hash == hash && k.is(f) {
			return k
		}
	}
	return nil
}

func (m *memory) put(k *known) {
	for i := range uint64(memoryWays) {
		// Looked at first, because an exchange that fails is slow.
		if p := &m.places[(k.hash+i)&(memorySize-1)]; p.Load() == nil && p.CompareAndSwap(nil, k) {
			return
		}
	}
	// All taken. High bits choose whom to replace, so that it is not always the same.
	m.places[(k.hash+k.hash>>32%memoryWays)&(memorySize-1)].Store(k)
}

// is reports whether k is about a field like f. The hash only says where to look.
func (k *known) is(f *Field) bool {
	g := &k.field
	if g.Name != f.Name || g.Path != f.Path || g.Type != f.Type || g.Source != f.Source || g.Description != f.Description || len(g.Tags) != len(f.Tags) {
		return false
	}
	return len(g.Tags) == 0 || maps.Equal(g.Tags, f.Tags)
}

// hashOf mixes everything that rules may see apart from value and context. Empty
// texts cost nothing. The order of a map does not matter.
func hashOf(f *Field) (hash uint64, size int) {
	const odd = 0x9E3779B97F4A7C15
	hash = xxhash.Sum64String(f.Name)
	size = len(f.Name)
	for i, s := range [...]string{f.Path, f.Type, f.Source, f.Description} {
		if s != "" {
			hash = hash*odd ^ xxhash.Sum64String(s) + uint64(i)
			size += len(s)
		}
	}
	if len(f.Tags) > 0 {
		var sum uint64
		for k, v := range f.Tags {
			sum += xxhash.Sum64String(k)*odd ^ xxhash.Sum64String(v)
			size += len(k) + len(v) + memoryTag
		}
		hash = hash*odd ^ sum
	}
	return hash ^ hash>>29, size
}

// keep copies a field's texts, so that what is remembered does not hold on to a
// caller's buffers.
func keep(f *Field) Field {
	g := Field{Name: strings.Clone(f.Name), Path: strings.Clone(f.Path), Type: strings.Clone(f.Type),
		Source: strings.Clone(f.Source), Description: strings.Clone(f.Description)}
	if len(f.Tags) > 0 {
		g.Tags = make(map[string]string, len(f.Tags))
		for k, v := range f.Tags {
			g.Tags[strings.Clone(k)] = strings.Clone(v)
		}
	}
	return g
}
