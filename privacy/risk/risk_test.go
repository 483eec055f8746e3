package risk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func csvTable(t testing.TB, text string) *Table {
	t.Helper()
	table, err := ReadCSV(strings.NewReader(text), CSV{})
	require.NoError(t, err)
	return table
}

func check(t testing.TB, table *Table, quasi []string, c Criterion) Report {
	t.Helper()
	classes, err := table.Classes(quasi...)
	require.NoError(t, err)
	reports, err := classes.Check(c)
	require.NoError(t, err)
	require.Len(t, reports, 1)
	return reports[0]
}

// The inpatient table of Machanavajjhala et al., ICDE 2006: figure 2 is 4-anonymous,
// figure 3 is 3-diverse. Rows are in the order of figure 1.
const (
	figure2 = `zip,age,condition
130**,<30,heart disease
130**,<30,heart disease
130**,<30,viral infection
130**,<30,viral infection
1485*,>=40,cancer
1485*,>=40,heart disease
1485*,>=40,viral infection
1485*,>=40,viral infection
130**,3*,cancer
130**,3*,cancer
130**,3*,cancer
130**,3*,cancer
`
	figure3 = `zip,age,condition
1305*,<=40,heart disease
1306*,<=40,heart disease
1306*,<=40,viral infection
1305*,<=40,viral infection
1485*,>40,cancer
1485*,>40,heart disease
1485*,>40,viral infection
1485*,>40,viral infection
1305*,<=40,cancer
1305*,<=40,cancer
1306*,<=40,cancer
1306*,<=40,cancer
`
)

// Tables 4 and 5 of Li, Li, Venkatasubramanian, ICDE 2007: salaries in thousands. Table
// 4 is 3-diverse, and table 5 has the same rows in other classes.
const (
	table4 = `zip,age,salary,disease
476**,2*,3,gastric ulcer
476**,2*,4,gastritis
476**,2*,5,stomach cancer
4790*,>=40,6,gastritis
4790*,>=40,11,flu
4790*,>=40,8,bronchitis
476**,3*,7,bronchitis
476**,3*,9,pneumonia
476**,3*,10,stomach cancer
`
	table5 = `zip,age,salary,disease
4767*,<=40,3,gastric ulcer
4767*,<=40,5,stomach cancer
4767*,<=40,9,pneumonia
4790*,>=40,6,gastritis
4790*,>=40,11,flu
4790*,>=40,8,bronchitis
4760*,<=40,4,gastritis
4760*,<=40,7,bronchitis
4760*,<=40,10,stomach cancer
`
)

func TestPublishedExamples(t *testing.T) {
	quasi := []string{"zip", "age"}
	for _, tt := range []struct {
		text   string
		c      Criterion
		worst  float64
		rows   []int // of the violating classes, the worst first
		reason string
	}{
		{figure2, KAnonymity(4), 4, nil, "figure 2 is 4-anonymous"},
		{figure2, KAnonymity(5), 4, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "and not more"},
		{figure2, DistinctLDiversity("condition", 2), 1, []int{9, 10, 11, 12}, "everybody in the thirties has cancer: the homogeneity attack"},
		{figure2, EntropyLDiversity("condition", 1.5), 1, []int{9, 10, 11, 12}, "likewise"},
		{figure3, KAnonymity(4), 4, nil, "figure 3 is 4-anonymous as well"},
		{figure3, DistinctLDiversity("condition", 3), 3, nil, "figure 3 is 3-diverse"},
		{figure3, EntropyLDiversity("condition", 2.8), math.Sqrt(8), nil, "2 of 4, 1 and 1: exp(½ ln 2 + ½ ln 4) = √8"},
		{figure3, EntropyLDiversity("condition", 3), math.Sqrt(8), []int{1, 4, 9, 10, 2, 3, 11, 12, 5, 6, 7, 8}, "three values are not equally frequent"},
		{table4, DistinctLDiversity("salary", 3), 3, nil, "3-diverse, and all with low salaries are in one class"},
		{table4, OrderedDistanceTCloseness("salary", 0.374), 0.375, []int{1, 2, 3}, "section 5.1: D[{3k,4k,5k},Q] = 0.375"},
		{table5, OrderedDistanceTCloseness("salary", 1.0/6), 1.0 / 6, nil, "table 5 has 0.167-closeness in salary"},
		{table5, OrderedDistanceTCloseness("salary", 0.166), 1.0 / 6, []int{1, 2, 3, 4, 5, 6}, "and no less: section 5.1 has D[{6k,8k,11k},Q] = 0.167 for the second class"},
		{table5, EqualDistanceTCloseness("salary", 2.0/3), 2.0 / 3, nil, "3 of 9 different values: ½(3·2/9 + 6·1/9)"},
	} {
		r := check(t, csvTable(t, tt.text), quasi, tt.c)
		assert.InDelta(t, tt.worst, r.Worst, 1e-12, "%s: %s", tt.c, tt.reason)
		var rows []int
		for _, v := range r.Violations {
			rows = slices.AppendSeq(rows, v.Class.Rows())
		}
		assert.Equal(t, len(tt.rows), r.ViolatingRows)
		assert.ElementsMatch(t, tt.rows, rows, "%s: %s", tt.c, tt.reason)
		assert.Equal(t, len(tt.rows) == 0, r.Holds())
	}
}

