package etcdconn

import (
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// First is the first key in response i of a transaction, or an empty KeyValue if there is none.
func First(resp *clientv3.TxnResponse, i int) *KeyValue {
	if kvs := resp.Responses[i].GetResponseRange().Kvs; len(kvs) > 0 {
		return kvs[0]
	}
	return &KeyValue{}
}

// FirstKV is the first key in a response, or an empty KeyValue if there is none.
func FirstKV(resp *clientv3.GetResponse) *KeyValue {
	if len(resp.Kvs) > 0 {
		return resp.Kvs[0]
	}
	return &KeyValue{}
}

// Alarmed reports whether a member has raised an alarm. etcd lists its alarms in the error texts of
// its status, by their protocol names.
func Alarmed(st *clientv3.StatusResponse, a pb.AlarmType) bool {
	return slices.ContainsFunc(st.Errors, func(text string) bool { return strings.Contains(text, a.String()) })
}
