package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/pseudonym/secretfile"
)

var storeKey = []byte("KEYMATERIAL-zyxwvutsrqponmlkjihg")

// withKey puts a key into the environment.
func withKey(t testing.TB) {
	t.Helper()
	t.(interface{ Setenv(string, string) }).Setenv(keyVariable, base64.StdEncoding.EncodeToString(storeKey))
}

// secretsStore is a store with two versions for contoso and one for fabrikam.
func secretsStore(t testing.TB) string {
	t.Helper()
	withKey(t)
	path := filepath.Join(t.TempDir(), "secrets.privet")
	r := privet(t, "", "keys", "init", path, "contoso", "fabrikam")
	require.Equal(t, exitDone, r.code, r.err)
	r = privet(t, "", "keys", "rotate", path, "contoso")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "contoso version 2: new pseudonyms are made with it")
	return path
}

// states are what list shows: tenant, version, state.
func states(t testing.TB, path string) []string {
	t.Helper()
	r := privet(t, "", "keys", "list", path)
	require.Equal(t, exitDone, r.code, r.err)
	var out []string
	for line := range strings.Lines(r.out) {
		out = append(out, strings.Join(strings.Fields(line)[:3], " "))
	}
	return out
}

func TestKeysInit(t *testing.T) {
	path := secretsStore(t)
	requireOnly(t, filepath.Dir(path), "secrets.privet", "secrets.privet.lock", "secrets.privet.tombstones")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.EqualValues(t, 0o600, info.Mode().Perm())
	}
	assert.Equal(t, []string{"contoso 1 live", "contoso 2 live", "fabrikam 1 live"}, states(t, path))

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	r := privet(t, "", "keys", "init", path)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "exists and is not written over; choose another name")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	fresh := filepath.Join(t.TempDir(), "s")
	r = privet(t, "", "keys", "init", fresh, "contoso", "fab\trikam")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "tenant 2 cannot be used")
	requireOnly(t, filepath.Dir(fresh))
	r = privet(t, "", "keys", "init", filepath.Join(t.TempDir(), "none", "s"))
	assert.Contains(t, r.err, "its folder is not there; make the folder first")

	elsewhere := filepath.Join(t.TempDir(), "tombs")
	r = privet(t, "", "keys", "init", fresh, "--tombstones", elsewhere)
	require.Equal(t, exitDone, r.code, r.err)
	r = privet(t, "", "keys", "list", fresh)
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "the tombstones are missing")
	r = privet(t, "", "keys", "list", fresh, "--tombstones", elsewhere)
	assert.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "0 versions of 0 tenants, 0 subjects; generation 1")
}

func TestKeysOfAStoreRefused(t *testing.T) {
	path := secretsStore(t)
	for _, tt := range []struct {
		key, want, reason string
	}{
		{"", "the key of the store is not set; put the key that the store was made with into PRIVET_KEYS_KEY", "not set"},
		{"correct horse canary", "the key in PRIVET_KEYS_KEY is not 32 random bytes in base64 or hexadecimal; make one with: openssl rand -base64 32", "a password"},
		{strings.Repeat("ca", 31), "is not 32 random bytes", "too short"},
		{strings.Repeat("ca", 32), "wrong key: it is not the key that the file was written with", "another key"},
	} {
		t.Setenv(keyVariable, tt.key)
		for _, args := range [][]string{
			{"keys", "list", path}, {"keys", "rotate", path, "contoso"}, {"keys", "destroy", path, "--due"},
			{"keys", "destroy", path, "contoso", "1", "--actor", "ops", "--reason", "r"},
		} {
			r := privet(t, "", args...)
			assert.Equal(t, exitStop, r.code, tt.reason)
			assert.Contains(t, r.err, tt.want, tt.reason)
			assert.Empty(t, r.out)
			if tt.key != "" {
				assert.NotContains(t, r.err, tt.key)
			}
		}
	}
	t.Setenv(keyVariable, "")
	t.Setenv("OTHER_KEY", hex.EncodeToString(storeKey))
	r := privet(t, "", "keys", "list", path, "--key-env", "OTHER_KEY")
	assert.Equal(t, exitDone, r.code, "in hexadecimal, under another name: %s", r.err)
}

