package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The floor is what anybody pays who reads events and writes them again: decode
// and encode each line with encoding/json, in the same pipeline with the same
// number of workers, and decide nothing. What privet adds is the difference. Both
// run over the events of the quickstart, ten times, from memory to nowhere.
func BenchmarkProcess(b *testing.B) {
	events, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "testdata", "events.jsonl"))
	require.NoError(b, err)
	events = bytes.Repeat(events, 10)
	n := bytes.Count(events, newline)
	require.NotZero(b, n)
	_, guard, err := (&common{policy: defaultPolicy, maxLine: 4 << 20}).guard(b.Context(), &env{stderr: io.Discard, now: func() time.Time { return now }})
	require.NoError(b, err)
	for _, jobs := range []int{1, runtime.GOMAXPROCS(0)} {
		for _, bb := range []struct {
			name   string
			worker func() worker
		}{
			{"floor", func() worker { return floor{} }},
			{"privet", func() worker { return &deciding{ctx: b.Context(), guard: guard} }},
		} {
			b.Run(fmt.Sprintf("%s/jobs=%d", bb.name, jobs), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(events)))
				for b.Loop() {
					workers := make([]worker, jobs)
					for i := range workers {
						workers[i] = bb.worker()
					}
					s := stream{in: bytes.NewReader(events), out: io.Discard, maxLine: 4 << 20, workers: workers, bad: func(badLine) {}}
					good, bad, err := s.run(context.Background())
					if good != n || bad != 0 || err != nil {
						b.Fatal(good, bad, err)
					}
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// floor decodes a line and encodes it again.
type floor struct{}

func (floor) line(dst, line []byte) ([]byte, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber() // numbers keep their text, as they do in privet
	if err := d.Decode(&v); err != nil {
		return dst, err
	}
	out, err := json.Marshal(v)
	return append(dst, out...), err
}

// What counting costs beside deciding, for one event of the quickstart.
func BenchmarkTally(b *testing.B) {
	events, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "testdata", "events.jsonl"))
	require.NoError(b, err)
	result := []byte(privet(b, string(bytes.SplitAfter(events, newline)[1]), "process").out)
	var t tally
	b.ReportAllocs()
	b.SetBytes(int64(len(result)))
	for b.Loop() {
		if !t.add(result) {
			b.Fatal("another shape")
		}
	}
}
