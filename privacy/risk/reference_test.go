package risk

import (
	"math"
	"slices"
	"strconv"

	"github.com/stretchr/testify/require"
)

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	require.TestingT
	Helper()
}

// The slow reference: each measure as its paper words it, over texts, one class at a
// time.

func share(table *Table, rows []int, column string) map[string]float64 {
	m := map[string]float64{}
	for _, row := range rows {
		m[table.Value(row, column)] += 1 / float64(len(rows))
	}
	return m
}

func allRows(table *Table) []int {
	rows := make([]int, table.Len())
	for i := range rows {
		rows[i] = i + 1
	}
	return rows
}

// slowValue measures one class.
func slowValue(t tb, table *Table, rows []int, c Criterion) float64 {
	t.Helper()
	if c.kind == kindK {
		return float64(len(rows))
	}
	p, q := share(table, rows, c.sensitive), share(table, allRows(table), c.sensitive)
	switch c.kind {
	case kindDistinct:
		return float64(len(p))
	case kindEntropy:
		entropy := 0.0
		for _, x := range p {
			entropy -= x * math.Log(x)
		}
		return math.Exp(entropy)
	case kindEqual:
		sum := 0.0
		for v := range q {
			sum += math.Abs(p[v] - q[v])
		}
		return sum / 2
	case kindOrdered:
		// Move the earth from value to value, the way it is done by hand.
		numbers := map[float64]float64{}
		place := func(v string) float64 {
			if c.order != nil {
				return float64(slices.Index(c.order.p.values, v))
			}
			n, err := strconv.ParseFloat(v, 64)
			require.NoError(t, err)
			return n
		}
		for v, x := range q {
			numbers[place(v)] -= x
		}
		for v, x := range p {
			numbers[place(v)] += x
		}
		var order []float64
		for n := range numbers {
			order = append(order, n)
		}
		slices.Sort(order)
		if len(order) < 2 {
			return 0
		}
		carried, work := 0.0, 0.0
		for _, n := range order {
			carried += numbers[n]
			work += math.Abs(carried)
		}
		return work / float64(len(order)-1)
	}
	require.Fail(t, "no such criterion")
	return 0
}

func slowMeets(t tb, table *Table, rows []int, criteria []Criterion) bool {
	t.Helper()
	for _, c := range criteria {
		v := slowValue(t, table, rows, c)
		if c.upper() && v > c.bound+1e-9 || !c.upper() && v < c.bound-1e-9*c.bound {
			return false
		}
	}
	return true
}
