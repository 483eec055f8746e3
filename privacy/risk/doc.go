// Package risk answers whether a set of records still singles people out: how
// small its classes are, how much a class gives away, how far columns must be
// generalised, and how near the release as a whole is to a person.
//
// Start with [ReadCSV] or [FromRows], group the rows by the columns that somebody
// outside may know (quasi-identifiers) with [Table.Classes], and check:
//
//	table, err := risk.ReadCSV(file, risk.CSV{Columns: []string{"age", "sex", "zip", "disease"}})
//	classes, err := table.Classes("age", "sex", "zip")
//	reports, err := classes.Check(risk.KAnonymity(5), risk.DistinctLDiversity("disease", 2))
//
// [Table.Search] finds the full-domain generalisation with the least loss that
// meets the same criteria; [Assess] judges a release with its pseudonyms.
//
// # What the measures say, and what they do not
//
//   - k-anonymity (Samarati and Sweeney, "Protecting privacy when disclosing
//     information", SRI-CSL-98-04, 1998): each row has at least k-1 others that are
//     equal in the quasi-identifiers. It says nothing about the other columns.
//   - l-diversity (Machanavajjhala, Gehrke, Kifer, Venkitasubramaniam, ICDE 2006):
//     each class has at least l sensitive values, counted (distinct) or as
//     exp(entropy).
//   - t-closeness (Li, Li, Venkatasubramanian, ICDE 2007): in no class is the
//     distribution of the sensitive column farther than t from that of the table, as
//     earth mover's distance.
//
// All three hold for the quasi-identifiers that were named, for one release, and for
// rows that are about different people. A column that was forgotten, a second
// release of the same people, or several rows about one person (see [Assess]) undo
// them.
//
// # Nothing leaks
//
// Errors, reports and the types of this package print names of columns, numbers of
// rows and counts, never a value. Values come out of [Class.Values], [Table.Value]
// and [Table.WriteCSV] only.
//
// Tables, classes, hierarchies, criteria and reports do not change once made and are
// safe for concurrent use.
package risk