func TestViolationsAreOrdered(t *testing.T) {
	r := check(t, csvTable(t, "a\nx\ny\ny\nz\nw\nw\nw\n"), []string{"a"}, KAnonymity(3))
	var got []string
	for _, v := range r.Violations {
		got = append(got, fmt.Sprint(v.Value, v.Class.First(), v.Class.Values()))
	}
	assert.Equal(t, []string{"1 1 [x]", "1 4 [z]", "2 2 [y]"}, got, "the smallest first, then by rows; values only when asked for")
}

func TestOrders(t *testing.T) {
	low := "q,s\na,low\na,low\nb,middle\nb,high\n"
	for _, tt := range []struct {
		text  string
		c     Criterion
		want  float64
		fault string
	}{
		{low, OrderedDistanceTCloseness("s", 1, "low", "middle", "high"), 0.375, ""},
		{low, OrderedDistanceTCloseness("s", 1, "lowest", "low", "lower", "middle", "high"), 0.375, ""}, // what does not occur has no place
		{low, OrderedDistanceTCloseness("s", 1, "low", "high"), 0, "row 3: the value is not in the order"},
		{low, OrderedDistanceTCloseness("s", 1, "low", "middle", "low", "high"), 0, "value 3 of the order is in it twice"},
		{low, OrderedDistanceTCloseness("s", 1), 0, "row 1: the value is not a number"},
		{"q,s\na,1\nb,1.0\nb,1e0\n", OrderedDistanceTCloseness("s", 1), 0, ""}, // one number
		{"q,s\na,1\nb,2.0\na,2\nb,1.0\n", OrderedDistanceTCloseness("s", 0), 0, ""},
		{"q,s\na,NaN\n", OrderedDistanceTCloseness("s", 1), 0, "not a number"},
		{"q,s\na,Inf\n", OrderedDistanceTCloseness("s", 1), 0, "not a number"},
		{"q,s\na,\n", OrderedDistanceTCloseness("s", 1), 0, "not a number"},
	} {
		classes, err := csvTable(t, tt.text).Classes("q")
		require.NoError(t, err)
		reports, err := classes.Check(tt.c)
		if tt.fault != "" {
			require.ErrorContains(t, err, tt.fault)
			continue
		}
		require.NoError(t, err)
		assert.InDelta(t, tt.want, reports[0].Worst, 1e-12, "%q", tt.text)
	}
}

func TestCriteriaAreChecked(t *testing.T) {
	classes, err := csvTable(t, "q,s\na,1\n").Classes("q")
	require.NoError(t, err)
	for _, tt := range []struct {
		c    Criterion
		want string
	}{
		{Criterion{}, "the zero Criterion asks for nothing"},
		{KAnonymity(0), "the bound must be 1 or more"},
		{KAnonymity(-3), "the bound must be 1 or more"},
		{DistinctLDiversity("s", 0), "the bound must be 1 or more"},
		{EntropyLDiversity("s", 0.5), "the bound must be 1 or more"},
		{EntropyLDiversity("s", math.NaN()), "the bound is not a number"},
		{EntropyLDiversity("s", math.Inf(1)), "the bound is not a number"},
		{EqualDistanceTCloseness("s", -0.1), "t must be from 0 to 1"},
		{OrderedDistanceTCloseness("s", 1.1), "t must be from 0 to 1"},
		{DistinctLDiversity("none", 2), "there is no such column"},
	} {
		_, err := classes.Check(tt.c)
		require.ErrorContains(t, err, tt.want)
		var fault *InputError
		require.ErrorAs(t, err, &fault)
		assert.NotEmpty(t, fault.Mend, "%s: how to mend it", tt.want)
	}
}

