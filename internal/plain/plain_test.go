package plain

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
)

// A row is what one text becomes, and why.
type row struct{ text, want, reason string }

var rows = []row{
	{"", "", "nothing"},
	{"plain ASCII, 0-9.", "plain ASCII, 0-9.", "ASCII stays"},
	{"naïve Straße, Größe", "naïve Straße, Größe", "letters with accents stay"},
	{"Москва, Αθήνα, 東京, 서울, ไทย, हिन्दी", "Москва, Αθήνα, 東京, 서울, ไทย, हिन्दी", "other scripts stay"},
	{"カタカナ ｶﾀｶﾅ ひらがな", "カタカナ ｶﾀｶﾅ ひらがな", "half-width kana are no form of ASCII"},
	{"😀 👍🏽", "😀 👍🏽", "emoji stay"},
	{"e\u0301", "e\u0301", "nothing is composed"},
	{"a\xffb\xc3\xe2\x82\xed\xa0\x80\xc0\xb1\xf5\x80\x80\x80", "a\xffb\xc3\xe2\x82\xed\xa0\x80\xc0\xb1\xf5\x80\x80\x80", "bytes that are no UTF-8 stay"},
	{"\xe0\x82\xb2 \xf0\x8f\xbc\x91", "\xe0\x82\xb2 \xf0\x8f\xbc\x91", "overlong forms of U+00B2 and U+FF11 are no UTF-8"},
	{"\xef\xbc", "\xef\xbc", "the begin of a full-width character at the end"},

	{"ＡＢＣ　ａｂｃ　０１２３４５６７８９！～", "ABC abc 0123456789!~", "full-width forms"},
	{"ｊａｎｅ＠ｅｘａｍｐｌｅ．ｔｅｓｔ", "jane@example.test", "full-width commercial at and full stop"},
	{"jane﹫example。test｡︒", "jane@example.test..", "small at, ideographic full stops"},
	{"𝐀𝒜𝔸𝖠𝙰 𝟎𝟗𝟘𝟡𝟢𝟫𝟬𝟵𝟶𝟿", "AAAAA 0909090909", "mathematical letters and digits"},
	{"x² x₂ ⁱⁿ ªº ʰ", "x2 x2 in ao h", "superscripts and subscripts"},
	{"⁺¹₋₂⁽₎", "+1-2()", "signs above and below the line"},
	{"①⑳ ⑴⒇ ⒈⒛ Ⓐⓩ ⒜⒵ 🄐 🅰", "120 (1)(20) 1.20. Az (a)(z) (A) 🅰", "circled, in parentheses, with full stop; a negative square is a picture"},
	{"ﬁne ﬂow oﬃce waﬄe ﬅ Ĳ ĳ Ǆ", "fine flow office waffle st IJ ij Ǆ", "ligatures; U+01C4 has a letter outside ASCII"},
	{"Ⅳ Ⅻ ⅷ ⅿ", "IV XII viii m", "Roman numerals"},
	{"㎏ ㏂ ㍱ ™ ℅ № …", "kg a.m. hPa TM c/o No ...", "signs made of letters"},
	{"½ ㎨ ㋀", "½ ㎨ ㋀", "a fraction slash, a division slash, an ideograph inside: no ASCII"},
	{"K Å ſ", "K Å s", "kelvin and long s are letters of ASCII, ångström is none"},

	{"1\u00a02\u20073\u202f4\u30005\u16806\u205f7", "1 2 3 4 5 6 7", "spaces of other widths"},
	{"1\u20282\u00853\t\n", "1\u20282\u00853\t\n", "what divides lines is no blank"},
	{"1‐2‑3‒4–5−6﹣7－8︲9", "1-2-3-4-5-6-7-8-9", "hyphens, figure and en dash, minus"},
	{"a—b―c", "a—b―c", "dashes that divide sentences"},

	{"٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹", "0123456789 0123456789", "Arabic-Indic digits"},
	{"०१२३४५६७८९ ০৯ ๐๙ ០៩ ᠐᠙ ߀߉", "0123456789 09 09 09 09 09", "Devanagari, Bengali, Thai, Khmer, Mongolian, NKo"},
	{"𑁦𑁯 𐒠𐒩 🯰🯹", "09 09 09", "Brahmi, Osmanya, segmented digits: beyond the first plane"},
	{"一二三 〇 Ⅰ፩", "一二三 〇 I፩", "numerals that are no decimal digits"},

	{"4\u200b1\u200c1\u200d1\u20601\ufeff1", "411111", "zero width"},
	{"\ufeffbegin", "begin", "a byte order mark"},
	{"Donau\u00addampf", "Donaudampf", "a soft hyphen"},
	{"\u202e1234\u202c \u2066x\u2069 \u200ea\u200f \u061c", "1234 x a ", "controls of direction"},
	{"☎\ufe0f 1\ufe0f2 \U000e0100", "☎ 12 ", "variation selectors"},
	{"a\u034fb\u180ec\u180bd", "abcd", "joiner of graphemes, Mongolian separators"},
	{"a\U000e0041\U000e007fb\U000e0001", "ab", "tags"},
	{"\u200b\u00ad", "", "nothing is left"},

	{"\xc2\u200b\xb2", "\xc2\u200b\xb2", "left out, it would mend what is broken: U+00B2"},
	{"\xef\xbc\u200b\u00ad\x91", "\xef\xbc\u200b\x91", "the first stays and keeps the halves apart"},
	{"\xff\u200b\xb2 \x80\u200b é\u200b\x80", "\xff\xb2 \x80 é\x80", "nothing here begins a character"},
}

