// Package batch joins requests that arrive close together into one call.
package batch
