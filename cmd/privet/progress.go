package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A progress shows on a terminal how far a long run is. On anything else, and in
// the first second, it shows nothing.
type progress struct {
	env   *env
	total int64
	begin time.Time
	bar   *progressbar.ProgressBar
}

func newProgress(e *env, total int64) *progress {
	return &progress{env: e, total: total, begin: e.now()}
}

// at says how many bytes of the input are done.
func (p *progress) at(n int64) {
	if !p.env.terminal {
		return
	}
	if p.bar == nil {
		if p.env.now().Sub(p.begin) < time.Second {
			return
		}
		total := p.total
		if total == 0 {
			total = -1 // unknown: a spinner with what was done
		}
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.env.stderr),
			progressbar.OptionSetDescription("processing"),
			progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(30),
		)
	}
	_ = p.bar.Set64(n)
}

// clear takes the bar away, so that what is printed next stands alone.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// over is a writer to the same terminal that does not write into the bar.
func (p *progress) over(w io.Writer) io.Writer { return clearing{p, w} }

type clearing struct {
	p *progress
	w io.Writer
}

func (c clearing) Write(b []byte) (int, error) {
	c.p.clear()
	return c.w.Write(b)
}
