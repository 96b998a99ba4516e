package archive

import "time"

// Later moves the archive's clock ahead, so that every file looks old enough for its index to be
// kept.
func (a *Archive) Later() { a.now = func() time.Time { return time.Now().AddDate(100, 0, 0) } }

// StopClock stops the archive's clock. The index of a file that is written later is not kept,
// because the file looks too new.
func (a *Archive) StopClock() {
	stopped := time.Now()
	a.now = func() time.Time { return stopped }
}

// Indexed returns the number of indexes in memory.
func (a *Archive) Indexed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.known)
}

// Mistake makes the archive treat a segment's changed file as the file from which the index was
// made.
func (a *Archive) Mistake(path string) error {
	file, err := identify(path)
	if err == nil {
		a.known[path] = known{file, a.known[path].index}
	}
	return err
}
