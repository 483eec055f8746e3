package host

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/wasmabi"
)

func openFake(t testing.TB, opts ...Option) *Classifier {
	t.Helper()
	k, err := OpenClassifier(ctx, fake(t), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, k.Close(ctx)) })
	return k
}

// command is a field that tells the fake module what to do.
func command(n int) classify.Field {
	return classify.Field{Name: strings.Repeat("n", n), Value: "jane sue"}
}

func TestClassifierAnswers(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithInterpreter()}, {WithInterrupt()}, {WithInstances(1), WithMemoryLimit(16 << 20), WithCache(cache())}} {
		k := openFake(t, opts...)
		want := []classify.Label{
			{Category: "b.mail", Confidence: 0.93, Rule: "mail-name", Detector: "mail", Spans: []classify.Span{{Start: 0, End: 4}, {Start: 5, End: 6}}, ISO19944: "8.2.3", Qualifier: "identified"},
			{Category: "a.name", Confidence: 0.5, Rule: "declared"},
		}
		for range 3 {
			labels, err := k.Field(ctx, command(20))
			require.NoError(t, err)
			assert.Equal(t, want, labels)
		}
		labels, err := k.Field(ctx, command(fakeNothing))
		require.NoError(t, err)
		assert.Nil(t, labels)
		findings, err := k.Scan(ctx, "jane sue and twenty more")
		require.NoError(t, err)
		assert.Equal(t, []classify.Finding{
			{Detector: "mail", Category: "b.mail", Start: 0, End: 4, Confidence: 0.93},
			{Detector: "mail", Category: "b.mail", Start: 5, End: 7, Confidence: 1},
		}, findings)
		findings, err = k.Scan(ctx, strings.Repeat("n", fakeNothing))
		require.NoError(t, err)
		assert.Nil(t, findings)
	}
}

func TestClassifierDescribe(t *testing.T) {
	assert.Equal(t, Description{
		Name: "fake", Version: 7, Fingerprint: "00ff", Profile: 1, MaxInput: 1000, Threshold: 0.4,
		Categories: []CategoryInfo{{Key: "a.name"}, {Key: "b.mail", Title: "Mail", ISO19944: "8.2.3", Qualifier: "identified"}},
		Rules:      []PartInfo{{"mail-name", "b.mail"}}, Detectors: []PartInfo{{"mail", "b.mail"}},
	}, openFake(t).Describe())
}

// TestClassifierFaults makes the module fail in every way. What it answers wrongly must
// not reach the caller, and the next call must work.
func TestClassifierFaults(t *testing.T) {
	tests := []struct {
		command int
		scan    bool // happens in Scan too
		want    error
		code    string
		reason  string
	}{
		{fakeTrap, true, ErrLost, "", "a trap"},
		{fakeInternal, true, nil, "INTERNAL", "a fault that the module noticed"},
		{fakeBadRequest, true, nil, "BAD_REQUEST", "a status of the module"},
		{fakeUnknown, true, ErrLost, "", "a status that nobody knows"},
		{fakeOutside, true, ErrLost, "", "a result outside of the memory"},
		{fakeShort, true, ErrLost, "", "a result shorter than its rows"},
		{fakeCategory, false, ErrLost, "", "no such category"},
		{fakeRule, false, ErrLost, "", "no such rule"},
		{fakeDetector, true, ErrLost, "", "no such detector"},
		{fakePlace, true, ErrLost, "", "a place behind the end: a caller would cut there"},
		{fakeBackwards, true, ErrLost, "", "a place that ends before it begins"},
		{fakeSpans, false, ErrLost, "", "more places than there are"},
	}
	k := openFake(t, WithInstances(1))
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			check := func(err error) {
				t.Helper()
				if tt.want != nil {
					assert.ErrorIs(t, err, tt.want)
				} else {
					var e *Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, tt.code, e.Code)
				}
				labels, err := k.Field(ctx, command(20))
				require.NoError(t, err, "the next call gets an instance that works")
				assert.Len(t, labels, 2)
			}
			labels, err := k.Field(ctx, command(tt.command))
			assert.Empty(t, labels)
			check(err)
			if tt.scan {
				findings, err := k.Scan(ctx, strings.Repeat("n", tt.command))
				assert.Empty(t, findings)
				check(err)
			}
		})
	}
}

func TestClassifierGrows(t *testing.T) {
	k := openFake(t, WithInstances(1))
	for range 3 {
		labels, err := k.Field(ctx, command(fakeGrow))
		require.NoError(t, err)
		assert.Len(t, labels, 2)
	}
}

func TestClassifierTooLarge(t *testing.T) {
	k := openFake(t, WithInstances(1))
	for _, ask := range []func(n int) error{
		func(n int) error { _, err := k.Scan(ctx, strings.Repeat("v", n)); return err },
		func(n int) error {
			_, err := k.Field(ctx, classify.Field{Name: "twenty letters or more", Value: strings.Repeat("v", n-54)})
			return err
		},
		func(n int) error {
			_, err := k.Field(ctx, classify.Field{Name: "twenty letters or more", Value: "jane sue", Tags: map[string]string{"k": strings.Repeat("v", n-71)}})
			return err
		},
	} {
		assert.NoError(t, ask(fakeMaxInput))
		var e *Error
		require.ErrorAs(t, ask(fakeMaxInput+1), &e)
		assert.Equal(t, "TOO_LARGE", e.Code)
		assert.EqualValues(t, -5, e.Status)
		assert.Contains(t, e.Error(), "1000 bytes")
	}
}

