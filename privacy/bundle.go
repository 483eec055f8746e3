package privacy

import (
	"slices"

	"github.com/privetdev/privet/internal/bundle"
)

// A Bundle is a compiled policy. Package privacy/policy makes one from YAML;
// [ReadBundle] reads one from bytes. It is immutable and safe for concurrent use.
type Bundle struct {
	data      []byte
	content   []byte // data without the signature
	signature *bundle.Signature
	b         *bundle.Bundle
}

// Why bytes are not a bundle; [ReadBundle] wraps one of them.
var (
	ErrNotBundle       = bundle.ErrNotBundle
	ErrBundleNewer     = bundle.ErrNewer
	ErrBundleTruncated = bundle.ErrTruncated
	ErrBundleCorrupt   = bundle.ErrCorrupt
	ErrBundleTooLarge  = bundle.ErrTooLarge
)

// ReadBundle reads a bundle as [Bundle.Bytes] gave it. A bundle that was cut
// short, changed, made for a newer version or is no bundle at all is refused with
// an error of its own: [ErrBundleTruncated], [ErrBundleCorrupt], [ErrBundleNewer],
// [ErrNotBundle]. A signature is read and not checked: that is for package
// privacy/signature. Data is copied.
func ReadBundle(data []byte) (*Bundle, error) {
	b, err := bundle.Decode(data)
	if err != nil {
		return nil, err
	}
	data = append([]byte(nil), data...)
	content, signature, err := bundle.Split(data)
	if err != nil {
		return nil, err
	}
	return &Bundle{data, content, signature, b}, nil
}

// Bytes are the bundle's bytes, at most 16 MiB and a signature: the same for the
// same policy text and key on every machine.
func (b *Bundle) Bytes() []byte { return append([]byte(nil), b.data...) }

// Info says which policy a bundle holds.
func (b *Bundle) Info() PolicyInfo {
	return PolicyInfo{Name: b.b.Name, Version: b.b.Version, Fingerprint: bundle.Fingerprint(b.content)}
}

// PolicyInfo names a policy: its name and version as its author wrote them, and
// its fingerprint, the SHA-256 of the bundle in lower-case hex. Equal fingerprints
// mean equal policies. A signature does not count: a policy has one fingerprint,
// signed by whomever or not at all.
type PolicyInfo struct {
	Name        string
	Version     uint64
	Fingerprint string
}

// Sources are the documents that the policy's rules rest on, in the order of the
// policy.
func (b *Bundle) Sources() []Source {
	out := make([]Source, len(b.b.Sources))
	for i, s := range b.b.Sources {
		out[i] = Source{s.ID, s.Title, s.Layer, s.AsOf}
	}
	return out
}

// A Source is a document that rules rest on.
type Source struct {
	ID, Title string
	Layer     string // law, agreement, instruction, organisation, statement or default
	AsOf      string // the document's own date, YYYY-MM-DD, or "undated"
}

// Facts lists, for each fact of the sources that the policy names (such as R7),
// the rules, features and other entries that stand for it, sorted: what an auditor
// looks through to see that nothing was forgotten.
func (b *Bundle) Facts() map[string][]string {
	out := map[string][]string{}
	add := func(kind, id string, facts bundle.Facts) {
		for _, f := range facts {
			out[f] = append(out[f], kind+" "+id)
		}
	}
	clauses := func(kind string, list []bundle.Clause) {
		for i := range list {
			add(kind, list[i].ID, list[i].Facts)
		}
	}
	p := b.b
	for i := range p.Sources {
		add("source", p.Sources[i].ID, p.Sources[i].Facts)
	}
	clauses("applies", p.Applies)
	for i := range p.Purposes {
		add("purpose", p.Purposes[i].Key, p.Purposes[i].Facts)
	}
	for i := range p.Classes {
		add("class", p.Classes[i].Key, p.Classes[i].Facts)
	}
	for i := range p.Features {
		add("feature", p.Features[i].Key, p.Features[i].Facts)
	}
	for i := range p.DataSources {
		add("data source", p.DataSources[i].Key, p.DataSources[i].Facts)
	}
	clauses("prohibition", p.Prohibitions)
	for i := range p.Requirements {
		add("requirement", p.Requirements[i].ID, p.Requirements[i].Facts)
	}
	for i := range p.Residency {
		add("residency", p.Residency[i].ID, p.Residency[i].Facts)
	}
	add("gates", "", p.Gates.Facts)
	for i := range p.Promotions {
		add("promotion", p.Promotions[i].ID, p.Promotions[i].Facts)
	}
	for i := range p.Obligations {
		add("obligation", p.Obligations[i].ID, p.Obligations[i].Facts)
	}
	for i := range p.Duties {
		add("duty", p.Duties[i].ID, p.Duties[i].Facts)
	}
	for i := range p.Recipients {
		add("recipient", p.Recipients[i].ID, p.Recipients[i].Facts)
	}
	for i := range p.Overrides {
		add("override", p.Overrides[i].ID, p.Overrides[i].Facts)
	}
	for i := range p.Transforms {
		add("transform", p.Transforms[i].ID, p.Transforms[i].Facts)
	}
	for i := range p.Retention {
		add("retention", p.Retention[i].ID, p.Retention[i].Facts)
	}
	clauses("withhold", p.Withhold)
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}