func TestKeysDestroy(t *testing.T) {
	path := secretsStore(t)
	r := privet(t, "", "keys", "destroy", path, "contoso", "1", "--actor", "ops", "--reason", "the customer left", "--copies", "2026-06-01")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "contoso version 1: destroyed; copies elsewhere until 2026-06-01T00:00:00Z")
	assert.Equal(t, []string{"contoso 1 destroyed", "contoso 2 live", "fabrikam 1 live"}, states(t, path))
	r = privet(t, "", "keys", "list", path, "contoso")
	assert.Contains(t, r.out, "2026-03-28T12:00:00Z by ops: the customer left; copies elsewhere until 2026-06-01T00:00:00Z")
	assert.NotContains(t, r.out, "fabrikam")
	assert.Contains(t, r.out, "for new pseudonyms")

	r = privet(t, "", "keys", "destroy", path, "contoso", "2", "--actor", "ops", "--reason", "r", "--pending", "30d")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "out of use, and destroyed by privet keys destroy --due from 2026-04-27T12:00:00Z on")
	assert.Equal(t, "contoso 2 pending", states(t, path)[1])
	r = privet(t, "", "keys", "destroy", path, "--due")
	assert.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "nothing is due")
	r = privet(t, "", "keys", "destroy", path, "contoso", "2", "--cancel")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Equal(t, "contoso 2 live", states(t, path)[1])

	// Planned for today: it is due when today comes.
	r = privet(t, "", "keys", "destroy", path, "contoso", "2", "--actor", "ops", "--reason", "r", "--pending", "2026-03-28T12:00:00Z")
	require.Equal(t, exitDone, r.code, r.err)
	holds := file(t, "holds", "# a comment\n\ncontoso 2 order-2026-17\nfabrikam * order-2026-18\n")
	r = privet(t, "", "keys", "destroy", path, "--due", "--hold-file", holds)
	assert.Equal(t, exitBad, r.code)
	assert.Contains(t, r.err, "contoso version 2 is held by order-2026-17 and is not destroyed; wait until the hold is lifted")
	for _, args := range [][]string{{}, {"--pending", "1d"}} {
		r = privet(t, "", append([]string{"keys", "destroy", path, "fabrikam", "1", "--actor", "a", "--reason", "r", "--hold-file", holds}, args...)...)
		assert.Equal(t, exitStop, r.code)
		assert.Contains(t, r.err, "fabrikam version 1 is held by order-2026-18")
	}
	assert.Equal(t, []string{"contoso 1 destroyed", "contoso 2 pending", "fabrikam 1 live"}, states(t, path))
	r = privet(t, "", "keys", "destroy", path, "--due")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "contoso version 2: destroyed")

	r = privet(t, "", "keys", "list", path, "--json")
	require.Equal(t, exitDone, r.code, r.err)
	var first map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(r.out, "\n", 2)[0]), &first))
	assert.Equal(t, "destroyed", first["state"])
	assert.Equal(t, "2026-06-01T00:00:00Z", first["copies"])
	assert.Len(t, first["check"], 16)
	assert.NotContains(t, first, "until")
}