func TestRead(t *testing.T) {
	var text Text
	for _, tt := range rows {
		assert.Equal(t, tt.want, text.Read(tt.text), "%+q: %s", tt.text, tt.reason)
		assert.Equal(t, tt.want == tt.text, Clean(tt.text), "%+q: %s", tt.text, tt.reason)
		assert.Equal(t, tt.want, reference(tt.text).form, "the reference on %+q: %s", tt.text, tt.reason)
	}
}

func TestOriginal(t *testing.T) {
	for _, tt := range []struct {
		text, part string // a part of the plain form
		want       string // of the text
		reason     string
	}{
		{"tel ０１２-3", "012", "０１２", "three bytes each"},
		{"tel ０１２-3", "2-3", "２-3", "where forms end"},
		{"a\u200b1\u200b2\u200bb", "12", "1\u200b2", "left out between, not at the edges"},
		{"\u200b\u200b12\u200b", "12", "12", "nor at the ends of the text"},
		{"\u200b１\u200b", "1", "１", "beside what changes"},
		{"⑴ ⑵", "1) (", "⑴ ⑵", "a character that became several is covered whole"},
		{"x⑴y", "1", "⑴", "though only a part is asked for"},
		{"é１é", "1é", "１é", "characters of two bytes that stay"},
		{"é１é", "\xa91\xc3", "é１é", "no character is cut"},
		{"東京１", "\x9d\xb1", "東", "nor one of three bytes"},
		{"😀１😀", "\x98\x801\xf0\x9f", "😀１😀", "nor one of four"},
		{"１\xff\xfe２", "\xfe2", "\xfe２", "broken ones are a byte each"},
		{"１\xe2\x82２", "\x822", "\x82２", "the begin of a character as well"},
		{"plain é", "\xa9", "é", "in a text that is plain"},
	} {
		var text Text
		form := text.Read(tt.text)
		at := strings.Index(form, tt.part)
		require.GreaterOrEqual(t, at, 0, tt.reason)
		from, to := text.Original(at, at+len(tt.part))
		assert.Equal(t, tt.want, tt.text[from:to], "%+q in %+q: %s", tt.part, tt.text, tt.reason)
	}
}

func TestOriginalOfNothing(t *testing.T) {
	var text Text
	at := func(start, end int) [2]int {
		from, to := text.Original(start, end)
		return [2]int{from, to}
	}
	assert.Equal(t, [2]int{0, 0}, at(0, 0), "the zero Text")
	assert.Equal(t, [2]int{0, 0}, at(-5, 7), "out of bounds")
	text.Read("\u200b⑴x\u200b")
	assert.Equal(t, [2]int{3, 3}, at(0, 0), "the first character begins behind what is left out")
	assert.Equal(t, [2]int{3, 3}, at(2, 2), "inside of a character")
	assert.Equal(t, [2]int{7, 7}, at(4, 4), "at the end")
	assert.Equal(t, [2]int{7, 7}, at(100, 200), "behind the end")
	assert.Equal(t, [2]int{7, 7}, at(4, 1), "the end before the start")
	assert.Equal(t, [2]int{3, 7}, at(-100, 100), "everything")
	text.Read("\u200b")
	assert.Equal(t, [2]int{0, 0}, at(0, 1), "nothing is left of the text")
	text.Read("")
	assert.Equal(t, [2]int{0, 0}, at(0, 1), "an empty text after another one")
}

