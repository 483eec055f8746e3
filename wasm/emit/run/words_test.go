package run

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/subgo"
	"github.com/privetdev/privet/internal/words"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// A module is the text side of this package with tables in it.
type module struct {
	t      testing.TB
	m      api.Module
	linked *asm.Module
	ctx    context.Context
}

var textRoots = []string{"fieldBegin", "readNames", "isNear", "nearForget", "nearHas", "nearMay", "needWords", "wordsAre", "plainText", "plainPlace", "plainNested", "Forget", "ForgetWords", "nextRound", "clearField"}

func newModule(t testing.TB, fill func(*tables.Tables)) *module {
	const path = "github.com/privetdev/privet/"
	var packages []subgo.Package
	for _, p := range []string{"internal/wide", "internal/words", "internal/plain", "wasm/emit/run", "wasm/emit/rt", "wasm/emit/find"} {
		packages = append(packages, subgo.Package{Path: path + p, Files: os.DirFS("../../../" + p)})
	}
	roots := []subgo.Root{{Package: path + "wasm/emit/rt", Func: "Begin"}}
	exports := []asm.Export{{Name: "rt.Begin", Sym: "rt.Begin"}, {Name: "fault", Sym: subgo.FaultSym}, {Name: "r1", Sym: subgo.ResultSym(1, asm.I32)}, {Name: "r2", Sym: subgo.ResultSym(2, asm.I32)},
		{Name: "list", Sym: "test.list"}, {Name: "count", Sym: "test.count"}}
	for _, f := range textRoots {
		roots = append(roots, subgo.Root{Package: path + "wasm/emit/run", Func: f})
		if !strings.Contains(f, "Forget") || f == "nearForget" {
			exports = append(exports, asm.Export{Name: "run." + f, Sym: "run." + f})
		}
	}
	object, err := subgo.Compile(packages, roots)
	require.NoError(t, err)
	tab := &tables.Tables{Package: "run"}
	tab.Room("Work8", 1, 1<<20)
	tab.View("Work8", "Work32", 4, 0, 1<<18)
	if fill != nil {
		fill(tab)
		for _, name := range []string{"Name.0", "Name.1", "Path.0", "Path.1", "held"} {
			exports = append(exports, asm.Export{Name: name, Sym: "run." + name})
		}
	}
	require.NoError(t, tab.Fill(object))
	// What the module brings: the list that conditions see is told as it is.
	brought := &asm.Object{
		Globals: []*asm.Global{{Name: "test.list", Type: asm.I32}, {Name: "test.count", Type: asm.I32}},
		Funcs: []*asm.Func{
			{Name: "run.Room", Sig: "i>i", Body: []asm.Instr{asm.Const(asm.I32, 1)}},
			{Name: "run.SetList", Sig: "iii>", Body: []asm.Instr{asm.Get(1), asm.SetGlobal("test.list"), asm.Get(2), asm.SetGlobal("test.count")}},
		},
	}
	linked, err := asm.Link(asm.Options{Memory: "memory", Reserve: 1 << 20, Exports: exports}, object, brought)
	require.NoError(t, err)
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = r.Close(ctx) })
	m, err := r.Instantiate(ctx, linked.Wasm)
	require.NoError(t, err)
	return &module{t, m, linked, ctx}
}

// put writes texts one behind the other into the memory behind all data, and returns
// where the first begins.
func (x *module) put(texts ...string) int {
	at := x.linked.End
	for _, s := range texts {
		require.True(x.t, x.m.Memory().Write(uint32(at), []byte(s)))
		at += len(s)
	}
	return x.linked.End
}

func (x *module) call(name string, args ...int) int {
	var values []uint64
	for _, a := range args {
		values = append(values, uint64(uint32(a)))
	}
	out, err := x.m.ExportedFunction(name).Call(x.ctx, values...)
	if err != nil {
		x.t.Fatal(err)
	}
	require.Zero(x.t, x.m.ExportedGlobal("fault").Get(), "%s: a fault", name)
	if len(out) == 0 {
		return 0
	}
	return int(int32(uint32(out[0])))
}

func (x *module) result(n int) int {
	return int(int32(uint32(x.m.ExportedGlobal([]string{"", "r1", "r2"}[n]).Get())))
}

func (x *module) set(name string, value int) {
	x.m.ExportedGlobal(name).(api.MutableGlobal).Set(uint64(uint32(value)))
}

func (x *module) text(at, n int) string {
	b, ok := x.m.Memory().Read(uint32(at), uint32(n))
	require.True(x.t, ok)
	return string(b)
}

// setField sets name and path.
func (x *module) setField(name, path string) {
	at := x.put(name, path)
	x.set("Name.0", at)
	x.set("Name.1", len(name))
	x.set("Path.0", at+len(name))
	x.set("Path.1", len(path))
}

