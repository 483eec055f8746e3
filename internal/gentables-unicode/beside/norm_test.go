package beside

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/privetdev/privet/internal/plain"
)

// A difference is some characters of which the plain form is not NFKC though one of
// both is ASCII, and why.
type difference struct {
	from, to rune
	want     string // the plain form of each; "0": the digit that it is
	reason   string
}

var differences = []difference{
	{0x00AD, 0x00AD, "", "soft hyphen: not seen where the line does not end"},
	{0x034F, 0x034F, "", "combining grapheme joiner: not seen"},
	{0x061C, 0x061C, "", "Arabic letter mark: Bidi_Control"},
	{0x0660, 0x0669, "0", "Arabic-Indic digits"},
	{0x06F0, 0x06F9, "0", "extended Arabic-Indic digits"},
	{0x07C0, 0x07C9, "0", "NKo digits"},
	{0x0966, 0x096F, "0", "Devanagari digits"},
	{0x09E6, 0x09EF, "0", "Bengali digits"},
	{0x0A66, 0x0A6F, "0", "Gurmukhi digits"},
	{0x0AE6, 0x0AEF, "0", "Gujarati digits"},
	{0x0B66, 0x0B6F, "0", "Oriya digits"},
	{0x0BE6, 0x0BEF, "0", "Tamil digits"},
	{0x0C66, 0x0C6F, "0", "Telugu digits"},
	{0x0CE6, 0x0CEF, "0", "Kannada digits"},
	{0x0D66, 0x0D6F, "0", "Malayalam digits"},
	{0x0DE6, 0x0DEF, "0", "Sinhala lith digits"},
	{0x0E50, 0x0E59, "0", "Thai digits"},
	{0x0ED0, 0x0ED9, "0", "Lao digits"},
	{0x0F20, 0x0F29, "0", "Tibetan digits"},
	{0x1040, 0x1049, "0", "Myanmar digits"},
	{0x1090, 0x1099, "0", "Myanmar Shan digits"},
	{0x1680, 0x1680, " ", "Ogham space mark: a space (Zs) that no mapping names"},
	{0x17E0, 0x17E9, "0", "Khmer digits"},
	{0x180B, 0x180D, "", "Mongolian variation selectors"},
	{0x180E, 0x180E, "", "Mongolian vowel separator"},
	{0x180F, 0x180F, "", "Mongolian variation selector"},
	{0x1810, 0x1819, "0", "Mongolian digits"},
	{0x1946, 0x194F, "0", "Limbu digits"},
	{0x19D0, 0x19D9, "0", "New Tai Lue digits"},
	{0x1A80, 0x1A89, "0", "Tai Tham Hora digits"},
	{0x1A90, 0x1A99, "0", "Tai Tham Tham digits"},
	{0x1B50, 0x1B59, "0", "Balinese digits"},
	{0x1BB0, 0x1BB9, "0", "Sundanese digits"},
	{0x1C40, 0x1C49, "0", "Lepcha digits"},
	{0x1C50, 0x1C59, "0", "Ol Chiki digits"},
	{0x200B, 0x200F, "", "zero width, and marks of direction"},
	{0x2010, 0x2013, "-", "hyphens, figure dash, en dash: written between digits"},
	{0x202A, 0x202E, "", "embeddings and overrides of direction"},
	{0x2060, 0x2064, "", "word joiner, invisible operators"},
	{0x2066, 0x206F, "", "isolates of direction, deprecated format characters"},
	{0x207B, 0x207B, "-", "superscript minus, which NFKC makes U+2212"},
	{0x208B, 0x208B, "-", "subscript minus, which NFKC makes U+2212"},
	{0x2212, 0x2212, "-", "minus sign"},
	{0x3002, 0x3002, ".", "ideographic full stop: a dot of addresses (UTS #46)"},
	{0xA620, 0xA629, "0", "Vai digits"},
	{0xA8D0, 0xA8D9, "0", "Saurashtra digits"},
	{0xA900, 0xA909, "0", "Kayah Li digits"},
	{0xA9D0, 0xA9D9, "0", "Javanese digits"},
	{0xA9F0, 0xA9F9, "0", "Myanmar Tai Laing digits"},
	{0xAA50, 0xAA59, "0", "Cham digits"},
	{0xABF0, 0xABF9, "0", "Meetei Mayek digits"},
	{0xFE00, 0xFE0F, "", "variation selectors"},
	{0xFE12, 0xFE12, ".", "vertical form of U+3002"},
	{0xFE32, 0xFE32, "-", "vertical form of U+2013"},
	{0xFEFF, 0xFEFF, "", "byte order mark"},
	{0xFF61, 0xFF61, ".", "half-width form of U+3002"},
	{0x104A0, 0x104A9, "0", "Osmanya digits"},
	{0x10D30, 0x10D39, "0", "Hanifi Rohingya digits"},
	{0x11066, 0x1106F, "0", "Brahmi digits"},
	{0x110F0, 0x110F9, "0", "Sora Sompeng digits"},
	{0x11136, 0x1113F, "0", "Chakma digits"},
	{0x111D0, 0x111D9, "0", "Sharada digits"},
	{0x112F0, 0x112F9, "0", "Khudawadi digits"},
	{0x11450, 0x11459, "0", "Newa digits"},
	{0x114D0, 0x114D9, "0", "Tirhuta digits"},
	{0x11650, 0x11659, "0", "Modi digits"},
	{0x116C0, 0x116C9, "0", "Takri digits"},
	{0x11730, 0x11739, "0", "Ahom digits"},
	{0x118E0, 0x118E9, "0", "Warang Citi digits"},
	{0x11950, 0x11959, "0", "Dives Akuru digits"},
	{0x11C50, 0x11C59, "0", "Bhaiksuki digits"},
	{0x11D50, 0x11D59, "0", "Masaram Gondi digits"},
	{0x11DA0, 0x11DA9, "0", "Gunjala Gondi digits"},
	{0x11F50, 0x11F59, "0", "Kawi digits"},
	{0x16A60, 0x16A69, "0", "Mro digits"},
	{0x16AC0, 0x16AC9, "0", "Tangsa digits"},
	{0x16B50, 0x16B59, "0", "Pahawh Hmong digits"},
	{0x1E140, 0x1E149, "0", "Nyiakeng Puachue Hmong digits"},
	{0x1E2F0, 0x1E2F9, "0", "Wancho digits"},
	{0x1E4F0, 0x1E4F9, "0", "Nag Mundari digits"},
	{0x1E950, 0x1E959, "0", "Adlam digits"},
	{0xE0001, 0xE0001, "", "language tag"},
	{0xE0020, 0xE007F, "", "tags"},
	{0xE0100, 0xE01EF, "", "variation selectors"},
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// The plain form of each character is its NFKC if that is ASCII, and else the character
// itself, apart from the differences above, each of which there is.
func TestEveryCharacterBesideNFKC(t *testing.T) {
	want := map[rune]string{}
	for _, d := range differences {
		for r := d.from; r <= d.to; r++ {
			want[r] = d.want
			if d.want == "0" {
				// Digits of a script begin with zero; none is missing.
				want[r] = fmt.Sprint(r - d.from)
				assert.Equal(t, rune(9), d.to-d.from, d.reason)
				assert.True(t, unicode.Is(unicode.Nd, r), "%U: %s", r, d.reason)
			}
		}
	}
	var text plain.Text
	changed := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := string(r)
		kc := norm.NFKC.String(s)
		expected := s
		if isASCII(kc) {
			expected = kc
		}
		if other, ok := want[r]; ok {
			require.NotEqual(t, expected, other, "%U is no difference: remove it", r)
			expected = other
		}
		got := text.Read(s)
		require.Equal(t, expected, got, "%U, whose NFKC is %+q", r, kc)
		require.Equal(t, got == s, plain.Clean(s), "%U", r)
		if got != s {
			changed++
		}
	}
	t.Logf("%d characters change", changed)
}

