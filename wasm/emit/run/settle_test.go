package run

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A match is a finding and where its match begins.
type match struct{ whole, start, end, detector, confidence int }

// settled is what package classify does: it looks at all findings at once.
func settled(all []match) []match {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.confidence, a.confidence), cmp.Compare(b.end-b.start, a.end-a.start), cmp.Compare(a.start, b.start), cmp.Compare(a.detector, b.detector))
	})
	taken := map[int]bool{}
	all = slices.DeleteFunc(all, func(m match) bool {
		for i := m.start; i < m.end; i++ {
			if taken[i] {
				return true
			}
		}
		for i := m.start; i < m.end; i++ {
			taken[i] = true
		}
		return false
	})
	slices.SortFunc(all, func(a, b match) int { return cmp.Compare(a.start, b.start) })
	return all
}

// roomOf makes work memory of so many numbers at most.
func roomOf(t *testing.T, most int) {
	t.Helper()
	room, work := Room, Work32
	t.Cleanup(func() { Room, Work32, workTop = room, work, 0 })
	memory := make([]int32, most)
	Work32 = memory[:0]
	Room = func(bytes int) bool {
		if (bytes+3)/4 > most {
			return false
		}
		Work32 = memory[:max(len(Work32), (bytes+3)/4)]
		return true
	}
}

func settleAll(all []match) (out []match, n int) {
	workTop = 7
	beginFindings()
	for _, m := range all {
		addFinding(m.detector, m.whole, m.start, m.end, m.confidence)
	}
	if n = endFindings(); n < 0 {
		return nil, n
	}
	for i := range n {
		start, end, detector, confidence := found(i)
		out = append(out, match{0, start, end, detector, confidence})
	}
	return out, n
}

func withoutWhole(all []match) (out []match) {
	for _, m := range all {
		m.whole = 0
		out = append(out, m)
	}
	return out
}

func TestFindingsAreSettledAsOnce(t *testing.T) {
	roomOf(t, 1<<20)
	r := rand.New(rand.NewPCG(1, 5))
	dropped, kept := 0, 0
	for range 3000 {
		var all []match
		whole := 0
		for range r.IntN(40) {
			whole += r.IntN(6)
			start := whole + r.IntN(1+r.IntN(8))
			all = append(all, match{whole, start, start + 1 + r.IntN(1+r.IntN(30)), r.IntN(5), 100 * r.IntN(5)})
		}
		want := withoutWhole(settled(all))
		got, n := settleAll(all)
		require.Equal(t, want, got, "%v", all)
		require.Equal(t, n, len(got))
		if n > 0 {
			require.Equal(t, 7+findingSize*n, workTop)
		}
		kept += n
		dropped += len(all) - n
	}
	assert.Greater(t, kept, 10_000)
	assert.Greater(t, dropped, 10_000)
}

// However findings lie, settling many takes hardly longer for each than settling few.
func TestClustersOfManyFindings(t *testing.T) {
	const n = 100_000
	roomOf(t, 8*n+1<<12)
	shapes := map[string]func(i int) match{
		"each within the one before": func(i int) match { return match{i, i, 2*n - i, i % 7, i % 1001} },
		"each within the one before, the outer better": func(i int) match {
			return match{i, i, 2*n - i, i % 7, 1000 - i/100}
		},
		"chain":                    func(i int) match { return match{2 * i, 2 * i, 2*i + 3, 0, 500} },
		"chain, later ones better": func(i int) match { return match{2 * i, 2 * i, 2*i + 3, 0, i / 100} },
		"one over all": func(i int) match {
			if i == 0 {
				return match{0, 0, 3 * n, 1, 1}
			}
			return match{3 * i, 3 * i, 3*i + 2, 0, 500}
		},
		"all the same": func(i int) match { return match{0, 0, 10, i, 500} },
		"long ones over short ones": func(i int) match {
			if i%1000 < 20 {
				return match{i, i, i + 60_000, 1 + i%1000, 100}
			}
			return match{i, i, i + 1, 0, 500}
		},
	}
	for name, shape := range shapes {
		var all []match
		for i := range n {
			all = append(all, shape(i))
		}
		began := time.Now()
		got, count := settleAll(all)
		took := time.Since(began)
		t.Logf("%s: %d of %d stay, %v", name, count, n, took)
		assert.Less(t, took, time.Second, name)
		require.Positive(t, count, name)
		for i := 1; i < len(got); i++ {
			require.LessOrEqual(t, got[i-1].end, got[i].start, name)
		}
		few := all[:200]
		want := withoutWhole(settled(few))
		got, _ = settleAll(few)
		require.Equal(t, want, got, name)
	}
}

func TestFindingsWithoutRoom(t *testing.T) {
	roomOf(t, 1<<12)
	var all []match
	for i := range 5000 {
		all = append(all, match{i, i, i + 1, 0, 500})
	}
	_, n := settleAll(all)
	assert.Equal(t, TooLarge, n)
	_, n = settleAll(all[:100])
	assert.Equal(t, 100, n, "the next text has all the room")
}
