package peerstext

import (
	"flag"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/hoophq/alcatraz"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"github.com/zricethezav/gitleaks/v8/detect"
	"github.com/zricethezav/gitleaks/v8/logging"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/bundle"
)

var full = flag.Bool("full", false, "long texts, for figures; without it everything runs, but only to see that it does")

// sizes are in bytes.
type sizes struct {
	corpus, hostile            int
	regexp, gitleaks, alcatraz int // what the slower engines get of a corpus
	stream                     int // goes through a pipe
	real                       int // most real text that is read
}

var size = sizes{corpus: 1 << 20, hostile: 64 << 10, regexp: 4 << 10, gitleaks: 32 << 10, alcatraz: 64 << 10, stream: 8 << 20, real: 2 << 20}

var fullSize = sizes{corpus: 50 << 20, hostile: 10 << 20, regexp: 128 << 10, gitleaks: 2 << 20, alcatraz: 1 << 20, stream: 1_000_000_000, real: 1 << 40}

// TestMain keeps everything, the collector too, to one core.
func TestMain(m *testing.M) {
	flag.Parse()
	if *full {
		size = fullSize
	}
	runtime.GOMAXPROCS(1)
	logging.Logger = zerolog.Nop()
	m.Run()
}

// look counts what an engine finds in a text.
type look func(text string) int

// A peer is an engine and how much of a text it goes through in a few seconds.
type peer struct {
	name string
	take int
	load func(t testing.TB) look
}

func peers() []peer {
	return []peer{
		{"privet", size.corpus, privet},
		{"privet-reader", size.corpus, privetReader},
		{"regexp", size.regexp, func(t testing.TB) look { return regexpLoop(t, patterns(t)) }},
		{"gitleaks", size.gitleaks, gitleaks},
		{"alcatraz", size.alcatraz, func(testing.TB) look {
			// The threshold of its command, which is ours too.
			e, threshold := alcatraz.NewEngine(), 0.4
			return func(text string) int { return len(e.Analyze(text, alcatraz.Options{Threshold: &threshold})) }
		}},
	}
}

// opened is a classifier that has seen no text yet.
func opened(t testing.TB) *classify.Classifier {
	t.Helper()
	c, err := classify.Open(classify.BuiltinBundle())
	require.NoError(t, err)
	return c
}

func privet(t testing.TB) look       { return scanning(opened(t)) }
func privetReader(t testing.TB) look { return reading(opened(t)) }

func scanning(c *classify.Classifier) look {
	s := c.NewScanner()
	s.MaxValue = 0
	var found []classify.Finding
	return func(text string) int {
		found = s.Scan(found[:0], text)
		return len(found)
	}
}

func reading(c *classify.Classifier) look {
	s := c.NewScanner()
	var r strings.Reader
	n := 0
	count := func(classify.Finding) error { n++; return nil }
	return func(text string) int {
		r.Reset(text)
		n = 0
		if err := s.ScanReader(&r, count); err != nil {
			return -1
		}
		return n
	}
}

// patterns are those of the built-in detectors.
func patterns(t testing.TB) []bundle.Detector {
	t.Helper()
	b, err := bundle.Decode(classify.BuiltinBundle())
	require.NoError(t, err)
	require.NotEmpty(t, b.Classification.Detectors)
	return b.Classification.Detectors
}

// regexpLoop tries every pattern by itself, leftmost-longest as detectors do. It
// neither checks what it finds nor reads what stands around it.
func regexpLoop(t testing.TB, detectors []bundle.Detector) look {
	t.Helper()
	var all []*regexp.Regexp
	for _, d := range detectors {
		flags := "(?is:"
		if d.CaseSensitive {
			flags = "(?s:"
		}
		re, err := regexp.Compile(flags + d.Pattern + ")")
		require.NoError(t, err, d.ID)
		re.Longest()
		all = append(all, re)
	}
	return func(text string) int {
		n := 0
		for _, re := range all {
			n += len(re.FindAllStringIndex(text, -1))
		}
		return n
	}
}

func gitleaks(t testing.TB) look {
	t.Helper()
	d, err := detect.NewDetectorDefaultConfig()
	require.NoError(t, err)
	// Its command reads files in pieces of this size.
	const piece = 100_000
	return func(text string) int {
		n := 0
		for len(text) > piece {
			n += len(d.DetectString(text[:piece]))
			text = text[piece:]
		}
		return n + len(d.DetectString(text))
	}
}

// TestEngines sees to it that every engine finds what it says that it finds, so that
// none is measured that does nothing.
func TestEngines(t *testing.T) {
	text := dense()
	require.Greater(t, float64(privet(t)(text)), 0.95*float64(planted), "identifiers found in the dense text")
	require.Equal(t, privet(t)(logs()), privetReader(t)(logs()), "a stream finds the same")
	for _, p := range peers() {
		require.Positive(t, p.load(t)(text[:min(p.take, 64<<10)]), p.name)
	}
}
