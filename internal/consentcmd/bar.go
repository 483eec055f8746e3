package consentcmd

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// A bar shows on a terminal how far a long run is. On anything else, and in the
// first second, it shows nothing.
type bar struct {
	env   *Env
	what  string
	bytes bool
	begin time.Time
	bar   *progressbar.ProgressBar
}

func newBar(e *Env, what string, bytes bool) *bar {
	return &bar{env: e, what: what, bytes: bytes, begin: e.Now()}
}

// at says how much is done, of how much; a total of 0 is not known.
func (b *bar) at(done, total int64) {
	if !b.env.Terminal {
		return
	}
	if total == 0 {
		total = -1 // a spinner with what was done
	}
	if b.bar == nil {
		if b.env.Now().Sub(b.begin) < time.Second {
			return
		}
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.env.Stderr),
			progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowBytes(b.bytes),
			progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(30),
		)
	}
	if total > 0 && b.bar.GetMax64() != total {
		b.bar.ChangeMax64(total) // the log grew
	}
	_ = b.bar.Set64(done)
}

// clear takes the bar away, so that what is printed next stands alone.
func (b *bar) clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