func TestClassifierContext(t *testing.T) {
	t.Run("a deadline ends a call", func(t *testing.T) {
		k := openFake(t, WithInterrupt(), WithInstances(1))
		soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := k.Field(soon, command(fakeEndless))
		assert.ErrorIs(t, err, ErrLost)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		labels, err := k.Field(ctx, command(20))
		require.NoError(t, err)
		assert.Len(t, labels, 2)
	})
	t.Run("a deadline ends the wait for an instance", func(t *testing.T) {
		k := openFake(t, WithInterrupt(), WithInstances(1))
		running, stop := context.WithCancel(ctx)
		done := make(chan error)
		go func() {
			_, err := k.Scan(running, strings.Repeat("n", fakeEndless))
			done <- err
		}()
		require.Eventually(t, func() bool { return len(k.slots) == 0 }, 5*time.Second, time.Millisecond)
		soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		_, err := k.Field(soon, command(20))
		assert.Equal(t, context.DeadlineExceeded, err)
		stop()
		assert.ErrorIs(t, <-done, context.Canceled)
	})
}

func TestClassifierRefuses(t *testing.T) {
	module := fake(t)
	section := func(s string) []byte {
		m, err := wasmabi.Set(module, wasmabi.Section, []byte(s))
		require.NoError(t, err)
		return m
	}
	tests := []struct {
		module []byte
		opts   []Option
		want   error
		reason string
	}{
		{nil, nil, ErrNotClassifier, "nothing"},
		{[]byte("canary@example.test"), nil, ErrNotClassifier, "other bytes"},
		{module[:len(module)-1], nil, ErrNotClassifier, "cut"},
		{section(`{}`), nil, ErrNotClassifier, "says nothing of itself"},
		{section(`{"abi":{"major":1,"minor":0},"product":"privet","ops":{}}`), nil, ErrNotClassifier, "the guest, or something like it"},
		{section(`{"abi":{"major":2,"minor":0},"kind":"classifier"}`), nil, ErrABI, "a later interface"},
		{bytes.Replace(module, []byte("pv1_scan"), []byte("pv1_skim"), 1), nil, ErrNotClassifier, "an export is missing"},
		{bytes.Replace(module, []byte(`"max_input":1000,"name"`), []byte(`"max_input":-100,"name"`), 1), nil, ErrNotClassifier, "a description that cannot be"},
		{bytes.Replace(module, []byte(`"category":1,"id":"mail-name"`), []byte(`"category":5,"id":"mail-name"`), 1), nil, ErrNotClassifier, "a rule for no category"},
		{module, []Option{WithInstances(0)}, ErrOption, "no instance"},
		{module, []Option{WithMemoryLimit(1)}, ErrOption, "no memory"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			k, err := OpenClassifier(ctx, tt.module, tt.opts...)
			assert.ErrorIs(t, err, tt.want)
			assert.Nil(t, k)
			assert.NotContains(t, err.Error(), "canary")
		})
	}
	_, err := Open(ctx, module, WithInterrupt())
	assert.ErrorIs(t, err, ErrOption)
}

func TestClassifierClosed(t *testing.T) {
	k, err := OpenClassifier(ctx, fake(t))
	require.NoError(t, err)
	require.NoError(t, k.Close(ctx))
	require.NoError(t, k.Close(ctx))
	_, err = k.Field(ctx, command(20))
	assert.Equal(t, ErrClosed, err)
	_, err = k.Scan(ctx, "text")
	assert.Equal(t, ErrClosed, err)
}

// TestClassifierCanary puts a canary everywhere and looks for it in every error.
func TestClassifierCanary(t *testing.T) {
	const canary = "canary@example.test"
	k := openFake(t, WithInstances(1))
	var all []error
	for n := range fakeCommands {
		if n == fakeEndless {
			continue
		}
		f := command(n)
		f.Path, f.Type, f.Source, f.Description, f.Value = canary, canary, canary, canary, canary
		f.Tags, f.Context = map[string]string{canary: canary}, map[string]string{canary: canary}
		_, err := k.Field(ctx, f)
		all = append(all, err)
	}
	_, err := k.Scan(ctx, strings.Repeat(canary, 1000))
	all = append(all, err)
	err = errors.Join(all...)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "canary")
}

// TestClassifierAtOnce has more callers than instances, and instances that are lost.
func TestClassifierAtOnce(t *testing.T) {
	k := openFake(t, WithInstances(3))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 50 {
				if (i+j)%10 == 0 {
					_, err := k.Field(ctx, command(fakeTrap))
					assert.ErrorIs(t, err, ErrLost)
				}
				labels, err := k.Field(ctx, command(20))
				assert.NoError(t, err)
				assert.Len(t, labels, 2)
				findings, err := k.Scan(ctx, "jane sue and twenty more")
				assert.NoError(t, err)
				assert.Len(t, findings, 2)
			}
		})
	}
	all.Wait()
	assert.Len(t, k.slots, 3)
}

func TestClassifierAllocations(t *testing.T) {
	k := openFake(t, WithInstances(1))
	for _, tt := range []struct {
		command int
		most    float64
		reason  string
	}{
		{fakeNothing, 0, "nothing found"},
		{20, 2, "the labels, and the places of all of them"},
	} {
		f := command(tt.command)
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = k.Field(ctx, f) }), tt.most, tt.reason)
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = k.Scan(ctx, "jane sue and twenty more") }), 1.0)
}