func TestKeysArguments(t *testing.T) {
	path := secretsStore(t)
	why := []string{"--actor", "ops", "--reason", "r"}
	bad := file(t, "holds", "contoso canary\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"keys", "forget"}, `there is no command keys "forget"; see: privet keys --help`},
		{[]string{"keys", "init"}, "requires at least 1 arg"},
		{[]string{"keys", "rotate", path}, "requires at least 2 arg"},
		{[]string{"keys", "rotate", path, "con\x1btoso"}, "tenant 1 cannot be used"},
		{[]string{"keys", "rotate", path, ""}, "tenant: must be 1 to 255 bytes of valid UTF-8"},
		{[]string{"keys", "list", path, "nobody"}, "has no secret of this tenant; make one with: privet keys rotate"},
		{[]string{"keys", "list", filepath.Join(t.TempDir(), "none")}, "there is no such file; make one with"},
		{[]string{"keys", "list", path, "--minimum", "99"}, "the tombstones are older than they were"},
		{[]string{"keys", "destroy", path}, "what is to be destroyed?"},
		{[]string{"keys", "destroy", path, "contoso"}, "what is to be destroyed?"},
		{[]string{"keys", "destroy", path, "contoso", "1", "--due"}, "what is to be destroyed?"},
		{[]string{"keys", "destroy", path, "--due", "--cancel"}, "these flags do not go together"},
		{[]string{"keys", "destroy", path, "contoso", "1", "--cancel", "--pending", "1d"}, "these flags do not go together"},
		{[]string{"keys", "destroy", path, "contoso", "one"}, "the version is not a number from 1; see: privet keys list"},
		{[]string{"keys", "destroy", path, "contoso", "0"}, "the version is not a number from 1"},
		{[]string{"keys", "destroy", path, "contoso", "1"}, "who destroys it, and why?"},
		{[]string{"keys", "destroy", path, "contoso", "1", "--actor", "ops"}, "who destroys it, and why?"},
		{append([]string{"keys", "destroy", path, "contoso", "9"}, why...), "the store has no such secret; see: privet keys list"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--pending", "soon"}, why...), "--pending is not a time; write 30d, 2026-04-27"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--pending", "d"}, why...), "--pending is not a time"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--pending", "2026-03-27"}, why...), "--pending is in the past"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--copies", "x"}, why...), "--copies is not a time"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--hold-file", bad}, why...), "line 1: not three words; write: tenant version reference"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--hold-file", file(t, "h", "# x\na b c\n")}, why...), "line 2: the version is neither * nor a number"},
		{append([]string{"keys", "destroy", path, "contoso", "1", "--hold-file", t.TempDir()}, why...), "is a folder"},
		{[]string{"keys", "destroy", path, "contoso", "1", "--actor", "a\nb", "--reason", "r"}, "actor: holds control characters"},
	} {
		r := privet(t, "", tt.args...)
		assert.Equal(t, exitStop, r.code, tt.args)
		assert.Contains(t, r.err, tt.want, tt.args)
		assert.Empty(t, r.out, tt.args)
	}
	assert.Equal(t, []string{"contoso 1 live", "contoso 2 live", "fabrikam 1 live"}, states(t, path), "nothing was changed")
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Chmod(path, 0o644))
		r := privet(t, "", "keys", "list", path)
		assert.Equal(t, exitStop, r.code)
		assert.Contains(t, r.err, "others may read or write it; run: chmod 600 "+path)
	}
}

// A restored older store: the tombstone wins, and list says what is missing.
func TestKeysRestored(t *testing.T) {
	path := secretsStore(t)
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	r := privet(t, "", "keys", "destroy", path, "contoso", "1", "--actor", "ops", "--reason", "r")
	require.Equal(t, exitDone, r.code, r.err)
	r = privet(t, "", "keys", "rotate", path, "contoso")
	require.Equal(t, exitDone, r.code, r.err)
	require.NoError(t, os.WriteFile(path, old, 0o600))
	assert.Equal(t, []string{"contoso 1 destroyed", "contoso 2 live", "contoso 3 missing", "fabrikam 1 live"}, states(t, path))
	r = privet(t, "", "keys", "rotate", path, "contoso")
	assert.Contains(t, r.err, "contoso version 4")
}

