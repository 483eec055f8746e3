package ledgertest

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/privetdev/privet/consent/ledger"
)

// An OpenKeys makes an empty key store and opens it. The function that it returns
// opens the same one again, after it was closed; nil for one that does not outlive
// that.
type OpenKeys func(t *testing.T) (ledger.Keys, func() ledger.Keys)

// RunKeys checks a key store.
func RunKeys(t *testing.T, open OpenKeys) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, OpenKeys)
	}{
		{"secret", keysSecret},
		{"ensure", keysEnsure},
		{"destroy", keysDestroy},
		{"unfinished", keysUnfinished},
		{"context", keysContext},
		{"concurrent", keysConcurrent},
		{"closed", keysClosed},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open) })
	}
}

func openedKeys(t *testing.T, open OpenKeys) ledger.Keys {
	t.Helper()
	k, _ := open(t)
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// anew closes a key store and opens it again, if it outlives that.
func anew(t *testing.T, k ledger.Keys, again func() ledger.Keys) ledger.Keys {
	t.Helper()
	if again == nil {
		return k
	}
	must(t, k.Close(), "close")
	k = again()
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func tag(n int) (g ledger.Tag) {
	g[0], g[1], g[15] = byte(n), byte(n>>8), 0xa5
	return g
}

func keysSecret(t *testing.T, open OpenKeys) {
	k, again := open(t)
	t.Cleanup(func() { _ = k.Close() })
	first, err := k.Secret(context.Background())
	must(t, err, "secret")
	if first == (ledger.Key{}) {
		t.Error("the secret is zero")
	}
	k = anew(t, k, again)
	second, err := k.Secret(context.Background())
	must(t, err, "secret")
	if first != second {
		t.Error("the secret has changed")
	}
	other, err := openedKeys(t, open).Secret(context.Background())
	must(t, err, "secret")
	if other == first {
		t.Error("two key stores have one secret")
	}
}

// live collects the live keys, sorted.
func live(t *testing.T, k ledger.Keys) []ledger.Key {
	t.Helper()
	var keys []ledger.Key
	for key, err := range k.Live(context.Background()) {
		must(t, err, "live")
		keys = append(keys, key)
	}
	sortKeys(keys)
	return keys
}

func sortKeys(keys []ledger.Key) {
	slices.SortFunc(keys, func(a, b ledger.Key) int { return slices.Compare(a[:], b[:]) })
}

func sameKeys(t *testing.T, what string, got, want []ledger.Key) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: not the keys that it should be (%d, want %d)", what, len(got), len(want))
	}
}

func keysEnsure(t *testing.T, open OpenKeys) {
	k, again := open(t)
	t.Cleanup(func() { _ = k.Close() })
	ctx := context.Background()
	if _, err := k.Get(ctx, tag(1)); !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("get of a tag that never had a key: %v, want ErrNoKey", err)
	}
	none, err := k.Ensure(ctx, nil)
	must(t, err, "ensure of nothing")
	sameKeys(t, "ensure of nothing", none, nil)
	sameKeys(t, "live", live(t, k), nil)

	first, err := k.Ensure(ctx, []ledger.Tag{tag(1), tag(2), tag(1)})
	must(t, err, "ensure")
	if len(first) != 3 || first[0] != first[2] || first[0] == first[1] || first[0] == (ledger.Key{}) || first[1] == (ledger.Key{}) {
		t.Fatal("not a key of its own for each tag, in the order of the tags")
	}
	second, err := k.Ensure(ctx, []ledger.Tag{tag(3), tag(2)})
	must(t, err, "ensure")
	if second[1] != first[1] {
		t.Error("a key that was there was made anew")
	}
	var many []ledger.Tag
	for i := range 1000 {
		many = append(many, tag(100+i))
	}
	keys, err := k.Ensure(ctx, many)
	must(t, err, "ensure of many")
	want := append([]ledger.Key{first[0], first[1], second[0]}, keys...)
	sortKeys(want)
	if len(slices.Compact(slices.Clone(want))) != len(want) {
		t.Error("two tags have one key")
	}
	for range 2 {
		got, err := k.Ensure(ctx, many)
		must(t, err, "ensure again")
		sameKeys(t, "ensure again", got, keys)
		for i, g := range many[:50] {
			key, err := k.Get(ctx, g)
			must(t, err, "get")
			if key != keys[i] {
				t.Fatal("get gives another key than ensure")
			}
		}
		sameKeys(t, "live", live(t, k), want)
		k = anew(t, k, again)
	}
	for range k.Live(ctx) {
		break
	}
	if _, err := k.Ensure(ctx, []ledger.Tag{tag(5)}); err != nil {
		t.Errorf("ensure after live was left early: %v", err)
	}
}

