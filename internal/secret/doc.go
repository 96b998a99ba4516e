// Package secret defines a type for texts that must never be printed.
package secret
