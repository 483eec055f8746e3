package run

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/plain"
	"github.com/privetdev/privet/wasm/emit/rt"
)

// workOf makes work memory of so many numbers, read as bytes as well.
func workOf(t *testing.T, most int) {
	t.Helper()
	room, work8, work32 := Room, Work8, Work32
	t.Cleanup(func() { Room, Work8, Work32, workTop, plainTop = room, work8, work32, 0, 0 })
	Work32 = make([]int32, most)
	Work8 = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(Work32))), 4*most)
	Room = func(bytes int) bool { return bytes <= 4*most }
}

var plainPieces = []string{"a", "1", " ", "Z", "é", "ж", "日", "🙂", "\xff", "\x80", "\xe6\x97", "\xf0\x9f", "１", "２３", "Ａ", "٣", "१", "\u00a0", "\u200b", "\u00ad", "\ufe0f", "\U000e0100", "²", "①", "⒇", "ﬁ", "Ⅷ", "—", "‐", "。", "𝟗", "㏂", "\ufeff",
	"abcdefghijklmnop", "0123456789 0123456789", "größe und länge"}

func plainText1(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n) {
		if r.IntN(30) == 0 {
			b.WriteRune(rune(r.IntN(unicode.MaxRune)))
		}
		for p, k := plainPieces[r.IntN(len(plainPieces))], r.IntN(3); k >= 0; k-- {
			b.WriteString(p)
		}
	}
	return b.String()
}

func TestPlain(t *testing.T) {
	workOf(t, 1<<16)
	r := rand.New(rand.NewPCG(1, 2))
	var native plain.Text
	odd := 0
	for range 4000 {
		s := plainText1(r, 12)
		workTop = 77
		form, ok := plainText(s)
		require.True(t, ok)
		want := native.Read(s)
		require.Equal(t, want, form, "%q", s)
		if want == s {
			require.Zero(t, workTop)
		} else {
			odd++
			require.GreaterOrEqual(t, 4*workTop, len(form))
		}
		for start := 0; start <= len(form); start++ {
			for end := start; end <= len(form); end++ {
				a, b := native.Original(start, end)
				c, d := plainPlace(start, end)
				if plainTop == 0 { // places are what they are
					a, b = start, end
				}
				require.Equal(t, []int{a, b}, []int{c, d}, "%q %d %d", s, start, end)
			}
			if start > 60 {
				break
			}
		}
		rt.Begin()
		nested, ok := plainNested(s)
		require.True(t, ok)
		require.Equal(t, want, nested)
	}
	assert.Greater(t, odd, 1000)
}

func TestPlainWithoutRoom(t *testing.T) {
	workOf(t, 6)
	_, ok := plainText("１")
	assert.True(t, ok, "four numbers are enough")
	_, ok = plainText("１a２b")
	assert.False(t, ok, "seven numbers: a form of four bytes and two runs")
	form, ok := plainText("１２３")
	assert.True(t, ok)
	assert.Equal(t, "123", form, "one run")
	form, ok = plainText(strings.Repeat("a", 100))
	assert.True(t, ok, "what is plain needs none")
	assert.Len(t, form, 100)
	rt.Begin()
	rt.Top = rt.Size - 1
	_, ok = plainNested("１２３")
	assert.False(t, ok)
	assert.Negative(t, rt.Fuel, "the evaluation has used up its budget")
	form, ok = plainNested("\u200b")
	assert.True(t, ok, "nothing stays")
	assert.Empty(t, form)
}

// The module says the same; it looks for what is not plain in a way of its own.
func TestPlainInModule(t *testing.T) {
	workOf(t, 1<<18)
	x := newModule(t, nil)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 1500 {
		n := 10
		if i%100 == 0 {
			n = 500
		}
		s := plainText1(r, n)
		want, ok := plainText(s)
		require.True(t, ok)
		at := x.put(s)
		form := x.call("run.plainText", at, len(s))
		require.Equal(t, want, x.text(form, x.result(1)), "%q", s)
		require.Equal(t, 1, x.result(2))
		for range 20 {
			start := r.IntN(len(want) + 1)
			end := start + r.IntN(len(want)-start+1)
			a, b := plainPlace(start, end)
			require.Equal(t, a, x.call("run.plainPlace", start, end), "%q %d %d", s, start, end)
			require.Equal(t, b, x.result(1), "%q %d %d", s, start, end)
		}
		if len(s) < 1000 {
			x.call("rt.Begin")
			form = x.call("run.plainNested", at, len(s))
			require.Equal(t, want, x.text(form, x.result(1)), "%q", s)
		}
	}
}

// BenchmarkClean is one pass over a text that is plain, in a module.
func BenchmarkClean(b *testing.B) {
	for _, tt := range []struct{ name, text string }{
		{"ASCII", strings.Repeat("The quick brown fox jumps over the lazy dog. ", 1456)},
		{"German", strings.Repeat("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ", 1000)},
		{"Japanese", strings.Repeat("いろはにほへと ちりぬるを わかよたれそ つねならむ ", 900)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			x := newModule(b, nil)
			at := x.put(tt.text)
			b.SetBytes(int64(len(tt.text)))
			for b.Loop() {
				x.call("run.plainText", at, len(tt.text))
			}
		})
	}
}
