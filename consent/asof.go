package consent

import "time"

// AsOf picks the part of a history that was true by Valid and known by Known.
type AsOf struct {
	Valid time.Time
	Known time.Time // zero: all that is known
}