// The plain form of a text is its NFKC where no character is a difference, none changes
// beyond ASCII, and none could join the one before it.
func TestTextsBesideNFKC(t *testing.T) {
	different := map[rune]bool{}
	for _, d := range differences {
		for r := d.from; r <= d.to; r++ {
			different[r] = true
		}
	}
	var forms, alike []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || different[r] || !norm.NFKC.PropertiesString(string(r)).BoundaryBefore() {
			continue
		}
		switch kc := norm.NFKC.String(string(r)); {
		case kc == string(r):
			alike = append(alike, r)
		case isASCII(kc):
			forms = append(forms, r)
		}
	}
	require.Greater(t, len(forms), 1000)
	r := rand.New(rand.NewPCG(3, 4))
	var text plain.Text
	for range 20000 {
		var b strings.Builder
		for range r.IntN(30) {
			if from := forms; r.IntN(2) == 0 {
				b.WriteRune(from[r.IntN(len(from))])
			} else {
				b.WriteRune(alike[r.IntN(len(alike))])
			}
		}
		require.Equal(t, norm.NFKC.String(b.String()), text.Read(b.String()), "%+q", b.String())
	}
}

// The digits of package unicode come in tens, each from zero to nine: a script that is
// new and breaks the order would show here.
func TestEveryDigit(t *testing.T) {
	var text plain.Text
	var values []string
	for r := rune(utf8.RuneSelf); r <= unicode.MaxRune; r++ {
		if unicode.Is(unicode.Nd, r) {
			values = append(values, strings.Clone(text.Read(string(r))))
		}
	}
	for ten := range slices.Chunk(values, 10) {
		require.Equal(t, "0 1 2 3 4 5 6 7 8 9", strings.Join(ten, " "))
	}
	assert.Greater(t, len(values), 600)
}

// BenchmarkForm is the plain form beside norm.NFKC, which is what a program would take
// otherwise. NFKC does more (it composes, and maps beyond ASCII) and less: it leaves
// what is not seen and other digits, and tells no places. Append is its way without an
// allocation, QuickSpan its question whether there is anything to do.
func BenchmarkForm(b *testing.B) {
	for _, tt := range []struct{ name, text string }{
		{"ASCII", "The quick brown fox jumps over the lazy dog, 12 times; then it writes to jane@example.test about it. "},
		{"German", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; danach schläft er für fünf Stunden. "},
		{"Russian", "Съешь же ещё этих мягких французских булок, да выпей чаю. "},
		{"Japanese", "いろはにほへと ちりぬるを わかよたれそ つねならむ 有為の奥山 けふこえて "},
		{"Chinese, punctuated", "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。"},
		{"full-width", "０１２３４５６７８９　"},
	} {
		s := strings.Repeat(tt.text, 1+1<<16/len(tt.text))
		run := func(name string, f func()) {
			b.Run(tt.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(s)))
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		var text plain.Text
		var to []byte
		if plain.Clean(s) { // otherwise both end after a few bytes
			run("clean", func() { plain.Clean(s) })
			run("quickspan", func() { norm.NFKC.QuickSpanString(s) })
		}
		run("read", func() { text.Read(s) })
		run("nfkc", func() { to = norm.NFKC.AppendString(to[:0], s) })
		run("copy", func() { to = append(to[:0], s...) })
	}
}
