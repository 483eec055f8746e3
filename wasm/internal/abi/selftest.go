package abi

import (
	"context"
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/retention"
)

// selfChecks are known answers: what must come out of a module that was built and
// carried here in one piece.
var selfChecks = []struct {
	name string
	ok   func() bool
}{
	// The clocks of Berlin went forward on 29 March 2026, and the month has no 31st.
	{"calendar", func() bool {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			return false
		}
		from := time.Date(2026, 1, 30, 23, 0, 0, 0, time.UTC)
		end, err := retention.Period{Months: 1, Days: 29}.Add(from, berlin, retention.Clamp)
		return err == nil && end.Equal(time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC))
	}},
	{"json", func() bool {
		var d jsondoc.Doc
		if d.Parse(`{"b":[1.50,"\u00e9"],"a":null}`, jsondoc.Limits{}) != nil {
			return false
		}
		return string(d.Append(nil, 0)) == `{"a":null,"b":[1.50,"é"]}`
	}},
	// The first of the golden vectors of construction p1.
	{"pseudonym", func() bool {
		var bytes [pseudonym.SecretSize]byte
		for i := range bytes {
			bytes[i] = byte(i)
		}
		secret, err := pseudonym.NewSecret(bytes[:])
		if err != nil {
			return false
		}
		var store pseudonym.Memory
		if store.Add("contoso", 1, secret) != nil {
			return false
		}
		p, err := pseudonym.New(context.Background(), &store, pseudonym.Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.email"})
		if err != nil {
			return false
		}
		token, err := p.Token(pseudonym.Email("jane@example.com"))
		return err == nil && token.String() == "p1_1_mr2gmpm4xx54sepw4ybzpisseq"
	}},
}

func selftest(dst []byte) ([]byte, Status, error) {
	w := jsondoc.Writer{Buf: dst}
	all := true
	flag := func(name string, ok bool) {
		w.Name(name)
		if ok {
			w.Raw("true")
		} else {
			w.Raw("false")
		}
	}
	w.Open('{')
	w.Name("checks")
	w.Open('{')
	for _, c := range selfChecks {
		ok := c.ok()
		all = all && ok
		flag(c.name, ok)
	}
	w.Close('}')
	flag("ok", all)
	w.Close('}')
	if !all {
		return w.Buf, statusOf(codeSelftest), nil
	}
	return w.Buf, StatusOK, nil
}