// A glossary is what tables of words are made of.
type glossary struct {
	words   []string // by number
	atoms   map[string]int
	phrases [][][]string // by detector
	lists   [][]string   // what wordsAre asks
}

func (g *glossary) number(w string) int {
	if i := slices.Index(g.words, w); i >= 0 {
		return i
	}
	g.words = append(g.words, w)
	return len(g.words) - 1
}

var theGlossary = &glossary{
	atoms: map[string]int{"user": 0, "id": 1, "phone": 2, "größe": 3, "日本": 4, "s": 5, strings.Repeat("a", 128): 6},
	phrases: [][][]string{
		{{"phone"}, {"mobile", "number"}}, {}, {{"phone", "number"}, {"no"}}, {{"id"}}, {{"a", "b", "c"}, {"größe"}}, {{"日本"}, {"s"}}, {{"ids"}},
		33: {{"number"}}, 40: {{strings.Repeat("a", 128)}, {"user", "id", "no"}},
	},
	lists: [][]string{{}, {"user", "id"}, {"phone"}, {"größe", "日本"}},
}

func (g *glossary) fill(tab *tables.Tables) {
	begin := make([][]uint32, 100)
	most := 0
	for d, list := range g.phrases {
		for _, p := range list {
			n := g.number(p[0])
			begin[n] = append(begin[n], uint32(d), uint32(len(p)-1))
			for _, w := range p[1:] {
				begin[n] = append(begin[n], uint32(g.number(w)))
			}
		}
	}
	for w, a := range g.atoms {
		g.number(w)
		most = max(most, a+1)
	}
	var ids []uint16
	for _, list := range g.lists {
		for _, w := range list {
			ids = append(ids, uint16(g.number(w)))
		}
	}
	var pool []byte
	var numbers []int
	at, phraseAt := []uint32{0}, []uint32{0}
	var phrases []uint32
	atoms := make([]uint16, len(g.words))
	for i, w := range g.words {
		pool = append(pool, w...)
		numbers = append(numbers, i)
		at = append(at, uint32(len(pool)))
		phrases = append(phrases, begin[i]...)
		phraseAt = append(phraseAt, uint32(len(phrases)))
		if a, ok := g.atoms[w]; ok {
			atoms[i] = uint16(a + 1)
		}
	}
	tab.Scalar("HasWords", 1)
	tab.Scalar("HasContext", 1)
	tab.Uint32("WordSlots", words.Slots(g.words, numbers))
	tab.Uint32("WordAt", at)
	tab.Bytes("WordPool", 1, pool)
	tab.Uint16("WordAtoms", atoms)
	tab.Uint32("Phrases", phrases)
	tab.Uint32("PhraseAt", phraseAt)
	var first []string
	for i, w := range g.words {
		if len(begin[i]) > 0 {
			first = append(first, w)
		}
	}
	tab.Uint32("PhraseBits", words.Bits(first))
	tab.Uint16("WordIDs", ids)
	tab.Room("NearSets", 4, NearKinds*((len(g.phrases)+31)/32))
}

// native fills the tables of this process.
func (g *glossary) native(t *testing.T) {
	tab := &tables.Tables{Package: "run"}
	g.fill(tab)
	require.NoError(t, tab.Native(map[string]any{"HasWords": &HasWords, "HasContext": &HasContext, "WordSlots": &WordSlots, "WordAt": &WordAt, "WordPool": &WordPool,
		"WordAtoms": &WordAtoms, "Phrases": &Phrases, "PhraseAt": &PhraseAt, "PhraseBits": &PhraseBits, "WordIDs": &WordIDs, "NearSets": &NearSets}))
	stamps, heldRoom, setList := Stamps, Held, SetList
	Stamps, Held = make([]int32, 64), make([]uint16, 64)
	t.Cleanup(func() {
		ForgetWords()
		Stamps, Held, SetList = stamps, heldRoom, setList
		Name, Path = "", ""
	})
}

// split is what a text's words are, by the package that is tested by itself.
func split(text string) (out []string) {
	buf, ends := make([]byte, words.Room(len(text))), make([]int32, words.Max)
	at := int32(0)
	for _, end := range ends[:words.Split(text, buf, ends)] {
		out = append(out, string(buf[at:end]))
		at = end
	}
	return out
}

// goesOn reports whether a row of words begins with a phrase.
func goesOn(row, phrase []string) bool {
	if len(row) < len(phrase) {
		return false
	}
	for i, p := range phrase {
		if row[i] != p && (i < len(phrase)-1 || row[i] != p+"s") {
			return false
		}
	}
	return true
}

