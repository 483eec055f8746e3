package peers

import "strings"

// The floor: the twenty rules as somebody would write them who has an afternoon, no
// rule files and no intention of changing them. Names are split at the separators and
// looked up in a switch; values are dispatched by what they begin with. It folds case
// in ASCII only, where (?i) also takes the Kelvin sign for a k and ſ for an s.

const (
	email = iota
	phone
	username
	fullName
	nationalID
	card
	iban
	ip
	mac
	cookie
	address
	geo
	birthDate
	gender
	health
	religion
	ethnicity
	biometric
	secret
	plate
)

// floorOf is the rules that hold, as bits.
func floorOf(name, value string) uint32 { return nameBits(name) | valueBits(value) }

func nameBits(name string) (bits uint32) {
	var buf, nextBuf [16]byte
	start := 0
	for {
		end := separator(name, start)
		seg := lower(buf[:0], name[start:end])
		bits |= wordBits(string(seg))
		if end == len(name) {
			return bits
		}
		if name[end] == '_' {
			next := lower(nextBuf[:0], name[end+1:separator(name, end+1)])
			bits |= pairBits(string(seg), string(next))
		}
		start = end + 1
	}
}

func separator(s string, from int) int {
	for from < len(s) && s[from] != '_' && s[from] != '.' && s[from] != '-' {
		from++
	}
	return from
}

