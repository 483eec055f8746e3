package celrules

import (
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/source"
)

// Whatever the conditions and the field: the meter comes out where the classifier
// does, and a part was seen with the value that it has by itself.
func FuzzMeter(f *testing.F) {
	f.Add(`field.name == "a" && !(value == "b" || value.is("d"))`, `luhn(match.digits) || match.before == "x"`, `match.text == "AB-12"`, "a", "AB-1234 x AB-12")
	f.Add(`value == "" ? field.name == "a" : value.finds("d")`, `match.groups[1] != "0" && match.groups[2] == ""`, `match.after.matches("^[0-9]")`, "", "AB-0A-1")
	f.Add(`field.words.exists(w, w == "a" || w == "b") && field.tags["k"] == "v"`, `!(match.text.size() > 4) && rem(match.digits, 3) == 0`, `false`, "a_b", "AB-123456")
	f.Add(`true`, `true || value == "x"`, `true && !false`, "Zz", "Z-1")
	f.Add(`(field.name == "a" || value == "b") == (value == "c" && true)`, `match.groups.all(g, g != "" && g != "1")`, `match.text.startsWith("B")`, "a", "BB-1 BB-2é")
	f.Fuzz(func(t *testing.T, when, check, suppress, name, value string) {
		if !utf8.ValidString(when+check+suppress) || len(value) > 512 {
			return
		}
		text := "categories: [{key: user}]\nrules:\n  - {id: r, category: user, confidence: 0.9, when: " + strconv.Quote(when) +
			"}\ndetectors:\n  - {id: d, category: user, pattern: '[A-Z]{1,2}-([0-9]+)', check: " + strconv.Quote(check) +
			", confidence: {base: 0.4, checked: 0.9}}\nsuppress:\n  - {id: s, when: " + strconv.Quote(suppress) + ", reason: r}\n"
		var ps source.Problems
		doc := source.Parse("f.yaml", []byte(text), &ps).Map(&ps, "file")
		all, _ := Rules(doc, "f", nil, &ps)
		if ps.Len() > 0 {
			return
		}
		c, err := classify.New(&all)
		require.NoError(t, err)
		m, err := NewMeter(&all, doc, "f")
		require.NoError(t, err)
		s := c.NewScanner()
		s.Threshold = 0

		field := classify.Field{Name: name, Value: value}
		w := m.rules["f/r"]
		m.begin(&field)
		require.Equal(t, s.Asserts("f/r", &field), m.holds(&m.rule, w.program, w))
		for node, part := range w.part {
			if part == 0 {
				continue
			}
			seen := &w.Parts[part-1]
			m.now = nil
			got, code := m.rule.EvalBoolAt(w.program, node)
			if code == expr.BadFrame || !seen.True && !seen.False {
				continue // inside of a macro, or never evaluated, or an error
			}
			require.Equal(t, expr.OK, code, seen.Text)
			require.Equal(t, got, seen.True, seen.Text)
			require.Equal(t, !got, seen.False, seen.Text)
		}

		m.begin(&classify.Field{Value: value})
		_, fires := s.Fires("d", value)
		require.Equal(t, fires, m.search(&m.detectors[0], value))
		for _, cover := range m.Coverage() {
			require.LessOrEqual(t, cover.Both(), len(cover.Parts))
			require.NotZero(t, cover.Line)
		}
	})
}

func TestMeterOfNothing(t *testing.T) {
	var ps source.Problems
	doc := source.Parse("f.yaml", []byte("privet: 1"), &ps).Map(&ps, "file")
	m, err := NewMeter(&bundle.Classification{}, doc, "f")
	require.NoError(t, err)
	m.Case(&Case{Rule: "f/r"})
	m.Case(&Case{Detector: "d"})
	m.Field(&classify.Field{Name: "a", Value: "b"})
	require.Empty(t, m.Coverage())
	_, err = NewMeter(&bundle.Classification{Detectors: []bundle.Detector{{ID: "d", Pattern: "("}}},
		source.Parse("f.yaml", []byte("detectors: [{id: d}]"), &ps).Map(&ps, "file"), "f")
	require.ErrorIs(t, err, classify.ErrInvalid)
}
