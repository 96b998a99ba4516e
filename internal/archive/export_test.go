package archive

import "time"

// Later makes every file look old enough for its index to be kept.
func (a *Archive) Later() { a.now = func() time.Time { return time.Now().AddDate(100, 0, 0) } }

// StopClock makes every file that is written from now on look too new for its index to be kept.
func (a *Archive) StopClock() {
	stopped := time.Now()
	a.now = func() time.Time { return stopped }
}

// Indexed is the number of indexes that are kept.
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
