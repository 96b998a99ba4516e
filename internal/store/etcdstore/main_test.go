package etcdstore_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs more tests at a time than there are processors, because they mostly wait for etcd
// and for the end of leases. The flag -parallel overrides this.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("5") // a number is a valid value
	}
	os.Exit(m.Run())
}
