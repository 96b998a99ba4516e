package card

// Asking stands where a cluster's board will be, while its hosts are asked.
func Asking(cluster string) Card {
	what := cluster + " · asking its hosts …"
	return Card{Push: what, Head: Line{T("⚪ "), B(what)}}
}