func TestEmptyTable(t *testing.T) {
	table := csvTable(t, "q,s\n")
	classes, err := table.Classes("q")
	require.NoError(t, err)
	assert.Zero(t, classes.K())
	for _, c := range []Criterion{KAnonymity(5), DistinctLDiversity("s", 2), EntropyLDiversity("s", 2), EqualDistanceTCloseness("s", 0), OrderedDistanceTCloseness("s", 0)} {
		reports, err := classes.Check(c)
		require.NoError(t, err)
		assert.True(t, reports[0].Holds(), "no row stands out")
	}
	g, err := table.Search(context.Background(), Search{Quasi: []string{"q"}, Criteria: []Criterion{KAnonymity(5)}})
	require.NoError(t, err)
	assert.True(t, g.Found)
	assert.Zero(t, g.K)

	var zero Table
	assert.Zero(t, zero.Len())
	one, err := zero.Classes()
	require.NoError(t, err)
	assert.Zero(t, one.Len())
	assert.Empty(t, Class{}.Values())
	var none Classes
	assert.Zero(t, none.Len()+none.Rows()+none.K())
	_, ok := none.Of(1)
	assert.False(t, ok)
	reports, err := none.Check(KAnonymity(5))
	require.NoError(t, err)
	assert.True(t, reports[0].Holds())
	var nothing *Generalisation
	assert.Nil(t, nothing.Apply())
	assert.False(t, nothing.Removed(1))
	var nobody *Table
	assert.Zero(t, nobody.Len())
	assert.Zero(t, Class{}.Size())
}

// drawTable makes a small table with many equal rows: columns a, b, c and s.
func drawTable(t *rapid.T) *Table {
	n := rapid.IntRange(1, 40).Draw(t, "rows")
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = []string{
			strconv.Itoa(rapid.IntRange(0, 15).Draw(t, "a")),
			rapid.SampledFrom([]string{"p1", "p2", "q1", "q2", ""}).Draw(t, "b"),
			rapid.SampledFrom([]string{"x", "y"}).Draw(t, "c"),
			strconv.Itoa(rapid.IntRange(0, 4).Draw(t, "s")),
		}
	}
	table, err := FromRows([]string{"a", "b", "c", "s"}, Rows(rows))
	require.NoError(t, err)
	return table
}

func drawCriterion(t *rapid.T) Criterion {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(1, 6), KAnonymity),
		rapid.Map(rapid.IntRange(1, 3), func(l int) Criterion { return DistinctLDiversity("s", l) }),
		rapid.Map(rapid.IntRange(10, 30), func(l int) Criterion { return EntropyLDiversity("s", float64(l)/10) }),
		rapid.Map(rapid.IntRange(0, 10), func(d int) Criterion { return EqualDistanceTCloseness("s", float64(d)/10) }),
		rapid.Map(rapid.IntRange(0, 10), func(d int) Criterion { return OrderedDistanceTCloseness("s", float64(d)/10) }),
		rapid.Map(rapid.IntRange(0, 10), func(d int) Criterion {
			return OrderedDistanceTCloseness("s", float64(d)/10, "3", "1", "0", "2", "4", "5")
		}),
	).Draw(t, "criterion")
}

