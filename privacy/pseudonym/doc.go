// Package pseudonym replaces identifiers by keyed pseudonyms that join inside
// one scope only, and generalises values that have to stay readable.
//
// Start with a store of secrets ([Memory], the encrypted file of package secretfile, or
// your own [SecretStore]), make a [Pseudonymiser] for a [Scope] with [New], and ask it
// for tokens:
//
//	p, err := pseudonym.New(ctx, secrets, pseudonym.Scope{
//		Tenant: "contoso", Purpose: "analytics", Category: "user.contact.email"})
//	token, err := p.Token(pseudonym.Email("jane@example.com")) // p1_1_…
//
// Equal values of one type give equal tokens inside one tenant, purpose,
// category and secret version. If any of these differs, the tokens are
// unrelated.
//
// What there is, by what it leaves behind:
//
//   - p1_…: [Pseudonymiser], one way, joins inside a scope ([New], [NewEpochs], [Relink])
//   - s1_…: [Subjects], the same, and erasable for one person ([NewSubjects])
//   - v1_…: [Reversible], to be read again by who has the secret ([NewReversible])
//   - r1_…: random, of no value at all ([RandomToken])
//   - dates moved by days of each person's own ([NewDateShift])
//   - coarser values, in the clear: [Mask], [TruncateIP], [RoundCoordinate], [DateToYear],
//     [TopCodeAge], [ZIP3], [Bucket] and others
//
// Each says how far its result is from a person ([Class], [Linkability]). Whether a
// whole release singles anyone out is a question for package risk.
//
// # Pseudonymous, not anonymous
//
// A token is pseudonymous, not anonymous. Whoever may ask for tokens can ask for
// the token of a guess and compare; whoever holds the secret can do so for every
// phone number there is. Tokenised data therefore stays personal data
// ([Linkable]) and keeps its retention rule for as long as the secret exists,
// and even afterwards the columns beside the token may single a person out.
//
// # Construction p1
//
// Written so that another program can be built from it; || joins, numbers are
// big-endian.
//
//	secret   32 random bytes for each tenant and version, stored, never derived
//	lp(s)    uint32(len(s)) || s
//	info     "privacy/pseudonym/v1" 00 || lp(tenant) || lp(purpose) || lp(category) || uint32(version)
//	K        HKDF-SHA256(secret, salt: none, info, 32 bytes)               RFC 5869
//	mac      HMAC-SHA256(K, type byte || canonical value)                  RFC 2104
//	id       the first 16 bytes of mac; 12 to 32 by [WithIDLength]
//	token    "p1_" || base36(version) || "_" || base32(id), lower case, no padding
//	uuid     the first 16 bytes of mac as UUIDv8 (RFC 9562): 122 bits are left
//
// Length prefixes keep ("ab", "c") apart from ("a", "bc"); the type byte keeps an
// address given as [Text] apart from the same address given as [Email].
//
// A token made with v1 of this package means the same in every later v1: neither
// the construction nor a canonical form ever changes under its type byte.
//
// # Erasable person by person: s1
//
// [Subjects] makes tokens that depend on a secret of the person as well. It lies in a
// row of a [SubjectStore]; when the row is deleted, nobody makes that person's tokens
// again, not even the holder of the tenant's secret.
//
//	row      found by the p1 token of the person's identifier under purpose "_subject-index"
//	K'       HKDF-SHA256(secret, salt: none, info, 32 bytes) with label "privacy/pseudonym/v1/subject"
//	Ks       HMAC-SHA256(K', subject secret of 32 random bytes)
//	mac      HMAC-SHA256(Ks, type byte || canonical value)
//	token    "s1_" and then as for p1
//
// The label keeps K' from ever being a key or an output of p1.
//
// # To be read again: v1, and texts that keep their form
//
// [Reversible] encrypts the type and the canonical value, so that equal values still give
// equal texts inside a scope. Seal is AES-SIV (RFC 5297), which tells its version and
// refuses what was changed; Encipher is FF1 (NIST SP 800-38G rev. 1) on at least 10^6
// texts, which keeps length and alphabet and can tell neither.
//
//	sealed   "v1_" || base36(version) || "_" || base32(synthetic IV || ciphertext)
//	random   "r1_" || base32(16 random bytes): no key, no value ([RandomToken])
//
// # Labels
//
// What is derived from one secret differs in the label that info begins with:
//
//	privacy/pseudonym/v1          p1, 32 bytes
//	privacy/pseudonym/v1/subject  s1, 32 bytes
//	privacy/pseudonym/v1/siv      Seal, 64 bytes; info is the associated data
//	privacy/pseudonym/v1/ff1      Encipher, 32 bytes; 16 bytes of SHA-256(info) are the tweak
//	privacy/pseudonym/v1/shift    DateShift, 32 bytes
//	privacy/pseudonym/v1/kcv      Check, 8 bytes, which may be shown
//
// # Joining for a day: epochs
//
// [Epochs] makes p1 tokens whose version is the number of the day in UTC, floor(unix time /
// 86400), or of another period. Each day has a random secret; only today's and
// yesterday's are kept, so that a visit can be followed across midnight and nothing joins
// after that.
//
// # Rotation and destruction
//
// A new version of a secret is for new tokens; [Pseudonymiser.Candidates] gives the
// tokens under all live versions for look-ups, and [Pseudonymiser.Retoken] replaces an
// old token where the value is at hand. Two purposes are joined by [Relink] only, with
// both secrets, a permission, and a record.
//
// A secret is destroyed at once, or planned with [Memory.DestroyPending] and called off
// before it is due; [Holds] forbid it. What stays is a tombstone ([Status]): time, actor,
// reason and a check value, by which the secret can be recognised in a backup. A
// destruction is complete when the last copy is gone ([Status.Complete]). Package
// secretfile keeps all of that in an encrypted file.
//
// # Canonical values
//
// What counts as the same value is part of the identity, so values are typed. A
// value that has no canonical form is refused with a [*ValueError] and never
// hashed as it stands. So is an empty one, one whose canonical form is longer
// than [MaxValue], and one that this package made already, a token, sealed text or random
// token ([TokenPattern], [SealedPattern], [RandomPattern]), because that is how data gets
// pseudonymised twice without anybody noticing.
//
//	01 Bytes      as is
//	02 Text       valid UTF-8, as is
//	03 Email      trimmed (space, tab, CR, LF), one @ with text on both sides, A-Z lowered
//	04 EmailUID2  03, and at gmail.com no dots and no +suffix in the local part
//	05 Phone      + and 8 to 15 digits
//	06 UUID       16 bytes
//	07 Int        int64
//	08 IP         16 bytes, IPv4 as ::ffff:a.b.c.d
//	09 IPPrefix   length in bits of the 16-byte form (IPv4 /24 is 120) || masked 16 bytes
//	0A Date       YYYY-MM-DD, a day of the calendar
//	0B Composite  number of parts (1 byte) || lp(type || canonical) of each part
//
// # Length and collisions
//
// Among n different values in one scope, two share an id of b bits with a
// probability of about n²/2^(b+1).
//
//	bytes  bits   n = 10^6   10^9      10^12     n for one in a million
//	12     96     6.3e-18    6.3e-12   6.3e-6    4.0e11
//	uuid   122    9.4e-26    9.4e-20   9.4e-14   3.3e15
//	16     128    1.5e-27    1.5e-21   1.5e-15   2.6e16   (default)
//	20     160    3.4e-37    3.4e-31   3.4e-25   1.7e21
//
// Fewer than 12 bytes are not offered: 64 bits collide with 2.7 % at 10^9 values,
// and a pseudonym that two people share is a wrong statement about both.
//
// # Whom it protects against, and whom not
//
//   - Someone with the tokens of one scope learns no identity, only equality and
//     frequency. Frequency leaks from every deterministic pseudonym: suppress rare
//     and very common values if that matters.
//   - Someone with the tokens of two scopes cannot join them on the tokens.
//   - Someone with all data but no secrets is no better off. Keep the store of
//     secrets away from the store of data.
//   - Someone who may call [Pseudonymiser.Token] freely can confirm guesses. That
//     call is a privilege: limit it and keep a record of it.
//   - Once a secret is destroyed in every copy, its tokens can no longer be led
//     back to identifiers, not even by guessing, because nothing that survives
//     can derive it again. Records with equal tokens stay linked to each other.
//   - Memory of the running process is not protected. Go cannot promise that a key
//     is gone from memory.
//
// There is no unkeyed hash here, and none can be configured: the whole space of
// IPv4 addresses or phone numbers can be hashed in minutes on one core, so a hash
// without a secret hides neither.
package pseudonym
