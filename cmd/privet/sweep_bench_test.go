package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/retention/sweep"
)

// sweepRecords are lines as a store would write them: most with one category and one
// event, some with two, with several copies, and with a hold.
func sweepRecords(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		at := time.Unix(1_704_067_200+int64(i*7919%77_760_000), 0).UTC().Format(time.RFC3339)
		switch i % 10 {
		case 0, 1, 2, 3, 4, 5:
			fmt.Fprintf(&b, `{"id":"p1_1_%022d","categories":["customer.files"],"class":"account","events":{"subscription_end":%q}}`, i, at)
		case 6, 7:
			fmt.Fprintf(&b, `{"id":"p1_1_%022d","categories":["invoice"],"class":"account","region":"eu","events":{"created":%q}}`, i, at)
		case 8:
			fmt.Fprintf(&b, `{"id":"p1_1_%022d","categories":["customer.files","invoice"],"events":{"created":%q,"subscription_end":%q},"copies":["primary","backup"],"attr":{"free_trial":false}}`, i, at, at)
		default:
			fmt.Fprintf(&b, `{"id":"p1_1_%022d","categories":["customer.files"],"events":{"subscription_end":%q},"holds":[{"id":"case-1","scope":"customer","placed":"2025-01-01T00:00:00Z","released":"2025-06-01T00:00:00Z"}]}`, i, at)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

const planPolicy = "testdata/plan/docs/policy.yaml"

var sweepAt = time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)

// BenchmarkSweep tells the parts of a sweep apart: reading a record, planning it, and
// the whole command's work with one worker and with several. Each operation is one record.
func BenchmarkSweep(b *testing.B) {
	_, guard, err := openPlanner(&planFlags{policy: planPolicy})
	require.NoError(b, err)
	const n = 10_000
	records := sweepRecords(n)
	lines := bytes.Split(bytes.TrimSpace(records), newline)
	all := &sweeping{at: sweepAt, want: wantFound(false, false, false)}
	b.Run("read", func(b *testing.B) {
		p := planner{guard: guard}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if err := p.read(lines[i%n]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("plan", func(b *testing.B) {
		p := planner{guard: guard}
		require.NoError(b, p.read(lines[0]))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.plan(sweepAt, false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read-plan-write", func(b *testing.B) {
		s := sweeper{planner: planner{guard: guard}, sweeping: all}
		var buf []byte
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if buf, err = s.line(buf[:0], lines[i%n]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	for _, jobs := range []int{1, 2, 4} {
		b.Run("stream/jobs="+strconv.Itoa(jobs), func(b *testing.B) {
			b.ReportAllocs()
			for left := b.N; left > 0; left -= n {
				workers := make([]worker, jobs)
				for i := range workers {
					workers[i] = &sweeper{planner: planner{guard: guard}, sweeping: all}
				}
				s := stream{in: bytes.NewReader(records), out: &fullLines{w: io.Discard}, maxLine: sweep.MaxLine, workers: workers, bad: func(badLine) {}}
				if _, _, err := s.run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(records) / n))
		})
	}
}
