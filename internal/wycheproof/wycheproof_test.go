package wycheproof

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	vectors "github.com/c2sp/wycheproof"

	// So that a result is not taken from the cache when the package has changed.
	_ "github.com/privetdev/privet/privacy/pseudonym"
)

// wanted are the files that must run, all of them and whole.
var wanted = regexp.MustCompile(`^(hmac_sha256|hkdf_sha256|aes_cmac|aes_siv_cmac|aead_aes_siv_cmac|aes_ff1_(radix|base)[0-9]+)_test\.json$`)

var count = regexp.MustCompile(`(?m)^wycheproof (\S+): (\d+) passed of (\d+) run$`)

func TestVectors(t *testing.T) {
	entries, err := fs.ReadDir(vectors.TestVectors, ".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cases := map[string]int{}
	for _, e := range entries {
		if !wanted.MatchString(e.Name()) {
			continue
		}
		text, err := fs.ReadFile(vectors.TestVectors, e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ NumberOfTests int }
		if err := json.Unmarshal(text, &file); err != nil || file.NumberOfTests == 0 {
			t.Fatalf("%s: no cases, %v", e.Name(), err)
		}
		cases[e.Name()] = file.NumberOfTests
		if err := os.WriteFile(filepath.Join(dir, e.Name()), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(cases) != 5+13+9 {
		t.Errorf("found %d files, 27 are known: five algorithms, FF1 with 13 radices as lists and 9 as text", len(cases))
	}

	run := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-run", "^TestWycheproof", ".")
	run.Dir = filepath.Join("..", "..", "privacy", "pseudonym")
	run.Env = append(os.Environ(), "PRIVET_WYCHEPROOF="+dir)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	passed, ran := 0, 0
	seen := map[string]bool{}
	for _, m := range count.FindAllSubmatch(out, -1) {
		p, _ := strconv.Atoi(string(m[2]))
		r, _ := strconv.Atoi(string(m[3]))
		name := string(m[1])
		if p != r || r != cases[name] || seen[name] {
			t.Errorf("%s: %d passed of %d run, the file has %d cases", name, p, r, cases[name])
		}
		seen[name] = true
		passed, ran = passed+p, ran+r
	}
	for name := range cases {
		if !seen[name] {
			t.Errorf("%s: not run", name)
		}
	}
	t.Logf("%s", out)
	t.Logf("wycheproof: %d passed of %d run in %d files, none skipped", passed, ran, len(seen))
}