// lower folds a segment; one that is longer than every word is none.
func lower(buf []byte, s string) []byte {
	if len(s) > 16 {
		return buf
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

func wordBits(w string) uint32 {
	switch w {
	case "email", "mail", "emailaddr", "emailaddress":
		return 1 << email
	case "phone", "mobile", "msisdn", "tel":
		return 1 << phone
	case "user", "username", "login", "nick", "nickname":
		return 1 << username
	case "firstname", "lastname", "fullname", "surname", "givenname":
		return 1 << fullName
	case "ssn", "nin", "nationalid", "taxid":
		return 1 << nationalID
	case "card", "cardno", "cardnum", "cardnumber", "pan", "cc":
		return 1 << card
	case "iban", "bankaccount":
		return 1 << iban
	case "ip", "ipaddr", "ipaddress", "remoteaddr":
		return 1 << ip
	case "mac", "macaddr", "macaddress":
		return 1 << mac
	case "cookie", "sessionid", "gclid", "fbclid":
		return 1 << cookie
	case "street", "addr", "address", "addrline", "addressline", "postcode", "zip":
		return 1 << address
	case "lat", "latitude", "lon", "longitude", "geo":
		return 1 << geo
	case "dob", "birth", "birthdate", "birthday":
		return 1 << birthDate
	case "gender", "sex":
		return 1 << gender
	case "diagnosis", "icd1", "icd10", "bloodtype", "allergy", "allergies":
		return 1 << health
	case "religion", "faith":
		return 1 << religion
	case "ethnic", "ethnicity", "race":
		return 1 << ethnicity
	case "fingerprint", "faceid", "iris", "voiceprint":
		return 1 << biometric
	case "pass", "password", "passwd", "secret", "apikey", "token":
		return 1 << secret
	case "vin", "licenseplate", "licenceplate":
		return 1 << plate
	}
	return 0
}

// pairBits are the rules about two words of which the first alone says nothing.
func pairBits(a, b string) uint32 {
	switch b {
	case "name":
		switch a {
		case "first", "last", "full", "sur", "given":
			return 1 << fullName
		}
	case "id":
		switch a {
		case "national", "tax":
			return 1 << nationalID
		case "session":
			return 1 << cookie
		case "face":
			return 1 << biometric
		}
	case "account":
		if a == "bank" {
			return 1 << iban
		}
	case "addr":
		if a == "remote" {
			return 1 << ip
		}
	case "code":
		if a == "post" {
			return 1 << address
		}
	case "type":
		if a == "blood" {
			return 1 << health
		}
	case "print":
		if a == "voice" {
			return 1 << biometric
		}
	case "key":
		if a == "api" {
			return 1 << secret
		}
	case "plate":
		if a == "license" || a == "licence" {
			return 1 << plate
		}
	}
	return 0
}

func digit(c byte) bool   { return c >= '0' && c <= '9' }
func capital(c byte) bool { return c >= 'A' && c <= 'Z' }
func letter(c byte) bool  { return capital(c) || c >= 'a' && c <= 'z' }

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return n
}

func valueBits(v string) (bits uint32) {
	if len(v) < 6 { // the shortest is a mail address
		return 0
	}
	if isEmail(v) {
		bits |= 1 << email
	}
	c := v[0]
	if digit(c) || c == '+' {
		if isPhone(v) {
			bits |= 1 << phone
		}
	}
	if digit(c) {
		switch {
		case len(v) == 11 && isShape(v, "ddd-dd-dddd"):
			bits |= 1 << nationalID
		case len(v) == 10 && isShape(v, "dddd-dd-dd") && (v[:2] == "19" || v[:2] == "20") && v[5] <= '1' && v[8] <= '3':
			bits |= 1 << birthDate
		}
		if isCard(v) {
			bits |= 1 << card
		}
		if isIP(v) {
			bits |= 1 << ip
		}
	}
	if capital(c) && isIBAN(v) {
		bits |= 1 << iban
	}
	if len(v) == 17 {
		if isMAC(v) {
			bits |= 1 << mac
		}
		if isVIN(v) {
			bits |= 1 << plate
		}
	}
	if (digit(c) || c == '-') && isGeo(v) {
		bits |= 1 << geo
	}
	if (c == 's' || c == 'p' || c == 'g' || c == 'x') && isSecret(v) {
		bits |= 1 << secret
	}
	return bits
}

func isShape(v, shape string) bool {
	for i := range len(shape) {
		if shape[i] == 'd' && !digit(v[i]) || shape[i] != 'd' && v[i] != shape[i] {
			return false
		}
	}
	return true
}

func isEmail(v string) bool {
	at := strings.IndexByte(v, '@')
	if at < 1 {
		return false
	}
	for i := range at {
		if c := v[i]; !letter(c) && !digit(c) && c != '.' && c != '_' && c != '%' && c != '+' && c != '-' {
			return false
		}
	}
	host := v[at+1:]
	dot := strings.LastIndexByte(host, '.')
	if dot < 1 || len(host)-dot < 3 {
		return false
	}
	for i := range dot {
		if c := host[i]; !letter(c) && !digit(c) && c != '.' && c != '-' {
			return false
		}
	}
	for i := dot + 1; i < len(host); i++ {
		if !letter(host[i]) {
			return false
		}
	}
	return true
}

func isPhone(v string) bool {
	v = strings.TrimPrefix(v, "+")
	if len(v) < 8 || len(v) > 18 || !digit(v[0]) {
		return false
	}
	for i := 1; i < len(v); i++ {
		switch c := v[i]; {
		case digit(c), c == ' ', c == '(', c == ')', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}

func isCard(v string) bool {
	for range 3 {
		if len(v) < 5 || digits(v[:4]) < 4 {
			return false
		}
		if v = v[4:]; v[0] == ' ' || v[0] == '-' {
			v = v[1:]
		}
	}
	n := digits(v)
	return n == len(v) && n >= 1 && n <= 7
}

func isIP(v string) bool {
	for part := range 4 {
		n := digits(v)
		if n < 1 || n > 3 {
			return false
		}
		if v = v[n:]; part == 3 {
			return v == ""
		}
		if v == "" || v[0] != '.' {
			return false
		}
		v = v[1:]
	}
	return false
}

func isIBAN(v string) bool {
	if len(v) < 15 || len(v) > 34 || !capital(v[1]) || !digit(v[2]) || !digit(v[3]) {
		return false
	}
	for i := 4; i < len(v); i++ {
		if !capital(v[i]) && !digit(v[i]) {
			return false
		}
	}
	return true
}

func isMAC(v string) bool {
	for i := range len(v) {
		c := v[i]
		if i%3 == 2 {
			if c != ':' {
				return false
			}
		} else if !digit(c) && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isVIN(v string) bool {
	for i := range len(v) {
		if c := v[i]; !digit(c) && (!capital(c) || c == 'I' || c == 'O' || c == 'Q') {
			return false
		}
	}
	return true
}

func isGeo(v string) bool {
	for part := range 2 {
		v = strings.TrimPrefix(v, "-")
		n := digits(v)
		if n < 1 || n > 3 || n == len(v) || v[n] != '.' {
			return false
		}
		v = v[n+1:]
		if n = digits(v); n < 3 {
			return false
		}
		if v = v[n:]; part == 1 {
			return v == ""
		}
		if v == "" || v[0] != ',' {
			return false
		}
		v = strings.TrimPrefix(v[1:], " ")
	}
	return false
}

func isSecret(v string) bool {
	var rest string
	switch {
	case strings.HasPrefix(v, "sk"), strings.HasPrefix(v, "pk"):
		rest = v[2:]
	case strings.HasPrefix(v, "ghp"):
		rest = v[3:]
	case strings.HasPrefix(v, "xoxb"), strings.HasPrefix(v, "xoxp"):
		rest = v[4:]
	default:
		return false
	}
	if len(rest) < 17 || rest[0] != '_' && rest[0] != '-' {
		return false
	}
	for i := 1; i < len(rest); i++ {
		if c := rest[i]; !letter(c) && !digit(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