// Each measure says what the slow reference says, for every class.
func TestMeasuresAgreeWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		quasi := rapid.SampledFrom([][]string{{}, {"a"}, {"b", "c"}, {"c", "a", "b"}}).Draw(t, "quasi")
		classes, err := table.Classes(quasi...)
		require.NoError(t, err)
		slow := map[string][]int{}
		row := 0
		for key := range rowsOf(table, quasi...) {
			row++
			slow[key] = append(slow[key], row)
		}
		require.Equal(t, len(slow), classes.Len())
		seen := 0
		for class := range classes.All() {
			rows := slices.Collect(class.Rows())
			require.Equal(t, slow[keyOf(class.Values())], rows)
			require.Len(t, rows, class.Size())
			for _, r := range rows {
				of, ok := classes.Of(r)
				require.True(t, ok)
				require.Equal(t, class, of)
			}
			seen += len(rows)
		}
		require.Equal(t, table.Len(), seen, "each row is in one class")

		c := drawCriterion(t)
		reports, err := classes.Check(c)
		require.NoError(t, err)
		r := reports[0]
		violating, rows := 0, 0
		for _, in := range slow {
			if !slowMeets(t, table, in, []Criterion{c}) {
				violating++
				rows += len(in)
			}
		}
		require.Len(t, r.Violations, violating, c.String())
		require.Equal(t, rows, r.ViolatingRows)
		worst := math.NaN()
		for _, in := range slow {
			if v := slowValue(t, table, in, c); math.IsNaN(worst) || c.worse(v, worst) {
				worst = v
			}
		}
		require.InDelta(t, worst, r.Worst, 1e-9)
		for _, v := range r.Violations {
			require.InDelta(t, slowValue(t, table, slices.Collect(v.Class.Rows()), c), v.Value, 1e-9)
		}
	})
}

func keyOf(values []string) string {
	s := ""
	for _, v := range values {
		s += v + "\x00"
	}
	return s
}

func smallHierarchies(t tb) map[string]*Hierarchy {
	t.Helper()
	bands, err := Bands(2, 8)
	require.NoError(t, err)
	prefix, err := Prefix(1)
	require.NoError(t, err)
	return map[string]*Hierarchy{"a": bands, "b": prefix, "c": Suppress()}
}

// The search finds what measuring every node by the slow reference finds, with any
// criteria and any number of rows to suppress.
func TestSearchIsMinimal(t *testing.T) {
	pruned, found, suppressed := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		s := Search{Quasi: []string{"a", "b", "c"}, Hierarchies: smallHierarchies(t), Suppress: rapid.SampledFrom([]int{0, 0, 1, 5, 50}).Draw(t, "suppress")}
		for range rapid.IntRange(1, 2).Draw(t, "criteria") {
			s.Criteria = append(s.Criteria, drawCriterion(t))
		}
		got, err := table.Search(context.Background(), s)
		require.NoError(t, err)
		require.Equal(t, 4*3*2, got.Nodes)
		best := slowBest(t, table, s)
		require.Equal(t, best != nil, got.Found)
		s.every = true
		all, err := table.Search(context.Background(), s)
		require.NoError(t, err)
		require.Equal(t, got.Nodes, all.Checked)
		require.Equal(t, got.Steps, all.Steps, "with pruning as without")
		if got.Checked < got.Nodes {
			pruned++
		}
		if best == nil {
			require.Nil(t, got.Apply())
			return
		}
		found++
		for i, step := range got.Steps {
			require.Equal(t, best.levels[i], step.Level, "%v %v", s.Criteria, got)
		}
		require.InDelta(t, best.loss, got.Loss, 1e-12)
		require.Equal(t, best.discernibility, got.Discernibility)
		require.Equal(t, best.suppressed, got.Suppressed)

		// What was promised holds for the rows that stay.
		out := got.Apply()
		var kept [][]string
		for row := 1; row <= out.Len(); row++ {
			if got.Removed(row) {
				suppressed++
				for _, name := range s.Quasi {
					require.Equal(t, Suppressed, out.Value(row, name))
				}
				continue
			}
			kept = append(kept, []string{out.Value(row, "a"), out.Value(row, "b"), out.Value(row, "c"), out.Value(row, "s")})
			for _, name := range s.Quasi {
				i := slices.Index(s.Quasi, name)
				label, err := s.Hierarchies[name].At(table.Value(row, name), got.Steps[i].Level)
				require.NoError(t, err)
				require.Equal(t, label, out.Value(row, name))
			}
		}
		require.Len(t, kept, table.Len()-got.Suppressed)
		rest, err := FromRows(out.Columns(), Rows(kept))
		require.NoError(t, err)
		classes, err := rest.Classes(s.Quasi...)
		require.NoError(t, err)
		require.Equal(t, got.Classes, classes.Len())
		require.Equal(t, got.K, classes.K())
	})
	assert.NotZero(t, pruned, "the pruning was at work")
	assert.NotZero(t, found)
	assert.NotZero(t, suppressed)
}