// Canary: nothing of the key and of no secret is ever printed, and no tenant that is
// somebody's name shows beyond where it was asked for.
func TestKeysPrintNoKeys(t *testing.T) {
	withKey(t)
	path := filepath.Join(t.TempDir(), "s")
	key, err := secretfile.NewKey(storeKey)
	require.NoError(t, err)
	secret := []byte("SECRETBYTES-0987654321abcdefghij")
	var out bytes.Buffer
	see := func(args ...string) {
		r := runWith(t, t.Context(), strings.NewReader(""), args...)
		out.WriteString(r.out + r.err)
	}
	see("keys", "init", path, "contoso")
	store, err := secretfile.Open(t.Context(), path, key)
	require.NoError(t, err)
	require.NoError(t, store.Import(t.Context(), "contoso", 7, secret))
	for _, args := range [][]string{
		{"list", path}, {"list", path, "--json"}, {"rotate", path, "contoso"}, {"init", path},
		{"destroy", path, "contoso", "7", "--actor", "a", "--reason", "r", "--pending", "1d"}, {"list", path},
		{"destroy", path, "contoso", "7", "--cancel"}, {"destroy", path, "contoso", "7", "--actor", "a", "--reason", "r"},
		{"list", path}, {"destroy", path, "--due"}, {"destroy", path, "contoso", "7", "--cancel"}, {"--help"}, {"list", "--help"},
	} {
		see(append([]string{"keys"}, args...)...)
	}
	damaged, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, damaged[:len(damaged)-1], 0o600))
	see("keys", "list", path)
	text := out.String()
	require.Contains(t, text, "contoso")
	require.Contains(t, text, "is damaged or was changed")
	for _, b := range [][]byte{storeKey, secret} {
		for _, form := range []string{
			string(b[:8]), hex.EncodeToString(b[:8]), strings.ToUpper(hex.EncodeToString(b[:8])), base64.StdEncoding.EncodeToString(b)[:10],
		} {
			assert.NotContains(t, text, form)
		}
	}
}

// The store that the command made is what services open.
func TestKeysStoreInAService(t *testing.T) {
	path := secretsStore(t)
	key, err := secretfile.NewKey(storeKey)
	require.NoError(t, err)
	store, err := secretfile.Open(t.Context(), path, key)
	require.NoError(t, err)
	p, err := pseudonym.New(t.Context(), store, pseudonym.Scope{Tenant: "contoso", Purpose: "p", Category: "c"})
	require.NoError(t, err)
	tokens, err := p.Candidates(pseudonym.Email("jane@example.com"))
	require.NoError(t, err)
	require.Len(t, tokens, 2)
	assert.EqualValues(t, 2, tokens[0].Version())
}

// docs/keys.md shows what the commands print, check values apart.
func TestKeysDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "keys.md")
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	withKey(t)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("holds", []byte("contoso * order-2026-17\n"), 0o600))
	check := regexp.MustCompile(`[0-9a-f]{16}`)
	word := regexp.MustCompile(`"([^"]*)"|(\S+)`)
	block := regexp.MustCompile("(?s)```console\n(.*?)```")
	ran := 0
	fresh := block.ReplaceAllStringFunc(string(text), func(b string) string {
		var out strings.Builder
		for _, part := range strings.Split("\n"+block.FindStringSubmatch(b)[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(part, "\n")
			out.WriteString("$ " + command + "\n")
			if !strings.HasPrefix(command, "privet ") {
				out.WriteString(want)
				continue
			}
			var args []string
			for _, m := range word.FindAllStringSubmatch(command, -1)[1:] {
				args = append(args, m[1]+m[2])
			}
			r := privet(t, "", args...)
			got := strings.TrimRight(r.out+r.err, "\n")
			ran++
			if !*update {
				assert.Equal(t, check.ReplaceAllString(strings.TrimRight(want, "\n"), "#"), check.ReplaceAllString(got, "#"), "%s: run with -update after reading the difference", command)
			}
			out.WriteString(got + "\n")
		}
		return "```console\n" + out.String() + "```"
	})
	require.GreaterOrEqual(t, ran, 6)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(fresh), 0o644))
	}
}

func TestWhen(t *testing.T) {
	at, err := when("--pending", "0d", now)
	require.NoError(t, err)
	assert.Equal(t, now, at)
	at, err = when("--pending", "2026-04-27T12:00:00+02:00", now)
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, time.April, 27, 10, 0, 0, 0, time.UTC), at)
	_, err = when("--pending", "999999d", now)
	require.Error(t, err)
}

