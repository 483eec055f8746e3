package bundle

import "github.com/privetdev/privet/internal/expr"

// A Source is a document that rules rest on.
type Source struct {
	ID, Title string
	Layer     string // law, agreement, instruction, organisation, statement, default
	AsOf      string // the document's own date, YYYY-MM-DD, or "undated"
	Facts     Facts
	SourceTerms
}

// Facts are the ids of the facts of the sources that an entry stands for, such
// as R7; a register of them is how an audit finds the rule for a sentence.
type Facts []string

// A Clause is a condition with a name and the source that says so.
type Clause struct {
	ID, Source string
	When       *expr.Program // environment profile.Policy, result bool; nil: always
	Note       string        // a sentence for the trail
	Facts      Facts
}

// A Purpose is why data is used. See package consent for the meaning of each field.
type Purpose struct {
	Key, Basis, Mechanism, Strength, Assessment, Notice, Text, Source string
	Channels, Signals                                                 []string
	Maps                                                              []Pair
	Facts                                                             Facts
	PurposeTerms
}

// A Pair is a key with a value; lists of pairs are sorted by key.
type Pair struct{ Key, Value string }

// A Class says why data was collected.
type Class struct {
	Key, Source string
	Purposes    []string
	Necessary   bool
	Facts       Facts
}

// A Feature is something that people use and that may be switched off.
type Feature struct {
	Key, Source, Kind, Sync string
	AdminCanDisable         bool
	Purposes                []string
	Categories              []string
	Classes                 []string
	Facts                   Facts
	FeatureTerms
}

// A DataSource is where data comes from, with what it may be used for.
type DataSource struct {
	Key, Source, Parent string
	Purposes            []string
	Categories          []string
	Facts               Facts
	DataSourceTerms
}

// A Requirement asks for a strength of consent where its condition holds.
type Requirement struct {
	Clause
	Strength string
}

// A Residency says where data is stored and from where it is worked on; each
// place is an expression that gives text, nil where nothing is said.
type Residency struct {
	Clause
	StoreIn, StaffIn *expr.Program
}

// A Promotion allows data of some classes to move to another with consent.
type Promotion struct {
	ID, Source, Note string
	From             []string
	To               string
	Kinds            []string // of features it may come from
	Purpose          string   // what the move serves
	Facts            Facts
}

// An Obligation is a duty on what is allowed.
type Obligation struct {
	Clause
	Do, Arg string // Arg: a period, a scope, or empty
	ObligationTerms
}

// A Notice is a version of a text that tells people what happens with data.
type Notice struct {
	ID, Version          string
	Published, Effective int64 // seconds since 1970 UTC; 0: not known
	Material             bool
	NoticeTerms
}

// Gates say what promotion, combination and sharing need: none, consent, explicit.
type Gates struct {
	Promotion, Combination, Share string
	Facts                         Facts
}

// A Transform says what happens to an allowed field that its condition fits.
type Transform struct {
	Clause
	Do  string // keep, drop, redact, pseudonymise, coordinates, bucket, mask, truncate_ip, year, quarter, month, top_code_age, zip3
	Arg int64  // coordinates: decimals; bucket: width; mask: characters kept
}

// Otherwise says what happens where no transform fits.
type Otherwise struct{ Allow, Ask, Deny, Unclassified string }

// A Retention rule; see package retention.
type Retention struct {
	Clause
	Topic, Kind, Strength, Category, Anchor, After, Period, Zone, MonthEnd string
	Class, Region, Purpose                                                 []string
	Terms
}
