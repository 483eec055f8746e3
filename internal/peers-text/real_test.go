package peerstext

import (
	"cmp"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

var (
	samples = flag.String("samples", "", "file for samples of what is found in real text; they hold what the texts hold")
	roots   = flag.String("roots", "", "folders of real text in place of the Go distribution and the module cache, as in PATH; all of their files are read")
)

// Kinds of real text.
const (
	kindGo       = iota
	kindMarkdown // and what is called README
	kindJSON
	kindOther // of -roots only
	kinds
)

func kindOf(path string) int {
	switch name := filepath.Base(path); strings.ToLower(filepath.Ext(name)) {
	case ".go":
		return kindGo
	case ".md":
		return kindMarkdown
	case ".json":
		return kindJSON
	default:
		if strings.HasPrefix(name, "README") {
			return kindMarkdown
		}
		return kindOther
	}
}

// realFiles calls f for the files below a folder that are text, until it says that it
// has enough. Test data and the peers are left out: they are full of what is looked
// for.
func realFiles(root string, f func(path, text string) (more bool)) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is passed over
		}
		if entry.IsDir() {
			if entry.Name() == "testdata" || path == filepath.Join(root, "cache") || slices.Contains(peerFolders, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || *roots == "" && kindOf(path) == kindOther {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 8<<20 || !utf8.Valid(data) || strings.Contains(string(data[:min(len(data), 4096)]), "\x00") {
			return nil
		}
		if !f(path, string(data)) {
			return fs.SkipAll
		}
		return nil
	})
}

// A tally is what one detector found.
type tally struct {
	id, category string
	found        [kinds]int
	total        int
	distinct     map[string]bool
	samples      []string // ten at most
}

func (l *tally) row(size int) string {
	return fmt.Sprintf("| %s | %d | %d | %.3f | %d | %d | %d | %d |\n", l.id, l.total, len(l.distinct), float64(l.total)*1e6/float64(size),
		l.found[kindGo], l.found[kindMarkdown], l.found[kindJSON], l.found[kindOther])
}

// around is a finding with 60 bytes on each side.
func around(text string, f classify.Finding) string {
	from, to := max(0, f.Start-60), min(len(text), f.End+60)
	clean := strings.NewReplacer("\n", "⏎", "\t", " ", "`", "'", "\r", "").Replace
	return strings.ToValidUTF8(clean(text[from:f.Start])+"⟦"+clean(text[f.Start:f.End])+"⟧"+clean(text[f.End:to]), "?")
}

// TestRealText counts what is found where there should be next to nothing.
func TestRealText(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 4))
	s := classify.Builtin().NewScanner()
	s.MaxValue = 0
	var sizes [kinds]int
	total := 0
	tallies := map[string]*tally{}
	sum := tally{id: "all", distinct: map[string]bool{}}
	seen := map[[sha256.Size]byte]bool{}
	var found []classify.Finding
	count := func(path, text string) bool {
		if key := sha256.Sum256([]byte(text)); seen[key] {
			return true
		} else {
			seen[key] = true
		}
		kind := kindOf(path)
		sizes[kind] += len(text)
		total += len(text)
		found = s.Scan(found[:0], text)
		for _, f := range found {
			l := tallies[f.Detector]
			if l == nil {
				l = &tally{id: f.Detector, category: f.Category, distinct: map[string]bool{}}
				tallies[f.Detector] = l
			}
			l.found[kind]++
			l.total++
			sum.found[kind]++
			sum.total++
			what := text[f.Start:f.End]
			sum.distinct[f.Detector+" "+what] = true
			if l.distinct[what] {
				continue
			}
			l.distinct[what] = true
			// Ten of the distinct ones, drawn with the same chance for each.
			line := fmt.Sprintf("- %.2f `%s` %s", f.Confidence, around(text, f), path)
			if len(l.samples) < 10 {
				l.samples = append(l.samples, line)
			} else if i := r.IntN(len(l.distinct)); i < 10 {
				l.samples[i] = line
			}
		}
		return total < size.real
	}
	folders := filepath.SplitList(*roots)
	if len(folders) == 0 {
		folders = []string{goroot(), goTool("env", "GOMODCACHE")}
	}
	for _, folder := range folders {
		if total < size.real {
			require.NoError(t, realFiles(folder, count))
		}
	}
	require.Positive(t, total)

	var table, text strings.Builder
	fmt.Fprintf(&table, "%.1f MB: Go %.1f, Markdown %.1f, JSON %.1f, other %.1f\n\n", float64(total)/1e6,
		float64(sizes[kindGo])/1e6, float64(sizes[kindMarkdown])/1e6, float64(sizes[kindJSON])/1e6, float64(sizes[kindOther])/1e6)
	table.WriteString("| detector | findings | distinct | per MB | in Go | in Markdown | in JSON | elsewhere |\n|---|---|---|---|---|---|---|---|\n")
	for _, l := range slices.SortedFunc(maps.Values(tallies), func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.total, a.total), strings.Compare(a.id, b.id))
	}) {
		table.WriteString(l.row(total))
		fmt.Fprintf(&text, "## %s (%s): %d, %d distinct\n\n%s\n\n", l.id, l.category, l.total, len(l.distinct), strings.Join(l.samples, "\n"))
	}
	table.WriteString(sum.row(total))
	t.Log("\n" + table.String())
	if *samples != "" {
		require.NoError(t, os.WriteFile(*samples, []byte("# Findings in real text\n\n"+table.String()+"\n"+text.String()), 0o600))
	}
}