func TestReadHolds(t *testing.T) {
	holds, err := readHolds(strings.NewReader("contoso * a\n  north wind traders  7\tb\n"), "h")
	require.NoError(t, err)
	for _, tt := range []struct {
		tenant  string
		version uint32
		by      string
		reason  string
	}{
		{"contoso", 1, "a", "all versions"},
		{"contoso", 9, "a", "all versions"},
		{"north wind traders", 7, "b", "a tenant with spaces in it"},
		{"north wind traders", 8, "", "another version"},
		{"north", 7, "", "another tenant"},
	} {
		by, held, err := holds(t.Context(), pseudonym.Target{Tenant: tt.tenant, Version: tt.version})
		require.NoError(t, err)
		assert.Equal(t, tt.by, by, tt.reason)
		assert.Equal(t, tt.by != "", held, tt.reason)
	}
	_, err = readHolds(strings.NewReader(strings.Repeat("x", 1<<20)), "h")
	require.ErrorContains(t, err, "line 1: cannot be read")
}

// Every line that is accepted holds what it names, and no error shows a line.
func FuzzReadHolds(f *testing.F) {
	f.Add("contoso", "*", "order-7")
	f.Add("north wind", "7", "x")
	f.Add("# c", "0", "")
	f.Fuzz(func(t *testing.T, tenant, version, by string) {
		text := tenant + " " + version + " " + by
		holds, err := readHolds(strings.NewReader(text), "h")
		if err != nil {
			if len(tenant) > 12 {
				require.NotContains(t, err.Error(), tenant)
			}
			return
		}
		if strings.ContainsAny(text, "\n\r#") || len(strings.Fields(version)) != 1 || len(strings.Fields(by)) != 1 || strings.TrimSpace(tenant) != tenant || tenant == "" {
			return
		}
		n, err := strconv.ParseUint(version, 10, 32)
		if strings.TrimSpace(version) == "*" {
			n, err = 1, nil
		}
		if err != nil {
			return
		}
		_, held, err := holds(t.Context(), pseudonym.Target{Tenant: tenant, Version: uint32(n)})
		require.NoError(t, err)
		require.True(t, held)
	})
}

