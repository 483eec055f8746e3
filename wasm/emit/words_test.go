package emit

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/words"
	"github.com/privetdev/privet/wasm/emit/run"
)

// numbersOf are a table of package run as [plan.addWords] made it.
func numbersOf(t *testing.T, p *plan, name string) (out []uint32) {
	t.Helper()
	for _, table := range p.run.Slices {
		if table.Name != name {
			continue
		}
		for _, d := range append(slices.Clone(p.run.Data), p.exprs.pool, p.exprs.offsets) {
			if d.Name != table.Data {
				continue
			}
			b := append(slices.Clone(d.Bytes), make([]byte, d.Size-len(d.Bytes)+4)...)
			for i := range table.Len {
				n := binary.LittleEndian.Uint32(b[table.At+i*table.Width:])
				out = append(out, n&(1<<(8*table.Width)-1))
			}
			return out
		}
	}
	t.Fatal("no table ", name)
	return nil
}

func scalarOf(p *plan, name string) int {
	for _, s := range p.run.Scalars {
		if s.Name == name {
			return s.Value
		}
	}
	return -1
}

func TestAddWords(t *testing.T) {
	data, err := os.ReadFile("../../classify/builtin/builtin.bundle")
	require.NoError(t, err)
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	p := newPlan(&b.Classification)
	var phrases [][][]string
	atoms := map[string]int{}
	for i := range p.detectors {
		var list [][]string
		for _, c := range p.detectors[i].Context {
			w := classify.Words(c)
			require.NotEmpty(t, w)
			list = append(list, w)
			if i%3 == 0 {
				atoms[w[len(w)-1]] = len(atoms)
			}
		}
		phrases = append(phrases, list)
	}
	for i := range 100 {
		atoms[fmt.Sprintf("only%d", i)] = 1000 + i
	}
	first := p.word("zebra")
	assert.Equal(t, first, p.word("zebra"))
	assert.NotEqual(t, first, p.word("yak"))
	p.addWords(atoms, phrases)

	assert.Equal(t, 1, scalarOf(p, "HasWords"))
	assert.Equal(t, 1, scalarOf(p, "HasContext"))
	assert.Len(t, numbersOf(t, p, "NearSets"), run.NearKinds*((len(p.detectors)+31)/32))
	slots, at, atomOf := numbersOf(t, p, "WordSlots"), numbersOf(t, p, "WordAt"), numbersOf(t, p, "WordAtoms")
	rows, rowAt, bits := numbersOf(t, p, "Phrases"), numbersOf(t, p, "PhraseAt"), numbersOf(t, p, "PhraseBits")
	var pool []byte
	for _, n := range numbersOf(t, p, "WordPool") {
		pool = append(pool, byte(n))
	}
	find := func(w string) int { return words.Find([]byte(w), slots, at, pool) }
	text := func(n uint32) string { return string(words.Text(int(n), at, pool)) }

	assert.Equal(t, "zebra", text(uint32(first)))
	assert.Equal(t, -1, find("zebra"), "it has a number, and nobody looks it up")
	for w, a := range atoms {
		n := find(w)
		require.GreaterOrEqual(t, n, 0, w)
		require.Equal(t, a+1, int(atomOf[n]), w)
	}
	var want, got []string
	for d, list := range phrases {
		for _, p := range list {
			want = append(want, fmt.Sprint(d, p))
		}
	}
	withAtoms := 0
	for n := range len(at) - 1 {
		w := text(uint32(n))
		if atomOf[n] != 0 {
			withAtoms++
		}
		if rowAt[n] < rowAt[n+1] {
			require.Equal(t, n, find(w))
			require.True(t, words.Maybe([]byte(w), bits), w)
		}
		for i := rowAt[n]; i < rowAt[n+1]; {
			phrase := []string{w}
			for k := range rows[i+1] {
				phrase = append(phrase, text(rows[i+2+k]))
			}
			got = append(got, fmt.Sprint(rows[i], phrase))
			i += 2 + rows[i+1]
		}
	}
	assert.Equal(t, len(atoms), withAtoms)
	slices.Sort(want)
	slices.Sort(got)
	assert.Equal(t, want, got)
	assert.Greater(t, len(want), 500)

	again := newPlan(&b.Classification)
	again.word("zebra")
	again.word("yak")
	again.addWords(atoms, phrases)
	assert.Equal(t, p.run.Data, again.run.Data)
	assert.Equal(t, p.exprs.pool, again.exprs.pool)
}

func TestAddNoWords(t *testing.T) {
	p := newPlan(&bundle.Classification{})
	p.addWords(nil, [][][]string{{}, {{}}})
	assert.Zero(t, scalarOf(p, "HasWords"))
	assert.Zero(t, scalarOf(p, "HasContext"))
	p = newPlan(&bundle.Classification{})
	p.addWords(map[string]int{"a": 0}, [][][]string{{}})
	assert.Equal(t, 1, scalarOf(p, "HasWords"))
	assert.Zero(t, scalarOf(p, "HasContext"))
}
