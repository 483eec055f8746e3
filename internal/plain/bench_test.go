package plain

import (
	"strings"
	"testing"
)

// texts are what is measured: 64 kB of prose each, which is a block of a stream, and a
// short one.
var texts = []struct {
	name, text string
}{
	{"ASCII", fill("The quick brown fox jumps over the lazy dog, 12 times; then it writes to jane@example.test about it. ")},
	{"German", fill("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; danach schläft er für fünf Stunden. ")},
	{"French", fill("Portez ce vieux whisky au juge blond qui fume sur l’île intérieure, à côté de l’alcôve ovoïde. ")},
	{"Russian", fill("Съешь же ещё этих мягких французских булок, да выпей чаю. ")},
	{"Arabic", fill("صِف خَلقَ خَودِ كَمِثلِ الشَمسِ إِذ بَزَغَت يَحظى الضَجيعُ بِها نَجلاءَ مِعطارِ ")},
	{"Hindi", fill("ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले विष्णुवतार भगवान श्रीराम ")},
	{"Chinese", fill("天地玄黄 宇宙洪荒 日月盈昃 辰宿列张 寒来暑往 秋收冬藏 闰余成岁 律吕调阳 ")},
	{"Japanese", fill("いろはにほへと ちりぬるを わかよたれそ つねならむ 有為の奥山 けふこえて ")},
	// From here on not plain.
	{"French, no-break", fill("Portez ce vieux whisky\u00a0: au juge blond qui fume sur l’île intérieure, à côté de l’alcôve ovoïde\u00a0! ")},
	{"Chinese, punctuated", fill("天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。")},
	{"Japanese, punctuated", fill("色は匂へど、散りぬるを。我が世誰ぞ、常ならむ。有為の奥山、今日越えて、浅き夢見じ、酔ひもせず。")},
	{"ASCII, one full-width", fill("x")[:1<<15] + "１" + fill("x")[:1<<15]},
	{"Arabic digits", fill("٠١٢٣-٤٥٦٧-٨٩٠١ ")},
	{"full-width", fill("０１２３４５６７８９　")},
	{"worst", fill("²\u00ad")},
	{"short", "Tel. ０３０ １２３４"},
}

func fill(s string) string { return strings.Repeat(s, 1+1<<16/len(s)) }

// BenchmarkClean asks whether a text is plain. Of one that is not, it looks as far as
// the first character that tells.
func BenchmarkClean(b *testing.B) {
	for _, tt := range texts {
		if !Clean(tt.text) {
			continue
		}
		b.Run(tt.name, func(b *testing.B) {
			b.SetBytes(int64(len(tt.text)))
			b.ReportAllocs()
			for b.Loop() {
				if !Clean(tt.text) {
					b.Fatal("it is plain")
				}
			}
		})
	}
}

// BenchmarkRead makes the plain form. "copy" is the floor: the same bytes written into
// memory that is there.
func BenchmarkRead(b *testing.B) {
	for _, tt := range texts {
		b.Run(tt.name, func(b *testing.B) {
			var text Text
			b.SetBytes(int64(len(tt.text)))
			b.ReportAllocs()
			for b.Loop() {
				if text.Read(tt.text) == "" {
					b.Fatal("no form")
				}
			}
		})
	}
	b.Run("copy", func(b *testing.B) {
		s := texts[0].text
		var to []byte
		b.SetBytes(int64(len(s)))
		b.ReportAllocs()
		for b.Loop() {
			to = append(to[:0], s...)
		}
	})
}

// BenchmarkOriginal maps a place back, in a text with thousands of runs.
func BenchmarkOriginal(b *testing.B) {
	var text Text
	form := text.Read(fill("天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。"))
	sum, at := 0, 0
	for b.Loop() {
		from, to := text.Original(at, at+10)
		sum += to - from
		if at += 7919; at+10 >= len(form) {
			at -= len(form) - 10
		}
	}
	if sum == 0 {
		b.Fatal("nowhere")
	}
}
