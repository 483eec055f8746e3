package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/retention"
)

// A Certificate says which copies of a record are gone, and why they had to go.
type Certificate struct {
	ID      string    // a key of the caller
	Subject string    // a pseudonym, see [IsPseudonym]
	Issued  time.Time // when; no clock is read
	Issuer  string    // a key: who says so
	Policy  string    // a key: which version of the rules; "" = not said
	// OutOfReach names what lies outside the control of the issuer, such as an extract
	// that the customer took. It is not deleted, and not said to be.
	OutOfReach []string

	Plan   *retention.Plan // made with Input.Explain, so that it has its trail
	Report Report          // of the same plan
}

var (
	// ErrCertificate reports a certificate that lacks something.
	ErrCertificate = errors.New("audit: certificate: needs an id, an issuer, an instant, a pseudonym, a plan with its trail, and keys of letters, digits, '_', '-', '.', '/' and ':'")
	// ErrNothingGone reports a certificate without any removal.
	ErrNothingGone = errors.New("audit: certificate: no copy was reported as removed: there is nothing to certify")
	// ErrTampered reports a certificate whose text is not what was issued.
	ErrTampered = errors.New("audit: certificate: its digest does not fit: it was changed, or is none")
)

const digestKey = `,"verify_sha256":"`

// AppendJSON appends the certificate as one JSON object: certificate (its version,
// 1), complete (true if every copy of the report is gone), copies, id, issued, issuer,
// out_of_reach, plan with the trail, policy, subject, and verify_sha256, the digest of all
// bytes before its own comma, in hex. The digest finds accidents, and is what to sign:
// it proves no issuer.
func (c *Certificate) AppendJSON(dst []byte) ([]byte, error) {
	if !key(c.ID, "_-./:") || !key(c.Issuer, "_-./:") || c.Policy != "" && !key(c.Policy, "_-./:") || !IsPseudonym(c.Subject) ||
		c.Issued.IsZero() || c.Issued.Year() < 1 || c.Issued.Year() > 9999 || c.Plan == nil || len(c.Plan.Trail) == 0 || !c.Report.At.Equal(c.Plan.Now) {
		return dst, ErrCertificate
	}
	gone := 0
	for i := range c.Report.Findings {
		if !c.Report.Findings[i].Removed.IsZero() {
			gone++
		}
	}
	if gone == 0 {
		return dst, ErrNothingGone
	}
	from := len(dst)
	var w jsondoc.Writer
	w.Open('{')
	w.Name("certificate")
	w.Raw("1")
	w.Name("complete")
	w.Raw(map[bool]string{true: "true", false: "false"}[gone == len(c.Report.Findings)])
	w.Name("copies")
	w.Open('[')
	for i := range c.Report.Findings {
		f := &c.Report.Findings[i]
		w.Open('{')
		w.Name("breach")
		w.Raw(map[bool]string{true: "true", false: "false"}[f.Breach])
		w.Name("copy")
		w.String(f.Copy.String())
		if f.By > 0 {
			w.Name("difference")
			w.String(retention.Period{Exact: f.By / time.Second * time.Second}.String())
		}
		text(&w, "earliest", stamp(f.Earliest))
		text(&w, "latest", stamp(f.Latest))
		text(&w, "method", f.With.String())
		text(&w, "method_required", f.Method.String())
		text(&w, "removed", stamp(f.Removed))
		w.Name("verdict")
		w.String(f.Verdict.String())
		w.Close('}')
	}
	w.Close(']')
	text(&w, "id", c.ID)
	text(&w, "issued", stamp(c.Issued))
	text(&w, "issuer", c.Issuer)
	if len(c.OutOfReach) > 0 {
		w.Name("out_of_reach")
		w.Open('[')
		for _, s := range c.OutOfReach {
			if !key(s, "_-./:") {
				return dst, ErrCertificate
			}
			w.String(s)
		}
		w.Close(']')
	}
	w.Name("plan")
	w.Append(c.Plan.AppendJSON)
	text(&w, "policy", c.Policy)
	text(&w, "subject", c.Subject)
	dst = append(dst, w.Buf...)
	sum := sha256.Sum256(dst[from:])
	dst = append(dst, digestKey...)
	return append(hex.AppendEncode(dst, sum[:]), `"}`...), nil
}

func text(w *jsondoc.Writer, name, v string) {
	if v != "" {
		w.Name(name)
		w.String(v)
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Verify reports whether the text of a certificate is the one that was issued. The
// error is [ErrTampered].
func Verify(certificate []byte) error {
	s := string(certificate)
	i := strings.LastIndex(s, digestKey)
	if i < 0 || len(s) != i+len(digestKey)+64+2 || !strings.HasSuffix(s, `"}`) {
		return ErrTampered
	}
	sum := sha256.Sum256(certificate[:i])
	if hex.EncodeToString(sum[:]) != s[i+len(digestKey):len(s)-2] {
		return ErrTampered
	}
	return nil
}