// becomes is the table as a map.
var becomes = func() map[rune]string {
	m := map[rune]string{}
	var text Text
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) {
			if form := text.Read(string(r)); form != string(r) {
				m[r] = strings.Clone(form)
			}
		}
	}
	return m
}()

// A slow is the plain form with, for each of its bytes, the place of the character in
// the text that gave it. It is what the tests measure a Text by.
type slow struct {
	form  string
	spans [][2]int
}

func reference(s string) slow {
	var out slow
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		form, ok := becomes[r]
		if !ok || r == utf8.RuneError && size == 1 || form == "" && broken(s[:i]) {
			form = s[i : i+size]
		}
		for range len(form) {
			out.spans = append(out.spans, [2]int{i, i + size})
		}
		out.form += form
		i += size
	}
	return out
}

// broken reports whether s ends with the first bytes of a character.
func broken(s string) bool {
	for n := 1; n <= 3 && n <= len(s); n++ {
		if !utf8.FullRuneInString(s[len(s)-n:]) {
			return true
		}
	}
	return false
}

func (o slow) original(start, end int) (int, int) {
	switch {
	case start < end:
		return o.spans[start][0], o.spans[end-1][1]
	case start < len(o.spans):
		return o.spans[start][0], o.spans[start][0]
	case start > 0:
		return o.spans[start-1][1], o.spans[start-1][1]
	}
	return 0, 0
}

// boundaries are the places of s between two characters, broken ones a byte each.
func boundaries(s string) []int {
	out := []int{0}
	for i := 0; i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
		out = append(out, i)
	}
	return out
}

// laws are what holds for every text.
func laws(s string) error {
	var text, again Text
	form := text.Read(s)
	want := reference(s)
	if form != want.form {
		return fmt.Errorf("form %+q, want %+q", form, want.form)
	}
	if Clean(s) != (form == s) {
		return fmt.Errorf("Clean is %t, and the form %+q", Clean(s), form)
	}
	if !Clean(form) || again.Read(form) != form {
		return fmt.Errorf("the form %+q is not plain: %+q", form, again.Read(form))
	}
	if utf8.ValidString(s) && !utf8.ValidString(form) {
		return fmt.Errorf("the form %+q is broken", form)
	}
	if 3*len(form) > 4*len(s) {
		return fmt.Errorf("the form takes %d bytes and the text %d", len(form), len(s))
	}
	if 2*len(text.runs)/RunSize > len(s) {
		return fmt.Errorf("%d runs for %d bytes", len(text.runs)/RunSize, len(s))
	}
	edge := map[int]bool{}
	for _, i := range boundaries(s) {
		edge[i] = true
	}
	step := 1 + len(form)/50
	before := 0
	for start := 0; start <= len(form); start += step {
		last := 0
		for end := start; end <= len(form); end += step {
			from, to := text.Original(start, end)
			if a, b := want.original(start, end); from != a || to != b {
				return fmt.Errorf("Original(%d, %d) is %d, %d, want %d, %d", start, end, from, to, a, b)
			}
			if from < 0 || to < from || len(s) < to || from < before || to < last {
				return fmt.Errorf("Original(%d, %d) is %d, %d: out of order", start, end, from, to)
			}
			if !edge[from] || !edge[to] {
				return fmt.Errorf("Original(%d, %d) is %d, %d: inside a character", start, end, from, to)
			}
			last = to
			if end == start {
				before = from
			}
		}
	}
	// In blocks.
	for _, cut := range boundaries(s) {
		if broken(s[:cut]) {
			continue
		}
		if Cut(s[:cut]) != cut {
			return fmt.Errorf("Cut at %d is %d", cut, Cut(s[:cut]))
		}
		if parts := again.Read(s[:cut]); parts != form[:min(len(parts), len(form))] || again.Read(s[cut:]) != form[len(parts):] {
			return fmt.Errorf("cut at %d it has another form", cut)
		}
	}
	for i := range len(s) {
		cut := Cut(s[:i])
		if cut < 0 || cut > i || i-cut > 6 || utf8.ValidString(s) && !edge[cut] {
			return fmt.Errorf("Cut of %d bytes is %d", i, cut)
		}
		if parts := again.Read(s[:cut]); parts != form[:min(len(parts), len(form))] || again.Read(s[cut:]) != form[len(parts):] {
			return fmt.Errorf("of %d bytes cut at %d it has another form", i, cut)
		}
	}
	return nil
}