func keysDestroy(t *testing.T, open OpenKeys) {
	k, again := open(t)
	t.Cleanup(func() { _ = k.Close() })
	ctx := context.Background()
	if err := k.Destroy(ctx, ledger.Erasure{Tag: tag(1), At: day(1), Known: day(1), Why: ledger.OnRequest}); !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("destroy of a tag that never had a key: %v, want ErrNoKey", err)
	}
	keys, err := k.Ensure(ctx, []ledger.Tag{tag(1), tag(2), tag(3)})
	must(t, err, "ensure")
	must(t, k.Destroy(ctx, ledger.Erasure{Tag: tag(2), Handle: handle(2), Count: 3, At: day(1), Known: day(2), Why: ledger.OnOrder}), "destroy")
	for range 2 {
		if _, err := k.Get(ctx, tag(2)); !errors.Is(err, ledger.ErrErased) {
			t.Errorf("get of an erased tag: %v, want ErrErased", err)
		}
		got, err := k.Ensure(ctx, []ledger.Tag{tag(1), tag(2), tag(3)})
		must(t, err, "ensure")
		sameKeys(t, "ensure after an erasure", got, []ledger.Key{keys[0], {}, keys[2]})
		want := []ledger.Key{keys[0], keys[2]}
		sortKeys(want)
		sameKeys(t, "live after an erasure", live(t, k), want)
		k = anew(t, k, again)
	}
}

func keysUnfinished(t *testing.T, open OpenKeys) {
	k, again := open(t)
	t.Cleanup(func() { _ = k.Close() })
	ctx := context.Background()
	are := func(want ...ledger.Erasure) {
		t.Helper()
		got, err := k.Unfinished(ctx)
		must(t, err, "unfinished")
		if len(got) != len(want) {
			t.Errorf("%d erasures are unfinished, want %d", len(got), len(want))
			return
		}
		slices.SortFunc(got, func(a, b ledger.Erasure) int { return slices.Compare(a.Tag[:], b.Tag[:]) })
		for i, g := range got {
			w := want[i]
			if g.Tag != w.Tag || g.Handle != w.Handle || g.Count != w.Count || !g.At.Equal(w.At) || !g.Known.Equal(w.Known) || g.Why != w.Why {
				t.Errorf("unfinished erasure %d is not the one that was begun", i)
			}
		}
	}
	are()
	_, err := k.Ensure(ctx, []ledger.Tag{tag(1), tag(2)})
	must(t, err, "ensure")
	one := ledger.Erasure{Tag: tag(1), Handle: handle(7), Count: 1 << 40, At: day(1).Add(1), Known: day(2).Add(999_999_999), Why: ledger.OnRetention}
	two := ledger.Erasure{Tag: tag(2), Handle: handle(8), At: day(3), Known: day(3), Why: ledger.OnRequest}
	must(t, k.Destroy(ctx, one), "destroy")
	other := one
	other.Count, other.Why = 5, ledger.OnOrder
	must(t, k.Destroy(ctx, other), "destroy again")
	are(one)
	must(t, k.Destroy(ctx, two), "destroy")
	are(one, two)
	k = anew(t, k, again)
	are(one, two)
	for range 2 {
		must(t, k.Finish(ctx, tag(1)), "finish")
		are(two)
	}
	must(t, k.Finish(ctx, tag(9)), "finish of what was never begun")
	must(t, k.Destroy(ctx, other), "destroy of what was erased long ago")
	are(two)
	k = anew(t, k, again)
	are(two)
	must(t, k.Finish(ctx, tag(2)), "finish")
	are()
	if _, err := k.Get(ctx, tag(1)); !errors.Is(err, ledger.ErrErased) {
		t.Errorf("get after the erasure was finished: %v, want ErrErased", err)
	}
}