// Going up in the lattice never lowers k, and never leaves more rows in small classes;
// that is what the pruning rests on. The other measures, too, where every class meets
// them.
func TestGeneralisingIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		s := Search{Quasi: []string{"a", "b", "c"}, Hierarchies: smallHierarchies(t), Criteria: []Criterion{drawCriterion(t)}}
		l, err := newLattice(table.data(), &s)
		require.NoError(t, err)
		for node := range l.tag {
			lower := l.classes(l.levels(node))
			low := slices.Clone(lower.size)
			_, lowRows, err := l.judge(&lower)
			require.NoError(t, err)
			for i, r := range l.radix {
				if l.level(node, i) == l.ladders[i].height() {
					continue
				}
				upper := l.classes(l.levels(node + r))
				require.GreaterOrEqual(t, slices.Min(upper.size), slices.Min(low))
				require.LessOrEqual(t, len(upper.size), len(low))
				_, rows, err := l.judge(&upper)
				require.NoError(t, err)
				if lowRows == 0 {
					require.Zero(t, rows, s.Criteria[0].String())
				}
				if s.Criteria[0].monotone() {
					require.LessOrEqual(t, rows, max(lowRows, l.suppress), "rows in bad classes never become more")
				}
			}
		}
	})
}

// Allowing more rows to be left out never costs loss.
func TestSuppressionNeverCostsLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, before := drawTable(t), math.Inf(1)
		for _, n := range []int{0, 1, 2, 4, 8, 40} {
			g, err := table.Search(context.Background(), Search{Quasi: []string{"a", "b", "c"}, Hierarchies: smallHierarchies(t), Criteria: []Criterion{KAnonymity(3)}, Suppress: n})
			require.NoError(t, err)
			if !g.Found {
				require.True(t, math.IsInf(before, 1))
				continue
			}
			require.LessOrEqual(t, g.Suppressed, n)
			require.LessOrEqual(t, g.Loss, before)
			before = g.Loss
		}
	})
}

func TestSearchIsAskedRightly(t *testing.T) {
	table := csvTable(t, "a,b\n1,x\nnone,y\n")
	bands, err := Bands(5)
	require.NoError(t, err)
	deep := func(n int) *Hierarchy {
		widths := []int{}
		for i := range n {
			widths = append(widths, 2<<i)
		}
		h, err := Bands(widths...)
		require.NoError(t, err)
		return h
	}
	k := []Criterion{KAnonymity(2)}
	for _, tt := range []struct {
		s    Search
		want string
	}{
		{Search{Criteria: k}, "no quasi-identifier"},
		{Search{Quasi: []string{"a"}}, "no criterion"},
		{Search{Quasi: []string{"a", "a"}, Criteria: k}, `column "a": named twice`},
		{Search{Quasi: []string{"z"}, Criteria: k}, `column "z": there is no such column`},
		{Search{Quasi: []string{"a"}, Criteria: k, Suppress: -1}, "is negative"},
		{Search{Quasi: []string{"a"}, Criteria: k, Hierarchies: map[string]*Hierarchy{"b": bands}}, `column "b": has a hierarchy and is no quasi-identifier`},
		{Search{Quasi: []string{"a"}, Criteria: k, Hierarchies: map[string]*Hierarchy{"a": bands}}, `column "a": row 2: the value is no whole number`},
		{Search{Quasi: []string{"a", "b"}, Criteria: []Criterion{DistinctLDiversity("b", 2)}}, "is a quasi-identifier and sensitive"},
	} {
		_, err := table.Search(context.Background(), tt.s)
		require.ErrorContains(t, err, tt.want)
	}

	wide := csvTable(t, "a,b,c,d,e\n1,2,3,4,5\n1,2,3,4,5\n")
	s := Search{Quasi: wide.Columns(), Criteria: k, Hierarchies: map[string]*Hierarchy{}}
	for _, name := range s.Quasi {
		s.Hierarchies[name] = deep(20)
	}
	_, err = wide.Search(context.Background(), s)
	require.ErrorIs(t, err, ErrTooLarge)
	s.Quasi = append(s.Quasi, make([]string, 30)...)
	_, err = wide.Search(context.Background(), s)
	require.ErrorContains(t, err, "more than 24 quasi-identifiers")

	ctx, cancel := context.WithCancelCause(context.Background())
	over := errors.New("enough")
	cancel(over)
	_, err = table.Search(ctx, Search{Quasi: []string{"a"}, Criteria: k})
	require.ErrorIs(t, err, over)

	g, err := table.Search(context.Background(), Search{Quasi: []string{"a"}, Criteria: k})
	require.NoError(t, err, "that nothing meets it is a result")
	assert.False(t, g.Found)
	assert.Equal(t, "no generalisation meets the criteria", g.String())
}

