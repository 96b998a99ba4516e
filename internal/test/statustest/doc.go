// Package statustest answers the reads of a status as hosts would: what a test
// says of a service, and that it runs where the test says nothing.
package statustest
