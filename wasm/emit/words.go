package emit

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/privetdev/privet/internal/words"
	"github.com/privetdev/privet/wasm/emit/run"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// word is the number of a word. Its text lies where conditions have theirs.
func (p *plan) word(w string) int {
	x := p.exprs
	id, known := x.wordIDs[w]
	if !known {
		id = len(x.wordIDs)
		x.wordIDs[w] = id
		x.pool.Bytes = append(x.pool.Bytes, w...)
		x.pool.Size = len(x.pool.Bytes)
		x.offsets.Bytes = binary.LittleEndian.AppendUint32(x.offsets.Bytes, uint32(x.pool.Size))
		x.offsets.Size = len(x.offsets.Bytes)
	}
	return id
}

// addWords makes the table in which the words of names and texts are looked up: which
// atom a word is, and the context phrases of each detector, by its number, that begin
// with it. Conditions must have been made before.
func (p *plan) addWords(atoms map[string]int, phrases [][][]string) {
	begin := map[string][]uint32{} // the phrases that a word begins
	for d, list := range phrases {
		for _, phrase := range list {
			if len(phrase) == 0 {
				continue
			}
			row := append(begin[phrase[0]], uint32(d), uint32(len(phrase)-1))
			for _, w := range phrase[1:] {
				row = append(row, uint32(p.word(w)))
			}
			begin[phrase[0]] = row
		}
	}
	asked := slices.AppendSeq(slices.Collect(maps.Keys(atoms)), maps.Keys(begin))
	slices.Sort(asked)
	asked = slices.Compact(asked)
	numbers := make([]int, len(asked))
	for i, w := range asked {
		numbers[i] = p.word(w)
	}
	total := len(p.exprs.wordIDs)
	atomOf, phrasesOf := make([]uint16, total), make([][]uint32, total)
	for i, w := range asked {
		if a, ok := atoms[w]; ok {
			atomOf[numbers[i]] = uint16(a + 1)
		}
		phrasesOf[numbers[i]] = begin[w]
	}
	at, all := []uint32{0}, []uint32(nil)
	for _, list := range phrasesOf {
		all = append(all, list...)
		at = append(at, uint32(len(all)))
	}
	p.run.Scalar("HasWords", number(len(asked) > 0))
	p.run.Scalar("HasContext", number(len(begin) > 0))
	p.run.Uint32("WordSlots", words.Slots(asked, numbers))
	p.run.Uint16("WordAtoms", atomOf)
	p.run.Uint32("Phrases", all)
	p.run.Uint32("PhraseAt", at)
	p.run.Uint32("PhraseBits", words.Bits(slices.Collect(maps.Keys(begin))))
	p.run.Room("NearSets", 4, run.NearKinds*((len(phrases)+31)/32))
	p.run.Slices = append(p.run.Slices,
		tables.Table{Name: "WordAt", Width: 4, Data: offsetsSym, Len: total + 1},
		tables.Table{Name: "WordPool", Width: 1, Data: poolSym, Len: p.exprs.pool.Size})
}
