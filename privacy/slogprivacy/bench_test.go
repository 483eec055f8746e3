package slogprivacy_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/slogprivacy"
)

// Lines as services write them. The first has nothing to hide, the second two things,
// the third a struct.
var (
	harmless = []slog.Attr{slog.String("method", "GET"), slog.String("path", "/orders"), slog.Int("status", 200), slog.Duration("took", 12*time.Millisecond), slog.Bool("cached", false)}
	personal = []slog.Attr{slog.String("method", "POST"), slog.String("path", "/orders"), slog.Int("status", 500), slog.String("email", "jane@example.com"), slog.Any("err", errors.New("no mailbox jane@example.com"))}
	nested   = []slog.Attr{slog.Any("order", &pair{A: 17, B: map[string]any{"email": "jane@example.com", "n": 3}})}
)

func record(message string, attrs []slog.Attr) slog.Record {
	r := slog.NewRecord(at(), slog.LevelInfo, message, 0)
	r.AddAttrs(attrs...)
	return r
}

// TestAllocations holds budgets. A line in which nothing is found is handed on as it
// is: what is left are the texts of numbers and durations.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	tests := []struct {
		name  string
		r     slog.Record
		most  float64
		extra string
	}{
		{"message", record("order stored", nil), 0, "nothing is copied"},
		{"harmless", record("order stored", harmless), 2, "the texts of 200 and 12ms"},
		{"group", record("order stored", []slog.Attr{slog.Group("req", "method", "GET", "cached", true)}), 0, "groups without a change are not copied"},
		{"personal", record("mail to jane@example.com failed", personal), 8, "three texts, an error, a copy of the line"},
		{"nested", record("order stored", nested), 14, "a struct and a map made anew"},
	}
	for _, tt := range tests {
		h := slogprivacy.New(discard{}, classify.Builtin())
		ctx := context.Background()
		got := testing.AllocsPerRun(200, func() { _ = h.Handle(ctx, tt.r) })
		t.Logf("%s: %v allocations", tt.name, got)
		assert.LessOrEqual(t, got, tt.most, "%s: %s", tt.name, tt.extra)
	}
	h := slogprivacy.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}), classify.Builtin())
	l := slog.New(h)
	assert.Zero(t, testing.AllocsPerRun(100, func() { l.LogAttrs(context.Background(), slog.LevelInfo, "to jane@example.com", personal...) }), "a level that is not enabled")
}

// discard takes lines and does nothing, so that what is measured is ours.
type discard struct{}

func (discard) Enabled(context.Context, slog.Level) bool  { return true }
func (discard) Handle(context.Context, slog.Record) error { return nil }
func (d discard) WithAttrs([]slog.Attr) slog.Handler      { return d }
func (d discard) WithGroup(string) slog.Handler           { return d }

// BenchmarkHandle writes the same lines with the plain JSONHandler and with the
// handler before it; all write to nowhere. The difference is what redaction costs.
func BenchmarkHandle(b *testing.B) {
	guard := open(b, privacy.WithClock(at), privacy.WithSecrets(pseudonym.NewDevelopmentStore(rand.Reader)))
	json := func() slog.Handler { return slog.NewJSONHandler(io.Discard, nil) }
	handlers := []struct {
		name string
		h    slog.Handler
	}{
		{"json", json()},
		{"classifier", slogprivacy.New(json(), classify.Builtin())},
		{"policy", slogprivacy.New(json(), guard, slogprivacy.WithEvent(contoso))},
	}
	lines := []struct {
		name string
		r    slog.Record
	}{
		{"harmless", record("order stored", harmless)},
		{"personal", record("mail to jane@example.com failed", personal)},
		{"nested", record("order stored", nested)},
	}
	for _, line := range lines {
		for _, by := range handlers {
			b.Run(line.name+"/"+by.name, func(b *testing.B) {
				ctx := context.Background()
				b.ReportAllocs()
				for b.Loop() {
					_ = by.h.Handle(ctx, line.r)
				}
			})
		}
	}
	for _, by := range handlers {
		b.Run("with/"+by.name, func(b *testing.B) {
			ctx := context.Background()
			h := by.h.WithAttrs(personal) // decided about once
			r := record("order stored", harmless[:2])
			b.ReportAllocs()
			for b.Loop() {
				_ = h.Handle(ctx, r)
			}
		})
		b.Run("parallel/"+by.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				ctx := context.Background()
				r := record("order stored", harmless)
				for pb.Next() {
					_ = by.h.Handle(ctx, r)
				}
			})
		})
	}
}
