package detect

// Registered reports whether s is a domain name below a top level that exists.
func Registered(s string) bool { return Domain(s) }