// stands reports whether a phrase of a detector is in a row of words.
func (g *glossary) stands(row []string, detector int) bool {
	for i := range row {
		for _, phrase := range g.phrases[detector] {
			if goesOn(row[i:], phrase) {
				return true
			}
		}
	}
	return false
}

var textPieces = []string{"user", "User", "ID", "IDs", "id", "ids", "phone", "Phones", "number", "mobile", "numbers", "no", "nos", "a", "b", "c", "größe", "GRÖSSE", "Größe", "日本", "日本s", "s", "ss",
	" ", " ", " ", "_", ".", "-", "1", "42", "\xff", "\xe6\x97", "\x80\x80\x80\x80", "É", "ж", "🙂", "\u0301", strings.Repeat("a", 128), strings.Repeat("b", 70), ", and then ", "a1"}

func wordy(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n) {
		if r.IntN(30) == 0 {
			b.WriteRune(rune(r.IntN(unicode.MaxRune)))
		}
		b.WriteString(textPieces[r.IntN(len(textPieces))])
	}
	return b.String()
}

func TestBoundsAreThoseOfOthers(t *testing.T) {
	assert.Equal(t, []int{profile.MaxName, profile.MaxWords, profile.MaxAround}, []int{MaxName, MaxWords, MaxAround})
	assert.Equal(t, words.Max, MaxWords)
	assert.LessOrEqual(t, words.Room(MaxName), rowText)
	assert.LessOrEqual(t, words.Room(rowWords)+words.MaxLen, rowText, "what is surveyed has room")
}

func TestNames(t *testing.T) {
	g := theGlossary
	g.native(t)
	x := newModule(t, func(tab *tables.Tables) {
		g.fill(tab)
		tab.Room("Stamps", 4, 64)
		tab.Room("Held", 2, 64)
	})
	r := rand.New(rand.NewPCG(7, 8))
	var list []string
	told := 0
	SetList = func(slot int, l []string) {
		assert.Equal(t, profile.FieldWords, slot)
		list = slices.Clone(l)
		told++
	}
	for i := range 3000 {
		n := 8
		if i%20 == 0 {
			n = 400
		}
		Name, Path = wordy(r, n), wordy(r, n)
		switch r.IntN(4) {
		case 0:
			Path = Name
		case 1:
			Path = ""
		}
		name, path := split(profileCut(Name)), split(profileCut(Path))

		nextRound()
		fieldBegin()
		readNames()
		told = 0
		needWords()
		needWords()
		require.Equal(t, 1, told)
		require.Equal(t, name, slices.Clip(append([]string(nil), list...)), "%q", Name)
		var want, got []int
		for w, a := range g.atoms {
			if slices.Contains(name, w) {
				want = append(want, a)
			}
		}
		for _, a := range Held[:held] {
			got = append(got, int(a))
		}
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, want, got, "%q", Name)

		x.setField(Name, Path)
		x.call("run.nextRound")
		x.call("run.fieldBegin")
		x.call("run.readNames")
		x.call("run.needWords")
		require.Equal(t, held, int(x.m.ExportedGlobal("held").Get()))
		at, count := int(x.m.ExportedGlobal("list").Get()), int(x.m.ExportedGlobal("count").Get())
		var theirs []string
		for k := range count {
			a, _ := x.m.Memory().ReadUint32Le(uint32(at + 8*k))
			l, _ := x.m.Memory().ReadUint32Le(uint32(at + 8*k + 4))
			theirs = append(theirs, x.text(int(a), int(l)))
		}
		require.Equal(t, name, theirs, "%q", Name)
		for d := range g.phrases {
			want := g.stands(name, d) || Path != Name && g.stands(path, d)
			require.Equal(t, want, isNear(d), "%q %q %d", Name, Path, d)
			require.Equal(t, want, x.call("run.isNear", d) != 0, "%q %q %d", Name, Path, d)
		}
		from := 0
		for _, l := range g.lists {
			want := slices.Equal(l, name)
			require.Equal(t, want, wordsAre(from, from+len(l)), "%q", Name)
			require.Equal(t, want, x.call("run.wordsAre", from, from+len(l)) != 0, "%q", Name)
			from += len(l)
		}
	}
}

// profileCut is a name as rules see it.
func profileCut(s string) string {
	n := min(len(s), profile.MaxName)
	for n > 0 && n < len(s) && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// Without words nothing is looked up, and what readNames would need is not there.
func TestNoWords(t *testing.T) {
	ForgetWords()
	Name, Path = "phone", "x.phone"
	t.Cleanup(func() { Name, Path = "", "" })
	fieldBegin()
	readNames()
	assert.False(t, isNear(0))
	assert.False(t, nearMay("phone 1", 6, 0))
	assert.False(t, nearHas("phone 1", 6, 7, 0))
}
