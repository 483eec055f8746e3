package privacy

import (
	"time"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/retention"
)

// The readers of this file are called for events and for plans. Put in line in both
// places they would make the guest 10 KB larger.

//go:noinline
func (d *decoder) instants(i int32, part string) (out map[retention.Anchor]time.Time) {
	d.members(i, part, maxEntries, func(k string, c int32) {
		if out == nil {
			out = map[retention.Anchor]time.Time{}
		}
		out[retention.Anchor(k)] = d.time(c, part)
	})
	return out
}

// holds reads holds; what they must say is checked by package retention.
//
//go:noinline
func (d *decoder) holds(i int32) (out []retention.Hold) {
	d.items(i, "holds", func(c int32) {
		var h retention.Hold
		d.members(c, "holds", maxList, func(key string, c int32) {
			switch key {
			case "id":
				h.ID = d.str(c, "holds.id")
			case "reason":
				h.Reason = d.str(c, "holds.reason")
			case "authority":
				h.Authority = d.str(c, "holds.authority")
			case "scope":
				h.Scope = retention.Selector(d.str(c, "holds.scope"))
			case "placed":
				h.Placed = d.time(c, "holds.placed")
			case "released":
				h.Released = d.time(c, "holds.released")
			case "effect":
				var err error
				if h.Effect, err = retention.ParseEffect(d.str(c, "holds.effect")); err != nil {
					d.fail(c, "holds.effect", "not an effect", "write suspend, restart or toll")
				}
			default:
				d.unknown(c, "holds", "id reason authority scope placed released effect")
			}
		})
		out = append(out, h)
	})
	return out
}

// erasure reads a request for erasure; null is none.
//
//go:noinline
func (d *decoder) erasure(i int32) *retention.Erasure {
	if d.doc.Nodes[i].Kind == jsondoc.Null {
		return nil
	}
	e := new(retention.Erasure)
	d.members(i, "erasure", maxList, func(key string, c int32) {
		switch key {
		case "id":
			e.ID = d.str(c, "erasure.id")
		case "source":
			e.Source = d.str(c, "erasure.source")
		case "at":
			e.At = d.time(c, "erasure.at")
		case "scope":
			e.Scope = retention.Selector(d.str(c, "erasure.scope"))
		default:
			d.unknown(c, "erasure", "id source at scope")
		}
	})
	return e
}