// A store serves whatever makes pseudonyms, as a plain file does.
func TestKeysOpenAStore(t *testing.T) {
	withKey(t)
	plain := keys(t)
	path := filepath.Join(t.TempDir(), "secrets.privet")
	r := privet(t, "", "keys", "init", path, "--import", plain, "fabrikam")
	require.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.err, "took over 1 secret of "+plain+": destroy that file")
	assert.Equal(t, []string{"contoso 1 live", "fabrikam 1 live"}, states(t, path))

	process := func(flags ...string) ran {
		return privet(t, lines(event("a"), event("b")), append([]string{"process", "-p", smallPolicy}, flags...)...)
	}
	scan := func(flags ...string) ran {
		return privet(t, "write to jane@example.com\n", append([]string{"scan", "--text", "--quiet", "--redact=pseudonym", "--purpose", "p", "--tenant"}, flags...)...)
	}
	version := func(out string) string {
		return regexp.MustCompile(`p1_([0-9a-z]+)_`).FindStringSubmatch(out + "p1_none_")[1]
	}
	was := process("--keys", plain)
	require.Equal(t, exitDone, was.code, was.err)
	require.Equal(t, "1", version(was.out))
	r = process("--keys", path)
	assert.Equal(t, was, r, "the same secret, the same pseudonyms, and no warning")
	assert.Equal(t, scan("contoso", "--keys", plain), scan("contoso", "--keys", path))

	rotated := privet(t, "", "keys", "rotate", path, "contoso")
	require.Equal(t, exitDone, rotated.code, rotated.err)
	assert.Equal(t, "2", version(process("--keys", path).out), "new pseudonyms are made with the newest secret")
	assert.Equal(t, "2", version(scan("contoso", "--keys", path).out))

	// A secret that is gone makes no pseudonyms, nor does one that is to go; neither
	// stops the run. The tombstone counts, also over an older copy of the store.
	older, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, args := range [][]string{
		{"contoso", "2", "--actor", "ops", "--reason", "r"},
		{"contoso", "1", "--actor", "ops", "--reason", "r", "--pending", "30d"},
	} {
		r = privet(t, "", append([]string{"keys", "destroy", path}, args...)...)
		require.Equal(t, exitDone, r.code, r.err)
	}
	for _, restored := range []bool{false, true} {
		if restored {
			require.NoError(t, os.WriteFile(path, older, 0o600))
		}
		r = process("--keys", path)
		assert.Equal(t, exitDone, r.code, r.err)
		assert.Contains(t, r.err, "(NO_KEY)")
		assert.Equal(t, "none", version(r.out), "restored: %v", restored)
		r = scan("contoso", "--keys", path)
		assert.Equal(t, exitStop, r.code)
		assert.Contains(t, r.err, "keys: there is none in use for this tenant; make one with: privet keys rotate "+path+" TENANT")
	}
	assert.Equal(t, "1", version(scan("fabrikam", "--keys", path).out), "others go on")

	aside := filepath.Join(t.TempDir(), "tombstones")
	require.NoError(t, os.Rename(path+".tombstones", aside))
	for _, tt := range []struct {
		key    string
		flags  []string
		want   string
		reason string
	}{
		{"", []string{"--keys", path}, "the tombstones are missing", "they are elsewhere"},
		{"", []string{"--keys", aside}, "holds tombstones where secrets are wanted", "the other file"},
		{"", []string{"--keys", plain, "--tombstones", aside}, "is a plain file of keys, which has no tombstones", "a plain file"},
		{"", []string{"--tombstones", aside}, "--tombstones belong to a store; name it with --keys", "no store"},
		{" ", []string{"--keys", path}, "the key of the store is not set; put the key that the store was made with into PRIVET_KEYS_KEY", "no key"},
		{strings.Repeat("ca", 32), []string{"--keys", path, "--tombstones", aside}, "wrong key", "another key"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if tt.key != "" {
				t.Setenv(keyVariable, tt.key)
			}
			for _, r := range []ran{process(tt.flags...), scan(append([]string{"fabrikam"}, tt.flags...)...)} {
				assert.Equal(t, exitStop, r.code)
				assert.Contains(t, r.err, tt.want)
				assert.Empty(t, r.out)
			}
		})
	}
	r = process("--keys", path, "--tombstones", aside)
	assert.Equal(t, exitDone, r.code, "named, they are found: %s", r.err)

	fresh := filepath.Join(t.TempDir(), "s")
	for _, tt := range []struct{ from, want, reason string }{
		{filepath.Join(t.TempDir(), "none"), "there is no such file", "no file"},
		{file(t, "keys", "contoso 1 x\n"), "line 1: the secret is not base64", "no secret"},
		{path, "is a store already", "a store"},
	} {
		r = privet(t, "", "keys", "init", fresh, "--import", tt.from)
		assert.Equal(t, exitStop, r.code, tt.reason)
		assert.Contains(t, r.err, tt.want)
		requireOnly(t, filepath.Dir(fresh))
	}
}

// Every flag that an example of the group shows is there.
func TestKeysHelp(t *testing.T) {
	flag := regexp.MustCompile(`--[a-z-]+`)
	group := newKeys(&env{})
	require.Len(t, group.Commands(), 4)
	for _, c := range group.Commands() {
		r := privet(t, "", "keys", c.Name(), "--help")
		assert.Equal(t, exitDone, r.code, c.Name())
		assert.Contains(t, r.out, "Examples:", c.Name())
		assert.NotEmpty(t, c.Long, c.Name())
		for _, name := range flag.FindAllString(c.Example+c.Long, -1) {
			assert.NotNil(t, c.Flags().Lookup(name[2:]), "%s: %s", c.Name(), name)
		}
	}
	assert.NotRegexp(t, flag, group.Example, "flags belong to the commands below, where they are looked up")
}
