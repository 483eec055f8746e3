package risk

import (
	"bytes"
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

const manyRows = 1_000_000

// many is a million rows with five quasi-identifiers and a sensitive column, drawn by
// a linear congruential generator.
func many() []byte {
	var b bytes.Buffer
	b.WriteString("age,sex,zip,country,status,disease\n")
	x := uint64(1)
	next := func(n uint64) string {
		x = x*6364136223846793005 + 1442695040888963407
		return strconv.FormatUint(x>>33%n, 10)
	}
	for range manyRows {
		b.WriteString(next(80) + "," + next(2) + "," + next(5000) + "," + next(40) + "," + next(7) + "," + next(50) + "\n")
	}
	return b.Bytes()
}

var manyQuasi = []string{"age", "sex", "zip", "country", "status"}

func BenchmarkReadCSV(b *testing.B) {
	text := many()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := ReadCSV(bytes.NewReader(text), CSV{})
		require.NoError(b, err)
	}
}

// BenchmarkClasses groups a million rows that are nearly all different, the worst
// case. The floor beside it is a Go map of the same codes, ready as an array: what a
// program would write that has the columns encoded already.
func BenchmarkClasses(b *testing.B) {
	table, err := ReadCSV(bytes.NewReader(many()), CSV{})
	require.NoError(b, err)
	b.Run("five columns", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := table.Classes(manyQuasi...)
			require.NoError(b, err)
		}
	})
	b.Run("three columns", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := table.Classes("age", "sex", "country")
			require.NoError(b, err)
		}
	})
	b.Run("floor, a map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			classes := map[[5]uint32]int{}
			for row := range table.Len() {
				var key [5]uint32
				for i := range key {
					key[i] = table.data().columns[i].codes[row]
				}
				classes[key]++
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	table, err := ReadCSV(bytes.NewReader(many()), CSV{})
	require.NoError(b, err)
	classes, err := table.Classes("age", "sex", "country")
	require.NoError(b, err)
	for _, c := range []Criterion{KAnonymity(5), DistinctLDiversity("disease", 2), EntropyLDiversity("disease", 2), EqualDistanceTCloseness("disease", 0.5), OrderedDistanceTCloseness("disease", 0.5)} {
		b.Run(c.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := classes.Check(c)
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	b.Run("adult, k=5", func(b *testing.B) {
		s := Search{Quasi: adultQuasi, Hierarchies: adultHierarchies(b), Criteria: []Criterion{KAnonymity(5)}}
		table := adult(b)
		b.ReportAllocs()
		for b.Loop() {
			_, err := table.Search(context.Background(), s)
			require.NoError(b, err)
		}
	})
	b.Run("million rows, k=5", func(b *testing.B) {
		table, err := ReadCSV(bytes.NewReader(many()), CSV{})
		require.NoError(b, err)
		rules := map[string]*Hierarchy{}
		for name, rule := range map[string]string{"age": "bands:5,10,20", "sex": "suppress", "zip": "prefix:3,2,1", "country": "bands:10", "status": "suppress"} {
			rules[name], err = ParseRule(rule)
			require.NoError(b, err)
		}
		s := Search{Quasi: manyQuasi, Hierarchies: rules, Criteria: []Criterion{KAnonymity(5)}}
		b.ReportAllocs()
		for b.Loop() {
			g, err := table.Search(context.Background(), s)
			require.NoError(b, err)
			require.True(b, g.Found)
		}
	})
}
