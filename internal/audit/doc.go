// Package audit has the records of the audit trail, their canonical encoding, the chain that
// makes tampering detectable, and the offline verification.
package audit
