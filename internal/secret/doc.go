// Package secret has a type for texts that must never be printed.
package secret
