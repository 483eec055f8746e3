package bundle

import "github.com/privetdev/privet/internal/expr"

// A Classification is what a classifier runs on: taxonomy, rules, detectors.
// Shares of one (confidences) are in thousandths.
type Classification struct {
	Categories []Category
	Rules      []Rule
	Detectors  []Detector
	Suppress   []Suppress
	Adjust     []Adjust
	// Threshold is the confidence below which a finding is kept for explanation
	// but not reported; 400 unless the policy says otherwise.
	Threshold uint16
}

// A Category is a node of the taxonomy. Its parent is the key up to the last dot.
type Category struct {
	Key       string
	ISO19944  string // clause of ISO/IEC 19944-1, or ""
	Qualifier string // how identifiable such data is as collected: identified, pseudonymized, …; "" inherits
	Title     string
}

// A Rule asserts a category of a field when its condition holds.
type Rule struct {
	ID         string // with the rule file's name in front, such as builtin/email-name
	Category   string
	Confidence uint16
	When       *expr.Program // environment profile.Field, result bool
}

// A Detector finds spans in values and in free text.
type Detector struct {
	ID       string
	Category string
	Pattern  string // RE2; matched without regard to case, dot matches newline
	// Literal case: the pattern says itself what it folds.
	CaseSensitive bool
	Check         *expr.Program // environment profile.Match, result bool; nil: no check
	Context       []string      // lower-case words and phrases
	// Confidence of the bare shape, after a check that held, and what context adds.
	// A check that fails takes the finding away.
	Base, Checked, Boost uint16
	Countries            []string // ISO 3166-1 alpha-2, lower case; none: everywhere
	Floor                uint16   // a threshold of its own and one, so that 0 is none
	Muted                bool     // finds only what an expression asks for
}

// An Adjust makes findings surer or less sure.
type Adjust struct {
	ID        string
	Detectors []string      // which; none: all
	When      *expr.Program // environment profile.Match, result bool
	Add       int16         // to the confidence, in thousandths
	Reason    string
}

// A Suppress takes findings away; nothing else does.
type Suppress struct {
	ID        string
	Detectors []string      // which; none: all
	When      *expr.Program // environment profile.Match, result bool
	Reason    string
}
