package run

import "github.com/privetdev/privet/internal/words"

// The words that rules ask about and that context phrases are made of, by number.
var (
	HasWords   bool // names are split at all
	HasContext bool // detectors have context phrases
	// WordSlots, WordAt and WordPool are a table: see [words.Find].
	WordSlots []uint32
	WordAt    []uint32
	WordPool  []byte
	WordAtoms []uint16 // of each word: 1 more than the atom that it is; 0: none
	// Phrases are the context phrases that each word begins, from PhraseAt[word] to
	// PhraseAt[word+1]: the detector, how many words follow, and these.
	Phrases  []uint32
	PhraseAt []uint32
	// PhraseBits tells most other words from those that begin phrases: see [words.Maybe].
	PhraseBits []uint32
	// WordIDs are the words of lists that conditions compare the words of a name with.
	WordIDs []uint16
)

// ForgetWords empties what is filled in, so that it counts as written.
func ForgetWords() {
	HasWords, HasContext = false, false
	WordSlots, WordAt, WordPool, WordAtoms = WordSlots[:0], WordAt[:0], WordPool[:0], WordAtoms[:0]
	Phrases, PhraseAt, PhraseBits = Phrases[:0], PhraseAt[:0], PhraseBits[:0]
	WordIDs, NearSets = WordIDs[:0], NearSets[:0]
}

const (
	rowWords = nearBytes + reach + nearBytes + surveyed // there are no more in what is surveyed
	rowText  = MaxName + MaxName/2                      // see words.Room; enough for what is surveyed
)

// A wordRow is some words one after the other, in lower case.
type wordRow struct {
	text [rowText]byte
	ends [rowWords]int32
	n    int
}

var (
	nameRow  wordRow
	named    bool             // nameRow has the words of Name
	nameList [MaxWords]string // as conditions see them
	listed   bool             // conditions see them
)

// fieldBegin forgets what was known of the last field.
func fieldBegin() {
	named, listed = false, false
	if HasContext {
		nearForget()
		clearNear(nearName)
	}
}

// readNames finds out which of the words that somebody asks about are in the field's
// name, and which detectors have context there or in its path.
func readNames() {
	if HasContext && Path != "" && Path != Name {
		nameRow.split(cut(Path, MaxName))
		nameRow.mark(nearName, 0, nameRow.n, false)
	}
	if HasWords {
		named = false
		readName()
		nameRow.mark(nearName, 0, nameRow.n, true)
	}
}

// readName splits the name.
func readName() {
	if !named {
		named = true
		nameRow.split(cut(Name, MaxName))
	}
}

// needWords shows the words of the name to conditions.
func needWords() {
	if listed {
		return
	}
	listed = true
	readName()
	for i := range nameRow.n {
		nameList[i] = kept(string(nameRow.word(i)))
	}
	SetList(fieldWords, nameList[:nameRow.n])
}

// wordsAre reports whether the words of the name are those of WordIDs[from:to].
func wordsAre(from, to int) bool {
	readName()
	if nameRow.n != to-from {
		return false
	}
	for i := range nameRow.n {
		if string(nameRow.word(i)) != string(words.Text(int(WordIDs[from+i]), WordAt, WordPool)) {
			return false
		}
	}
	return true
}

// split makes the row that of a text.
func (r *wordRow) split(text string) { r.n = words.Split(text, r.text[:], r.ends[:MaxWords]) }

// word is word i.
func (r *wordRow) word(i int) []byte {
	start := 0
	if i > 0 {
		start = int(r.ends[i-1])
	}
	return r.text[start:r.ends[i]]
}

// mark looks up the words from first to last: it marks the detectors of which a context
// phrase stands there, and atoms if it is told to.
func (r *wordRow) mark(set, first, last int, atoms bool) {
	for i := first; i < last; i++ {
		w := r.word(i)
		if atoms || words.Maybe(w, PhraseBits) {
			id := words.Find(w, WordSlots, WordAt, WordPool)
			if id >= 0 {
				if atoms && WordAtoms[id] != 0 {
					hold(int(WordAtoms[id]) - 1)
				}
				r.markPhrases(set, id, i, last, false)
			}
		}
		// A phrase of one word may stand in the plural.
		if n := len(w) - 1; HasContext && n > 0 && w[n] == 's' && words.Maybe(w[:n], PhraseBits) {
			if id := words.Find(w[:n], WordSlots, WordAt, WordPool); id >= 0 {
				r.markPhrases(set, id, i, last, true)
			}
		}
	}
}

// markPhrases marks the detectors of phrases that begin with a word, which is word i of
// the row, and go on there before word last. single: of those of one word.
func (r *wordRow) markPhrases(set, id, i, last int, single bool) {
	if !HasContext {
		return
	}
	at, end := int(PhraseAt[id]), int(PhraseAt[id+1])
	for at < end {
		detector, n := int(Phrases[at]), int(Phrases[at+1])
		at += 2
		if i+n < last && (n == 0 || !single && r.goesOn(i+1, at, n)) {
			markNear(set, detector)
		}
		at += n
	}
}

// goesOn reports whether word i and those that follow are n words of Phrases. The last
// may stand in the plural.
func (r *wordRow) goesOn(i, at, n int) bool {
	for k := range n {
		if !words.Is(r.word(i+k), string(words.Text(int(Phrases[at+k]), WordAt, WordPool)), k == n-1) {
			return false
		}
	}
	return true
}

// kept is a text that is made of bytes and kept: in modules another view of them.
func kept(s string) string { return s }
