// Package etcdstore stores the bot's state in etcd: embedded in the process
// without any listener, or an external cluster for several replicas. It
// implements engine.Runs and engine.Members, audit.Log, publish.Posts and the
// claims of deliveries.
//
// # The key map
//
// All keys have a prefix, "dhbot/v1/" by default; v1 is the version of this
// map. Values are JSON with a version field unless noted otherwise.
//
//	run/ID            engine.Run (field v). Written by Commit; Archive moves it
//	                  away long after its end, with ended/ and post/.
//	open/ID           empty. Exists while the run has not ended. Commit.
//	ended/INVERTED/ID empty. INVERTED is 9999999999999 minus the end in Unix
//	                  milliseconds, 13 digits: the newest end first. Commit.
//	id/ID             empty. The id was used. Commit. Never deleted, so that a
//	                  new run never has the id of an old one.
//	lock/NAME         {v,run,reason,since}: held by a run, not by a process, and
//	                  without a lease. Commit.
//	claim/KEY         {v,state,replica,at,payload}: a delivery. Its state is
//	                  "accepted", or "handled", then without payload. Claim creates
//	                  it; Settle, Append and Commit change it once. An ambiguous
//	                  claim becomes handled, see ambiguousClaims. Swept KeepClaims
//	                  after it was handled; an accepted claim is swept only if it
//	                  does not count (see openClaim).
//	rotating/KEY      a claim during a rotation of the state's key, signed for
//	                  claim/KEY. Rotate.
//	rec/ID/SEQ        audit.Canonical of a run's record, not sealed yet; SEQ has
//	                  8 digits. Commit; deleted by the sealer.
//	rec/~/RND/SEQ     the same for a record without a run; RND is random for each
//	                  process, SEQ counts its records. Append; the sealer.
//	trail/LAST        sealed entries, one audit.CanonicalEntry a line; LAST is
//	                  the number of the last one, 16 digits. The sealer; Archive
//	                  deletes it once it is archived and posted.
//	head              audit.CanonicalEntry of the newest sealed entry. The sealer.
//	checkpoint        {v,size,parts,note,before}: the hash tree of the sealed entries,
//	                  its signed head as a note, and the note before. Only with a
//	                  key. Written with each chunk.
//	install           {v,witnesses}, signed with the epoch: to which key this state
//	                  belongs, and which witnesses have ever received a head. Only
//	                  with a key. Written when an epoch begins, when a new witness
//	                  has a head, and by Rotate; each Commit and each chunk require
//	                  that it has not changed.
//	replica/NAME      {v,pid,host,since,clock,config,leaving}, signed, with a lease: the
//	                  replica is alive. clock is its own time, updated with every
//	                  renewal; leaving means that it is stopping. Written by the
//	                  replica; every Commit requires that it still owns the key.
//	maintenance/CLUSTER/PROCESS/HOST
//	                  {v,from,until,by,reason,waits,approver,origin}: announced
//	                  maintenance, in Unix milliseconds. HOST is * for every host;
//	                  PROCESS is * for a maintenance window, and only a window has the
//	                  last three fields. SetMaintenance replaces it; EndMaintenance
//	                  deletes it.
//	watch/follow/CLUSTER/PROCESS/HOST/CHANNEL/THREAD
//	                  incident.Follow (field v): a person's watch, until its end was
//	                  posted; - for an empty part. SetWatchState requires the
//	                  revision that it replaces.
//	watch/cluster/NAME
//	                  incident.Cluster (field v): the state of the background
//	                  monitoring of a cluster, with its incidents. SetWatchState.
//	watch/handling/CLUSTER/INCIDENT
//	                  incident.Handling (field v), signed: owner, mute, and messages
//	                  that are not yet posted in the thread.
//	watch/escalation/CLUSTER/SUBJECT/STAGE
//	                  a stage of an escalation, signed: claimed before it happens,
//	                  deleted when its incident or request is over.
//	watch/ended/CLUSTER/INCIDENT
//	                  an incident whose end was posted, signed. It is kept for half an
//	                  hour: its card is edited again if an old form has overwritten it.
//	watch/overtaken/CLUSTER/INCIDENT
//	                  {v}, signed: the card of this incident may show an old form; the leader edits the card.
//	leader/trail      name of the replica that seals, archives and sweeps, with its
//	                  lease.
//	leader/work       name of the replica that posts and resumes deliveries of dead
//	                  replicas, with its lease. Lead; SetPost requires it.
//	heard             decimal Unix milliseconds: when a replica last received an event
//	                  from Slack. SetLastHeard.
//	echo              RoundTrip: the round trip through Slack. Written by SaveRoundTrip.
//	post/ID           publish.Post: the message that shows a run. SetPost.
//	thread/ID         {v,channel,ts,linked}: the thread of the run's records in the
//	                  audit channel. SetThread; Archive deletes it with the run.
//	posted            decimal number of the last posted trail entry. SetTrailPosted.
//
// # The order of the trail
//
// A record is written in the transaction of its change, under its own key, so
// that writers never wait for each other. The sealer reads the pending records,
// sorts them by the revision that wrote them and then by key, chains them to
// head, and replaces them by one chunk under trail/. Its transaction requires
// that head has not moved. So every record is sealed exactly once, whichever
// replica seals.
//
// # Guarantees
//
// Each call has a deadline. If etcd does not answer in time, or answers with an
// error, the call returns engine.ErrStoreDown, and may or may not have had its
// effect. A Commit is one transaction that requires the run's revision, the
// locks, the claim, and the lease of this replica.
//
// A newer version of the bot may have stored a form that this version does not know. Such a value
// does not stop other work: a run is left out of lists (Get returns engine.ErrNewerForm), a
// delivery is not handled, a lock counts as held, and a record is sealed by another replica. Health
// reports such values.
//
// An external cluster must run etcd 3.4 or newer, be used by the bot alone, and
// compact itself (--auto-compaction-mode=revision
// --auto-compaction-retention=5000).
//
// # Files
//
//   - store.go, config.go: construction, limits, lease time
//   - commit.go, runs.go, signed.go: runs and locks: storing, reading, signatures
//   - claims.go, ambiguous.go: deliveries
//   - posts.go, threads.go: positions of messages
//   - maintenance.go, watchstate.go: maintenance, incidents and watches
//   - archiving.go, archiverun.go: the archive: when runs are moved there
//   - backup.go, restore.go, rotate.go: backup, restore, keys
//   - health.go: health, and from when the store is nearly full
//   - lastheard.go, roundtrip.go: what replicas share about Slack
//   - managedcluster.go: refusing an etcd of Deephaven
package etcdstore
