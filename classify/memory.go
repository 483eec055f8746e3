package classify

import (
	"maps"
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// What is remembered about fields: enough places for the fields of large schemas,
// and a bound for streams whose names never repeat.
const (
	memorySize = 4096    // places, a power of two
	memoryWays = 4       // places that one field may take
	memoryKey  = 4 << 10 // bytes of names that are worth remembering
)

// A memory holds what is known about fields from everything but their values. It
// is bounded: a field that finds its places taken replaces another one. It needs
// no lock: a place holds one complete entry or none.
type memory struct {
	places [memorySize]atomic.Pointer[known]
}

// known is what the rules say about a field before its value is looked at.
type known struct {
	hash    uint64
	field   Field // without value and context; its texts are our own copies
	words   []string
	path    []string // words of the path
	said    []said
	unknown bool // a tag declares a category that does not exist
	// near tells the detectors that have a context word in the name or path.
	near [maxDetectors / 64]uint64
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
		if m.places[(k.hash+i)&(memorySize-1)].CompareAndSwap(nil, k) {
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
			size += len(k) + len(v)
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
