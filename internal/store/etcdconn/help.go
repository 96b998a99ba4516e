package etcdconn

import (
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// First is the first key of answer i of a transaction, an empty one where there is
// none.
func First(resp *clientv3.TxnResponse, i int) *KeyValue {
	if kvs := resp.Responses[i].GetResponseRange().Kvs; len(kvs) > 0 {
		return kvs[0]
	}
	return &KeyValue{}
}

// FirstKV is the first key of an answer, an empty one where there is none.
func FirstKV(resp *clientv3.GetResponse) *KeyValue {
	if len(resp.Kvs) > 0 {
		return resp.Kvs[0]
	}
	return &KeyValue{}
}

// Alarmed says whether a member has raised an alarm. etcd tells of alarms in
// the texts of its status, in which their protocol names stand.
func Alarmed(st *clientv3.StatusResponse, a pb.AlarmType) bool {
	return slices.ContainsFunc(st.Errors, func(text string) bool { return strings.Contains(text, a.String()) })
}