// A lattice with many nodes takes few measurements.
func TestSearchPrunesLargeLattices(t *testing.T) {
	var rows [][]string
	for i := range 400 {
		rows = append(rows, []string{strconv.Itoa(i * 7 % 400), strconv.Itoa(i * 11 % 97), strconv.Itoa(i * 5 % 31), strconv.Itoa(i % 13)})
	}
	table, err := FromRows([]string{"a", "b", "c", "d"}, Rows(rows))
	require.NoError(t, err)
	h, err := Bands(2, 4, 8, 16, 32, 64, 128, 256)
	require.NoError(t, err)
	s := Search{Quasi: []string{"a", "b", "c", "d"}, Hierarchies: map[string]*Hierarchy{"a": h, "b": h, "c": h, "d": h}, Criteria: []Criterion{KAnonymity(5)}}
	g, err := table.Search(context.Background(), s)
	require.NoError(t, err)
	require.True(t, g.Found)
	assert.Equal(t, 10_000, g.Nodes)
	t.Logf("%s: %d of %d nodes measured", g, g.Checked, g.Nodes)
	assert.Less(t, g.Checked*5, g.Nodes)
	s.every = true
	all, err := table.Search(context.Background(), s)
	require.NoError(t, err)
	assert.Equal(t, all.Steps, g.Steps)
}

// Memory is for codes and distinct values, not for rows and cells.
func TestAllocations(t *testing.T) {
	var text strings.Builder
	text.WriteString("a,b,c,d,e\n")
	const rows = 2000
	for i := range rows {
		fmt.Fprintf(&text, "%d,%d,%d,%d,%d\n", i%90, i%2, i%500, i%40, i%7)
	}
	table := csvTable(t, text.String())
	reading := testing.AllocsPerRun(5, func() { _, _ = ReadCSV(strings.NewReader(text.String()), CSV{}) })
	assert.Less(t, reading, float64(rows+1200), "one a row, which encoding/csv takes, and one a distinct value")
	grouping := testing.AllocsPerRun(5, func() { _, _ = table.Classes("a", "b", "c", "d", "e") })
	assert.LessOrEqual(t, grouping, 20.0)
	classes, err := table.Classes("a", "b")
	require.NoError(t, err)
	for _, c := range []Criterion{KAnonymity(1), DistinctLDiversity("e", 1), EntropyLDiversity("e", 1), EqualDistanceTCloseness("e", 1), OrderedDistanceTCloseness("e", 1)} {
		checking := testing.AllocsPerRun(5, func() { _, _ = classes.Check(c) })
		assert.LessOrEqual(t, checking, 25.0, c.String())
	}
}

// One table, and what was made of it, may be asked from everywhere at once.
func TestConcurrentUse(t *testing.T) {
	table := csvTable(t, figure2)
	classes, err := table.Classes("zip", "age")
	require.NoError(t, err)
	h := Suppress()
	done := make(chan string)
	for range 8 {
		go func() {
			reports, err := classes.Check(DistinctLDiversity("condition", 2))
			if err != nil {
				done <- err.Error()
				return
			}
			rows := slices.Collect(reports[0].Violations[0].Class.Rows())
			g, err := table.Search(context.Background(), Search{Quasi: []string{"zip", "age"}, Hierarchies: map[string]*Hierarchy{"zip": h, "age": h}, Criteria: []Criterion{DistinctLDiversity("condition", 2)}})
			done <- fmt.Sprint(rows, g, err)
		}()
	}
	for range 8 {
		assert.Equal(t, "[9 10 11 12] zip: as is, age: suppressed; loss 0.5000, smallest class 4 <nil>", <-done)
	}
}