// changing are the characters of the table, in order.
var changing = func() []rune {
	var out []rune
	for r := range becomes {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}()

// random writes a text of all kinds of characters, in rows of one kind.
func random(r *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		kind := r.IntN(9)
		for range 1 + r.IntN(12) {
			switch kind {
			case 0:
				b.WriteByte(byte(r.IntN(128)))
			case 1:
				b.WriteRune(rune(0x80 + r.IntN(0x800)))
			case 2:
				b.WriteRune(rune(0x3000 + r.IntN(0x400)))
			case 3:
				b.WriteRune(rune(r.IntN(unicode.MaxRune + 1)))
			case 4:
				b.WriteRune(changing[r.IntN(len(changing))])
			case 5:
				b.WriteRune(rune(0xFF10 + r.IntN(10)))
			case 6:
				b.WriteRune([]rune{0x200B, 0xAD, 0xFE0F, 0x2060}[r.IntN(4)])
			case 7:
				b.WriteByte(byte(0x80 + r.IntN(128)))
			case 8:
				// Broken ones between characters that are left out.
				c := string(changing[r.IntN(len(changing))])
				b.WriteString(c[:r.IntN(len(c))])
				if r.IntN(2) == 0 {
					b.WriteString("\u200b")
				}
			}
		}
	}
	return b.String()
}

func TestLaws(t *testing.T) {
	for _, tt := range rows {
		assert.NoError(t, laws(tt.text), "%+q", tt.text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		s := random(r, r.IntN(60))
		require.NoError(t, laws(s), "%+q", s)
	}
}

// Every character that changes does so at each place of the words of eight bytes, and
// before and behind characters of any length.
func TestEveryPlace(t *testing.T) {
	require.Greater(t, len(changing), 2000, "the table is nearly empty")
	var text Text
	for _, c := range changing {
		for _, around := range []string{"a", "é", "東", "😀", "あ", "\xff"} {
			for n := range 9 {
				before, after := strings.Repeat("a", n)+around, around+"1234567"
				s := before + string(c) + after
				form := text.Read(s)
				require.Equal(t, before+becomes[c]+after, form, "%U behind %d", c, n)
				require.False(t, Clean(s), "%U behind %d", c, n)
				if to := len(becomes[c]); to > 0 {
					from, end := text.Original(len(before), len(before)+to)
					require.Equal(t, string(c), s[from:end])
				}
			}
		}
	}
}

// A run that is longer than a count goes on in another one; beyond what a Text looks
// at, texts stay and places are right.
func TestBounds(t *testing.T) {
	var text Text
	s := strings.Repeat("\u00b2", maxCount+3)
	form := text.Read(s)
	require.Len(t, form, maxCount+3)
	assert.Len(t, text.runs, 2*RunSize)
	from, to := text.Original(maxCount+1, maxCount+2)
	assert.Equal(t, [2]int{2*maxCount + 2, 2*maxCount + 4}, [2]int{from, to})

	s = "１２３４"
	for limit := range len(s) {
		text.read(s, limit)
		want := "1234"[:limit/3] + s[limit/3*3:]
		assert.Equal(t, want, text.form)
		from, to := text.Original(0, len(want))
		assert.Equal(t, [2]int{0, len(s)}, [2]int{from, to})
	}
}

func TestNoAllocations(t *testing.T) {
	dirty := strings.Repeat("tel ０１２３ é\u200b x² ", 100)
	texts := []string{dirty, strings.Repeat("plain ASCII and é ", 100), "", dirty[:len(dirty)/2]}
	var text Text
	text.Read(dirty)
	sum := 0
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, s := range texts {
			form := text.Read(s)
			from, to := text.Original(0, len(form))
			sum += to - from
			if Clean(s) {
				sum++
			}
		}
	}))
	assert.NotZero(t, sum)
}

func TestPlainTextIsReturnedItself(t *testing.T) {
	var text Text
	text.Read("１")
	s := "Größe 東京"
	assert.Equal(t, s, text.Read(s))
	assert.Empty(t, text.runs)
	from, to := text.Original(0, len(s))
	assert.Equal(t, s, s[from:to])
}

func FuzzRead(f *testing.F) {
	for _, tt := range rows {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 256 {
			return // the laws look at every pair of places
		}
		if err := laws(s); err != nil {
			t.Fatalf("%+q: %v", s, err)
		}
	})
}