func keysContext(t *testing.T, open OpenKeys) {
	k := openedKeys(t, open)
	keys, err := k.Ensure(context.Background(), []ledger.Tag{tag(1)})
	must(t, err, "ensure")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	keysFail(t, k, ended, context.Canceled)
	key, err := k.Get(context.Background(), tag(1))
	must(t, err, "get")
	sameKeys(t, "after an ended context", []ledger.Key{key}, keys)
	if _, err := k.Get(context.Background(), tag(77)); !errors.Is(err, ledger.ErrNoKey) {
		t.Errorf("a key was made although the context had ended: %v", err)
	}
}

// keysFail calls every method and expects one error from each, without a key or a
// tag in it.
func keysFail(t *testing.T, k ledger.Keys, ctx context.Context, want error) {
	t.Helper()
	gave := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
			return
		}
		for _, n := range []int{1, 77} {
			g := tag(n)
			if text := err.Error(); strings.Contains(text, hex.EncodeToString(g[:])) || strings.Contains(text, string(g[:])) {
				t.Errorf("%s: the error contains a tag", what)
			}
		}
	}
	_, err := k.Secret(ctx)
	gave("secret", err)
	_, err = k.Get(ctx, tag(1))
	gave("get", err)
	_, err = k.Ensure(ctx, []ledger.Tag{tag(1), tag(77)})
	gave("ensure", err)
	gave("destroy", k.Destroy(ctx, ledger.Erasure{Tag: tag(1), At: day(1), Known: day(1), Why: ledger.OnRequest}))
	gave("finish", k.Finish(ctx, tag(1)))
	_, err = k.Unfinished(ctx)
	gave("unfinished", err)
	n := 0
	for _, err := range k.Live(ctx) {
		gave("live", err)
		n++
	}
	if n != 1 {
		t.Errorf("live: %d results, want one error", n)
	}
}

func keysConcurrent(t *testing.T, open OpenKeys) {
	k, again := open(t)
	t.Cleanup(func() { _ = k.Close() })
	ctx := context.Background()
	const each = 40
	got := make([]map[ledger.Tag]ledger.Key, 16)
	var wg sync.WaitGroup
	for w := range got {
		got[w] = map[ledger.Tag]ledger.Key{}
		wg.Go(func() {
			for i := range each {
				tags := []ledger.Tag{tag(i), tag(1000 + w*each + i), tag((i + w) % each)}
				keys, err := k.Ensure(ctx, tags)
				if err != nil {
					t.Errorf("ensure: %v", err)
					return
				}
				for j, g := range tags {
					if old, ok := got[w][g]; ok && old != keys[j] {
						t.Error("a key has changed")
					}
					got[w][g] = keys[j]
				}
				if i%10 == 9 {
					own := tag(1000 + w*each + i)
					if err := k.Destroy(ctx, ledger.Erasure{Tag: own, At: day(1), Known: day(1), Why: ledger.OnRequest}); err != nil {
						t.Errorf("destroy: %v", err)
					}
					got[w][own] = ledger.Key{}
				}
			}
		})
	}
	wg.Wait()
	for range 2 {
		all := map[ledger.Tag]ledger.Key{}
		var want []ledger.Key
		for _, m := range got {
			for g, key := range m {
				if old, ok := all[g]; ok && old != key {
					t.Fatal("one tag has two keys")
				}
				if _, ok := all[g]; !ok && key != (ledger.Key{}) {
					want = append(want, key)
				}
				all[g] = key
			}
		}
		sortKeys(want)
		sameKeys(t, "live", live(t, k), want)
		unfinished, err := k.Unfinished(ctx)
		must(t, err, "unfinished")
		if len(unfinished) != 16*each/10 {
			t.Errorf("%d erasures are unfinished, want %d", len(unfinished), 16*each/10)
		}
		k = anew(t, k, again)
	}
}

func keysClosed(t *testing.T, open OpenKeys) {
	k := openedKeys(t, open)
	_, err := k.Ensure(context.Background(), []ledger.Tag{tag(1)})
	must(t, err, "ensure")
	must(t, k.Close(), "close")
	keysFail(t, k, context.Background(), ledger.ErrClosed)
}