// Classes are the same whichever way the refiner takes: a table of class × value where
// that is small, lists of rows where it is not.
func TestRefinerAgreesWithMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.IntRange(0, 60).Draw(t, "items")
		r, want := newRefiner(items), make([]string, items)
		for range rapid.IntRange(0, 4).Draw(t, "columns") {
			values := rapid.SampledFrom([]int{1, 2, 5, 3000}).Draw(t, "values")
			codes := make([]uint32, items)
			for i := range codes {
				// Only a few of the values occur, so that classes have several rows.
				codes[i] = uint32(rapid.IntRange(0, 3).Draw(t, "code") * (values - 1) / 3)
				want[i] += strconv.Itoa(int(codes[i])) + " "
			}
			r.by(codes, values)
		}
		g := r.grouping(nil)
		number, rows := map[string]uint32{}, map[string]int{}
		for i, key := range want {
			if _, ok := number[key]; !ok {
				number[key] = uint32(len(number)) // in the order of first items
			}
			rows[key]++
			require.Equal(t, number[key], g.of[i])
		}
		require.Len(t, g.size, len(number))
		for key, n := range rows {
			require.Equal(t, n, g.size[number[key]])
		}
	})
}

// With rows to suppress, entropy and distances are not monotone: a class that meets
// them is merged with one that does not, and then neither node above does. A search
// that prunes here would find nothing.
func TestSearchWhereNothingIsMonotone(t *testing.T) {
	table := csvTable(t, "a,s\n1,x\n1,y\n1,x\n1,y\n2,x\n")
	h, err := ReadHierarchy(strings.NewReader("1;n;*\n2;n;*\n"), ';')
	require.NoError(t, err)
	s := Search{Quasi: []string{"a"}, Hierarchies: map[string]*Hierarchy{"a": h}, Suppress: 1}
	for _, c := range []Criterion{EntropyLDiversity("s", 2), EqualDistanceTCloseness("s", 0.1)} {
		s.Criteria = []Criterion{c}
		g, err := table.Search(context.Background(), s)
		require.NoError(t, err)
		if c.kind == kindEntropy {
			require.True(t, g.Found)
			assert.Equal(t, 1, g.Suppressed)
			assert.True(t, g.Removed(5))
			assert.False(t, g.Removed(4))
		}
		best := slowBest(t, table, s)
		require.Equal(t, best != nil, g.Found)
		assert.Equal(t, best.levels[0], g.Steps[0].Level)
	}
	s.Suppress, s.Criteria = 0, []Criterion{EntropyLDiversity("s", 2)}
	g, err := table.Search(context.Background(), s)
	require.NoError(t, err)
	assert.False(t, g.Found, "and without leaving out there is none")
}

func TestReportsInWords(t *testing.T) {
	table := csvTable(t, figure2)
	c := DistinctLDiversity("condition", 2)
	assert.Equal(t, "condition", c.Sensitive())
	assert.Equal(t, 2.0, c.Bound())
	assert.Equal(t, "none", Criterion{}.Name())
	assert.Equal(t, "k-anonymity, at least 4: holds for 3 classes of 12 rows", check(t, table, []string{"zip", "age"}, KAnonymity(4)).String())
	classes, err := table.Classes("zip", "age")
	require.NoError(t, err)
	assert.Equal(t, 48.0, classes.Discernibility(), "3 × 4²")
	_, err = table.Classes("none")
	require.ErrorContains(t, err, `classes: column "none": there is no such column`)
	_, ok := classes.Of(13)
	assert.False(t, ok)
	assert.Equal(t, "risk.Classes(none)", Classes{}.String())
	assert.Equal(t, "risk.Hierarchy(none)", Hierarchy{}.String())
	for class := range classes.All() {
		assert.Equal(t, 1, class.First())
		break
	}
}
