// Package etcdstore keeps the bot's state in etcd: embedded in the process
// and without any listener, or an external cluster for several replicas. It
// implements engine.Runs and engine.Members, audit.Log, publish.Posts and the
// claims of deliveries, and is the one production importer of the etcd client.
//
// # The key map
//
// All keys lie under a prefix, "dhbot/v1/" by default; v1 is the version of
// this map. Values are JSON with a version field unless said otherwise.
//
//	run/ID            engine.Run (field v). Written by Commit; Archive moves it
//	                  away long after its end, with ended/ and post/.
//	open/ID           empty. There while the run has not ended. Commit.
//	ended/INVERTED/ID empty. INVERTED is 9999999999999 minus the end in Unix
//	                  milliseconds, 13 digits: the newest end first. Commit.
//	id/ID             empty. The id was used once. Commit. For ever, so that an
//	                  old message can never name a new run.
//	lock/NAME         {v,run,reason,since}: held by a run, not by a process and
//	                  under no lease. Commit.
//	claim/KEY         {v,state,replica,at,payload}: a delivery, state accepted
//	                  with its payload, or handled without. Claim creates it;
//	                  Settle, Append and Commit change it once. One that failed
//	                  in doubt is made handled, see doubts. Swept when handled
//	                  for KeepClaims; an accepted one never.
//	rotating/KEY      a claim on its way from one key of the state to the next,
//	                  signed for claim/KEY. Rotate.
//	rec/ID/SEQ        audit.Canonical of a run's record, not sealed yet; SEQ has
//	                  8 digits. Commit; deleted by the sealer.
//	rec/~/RND/SEQ     the same for a record of no run; RND is fresh for each
//	                  process, SEQ counts its records. Append; the sealer.
//	trail/LAST        sealed entries, one audit.CanonicalEntry a line; LAST is
//	                  the number of the last one, 16 digits. The sealer; Archive
//	                  deletes it once it is in the archive and was posted.
//	head              audit.CanonicalEntry of the newest sealed entry. The sealer.
//	replica/NAME      {v,pid,host,since,clock,config,leaving}, signed, under a lease: the
//	                  replica lives; clock is its own, written anew with every
//	                  renewal; leaving says that it stops.
//	                  The replica; every Commit requires that it is still its own.
//	maintenance/CLUSTER/PROCESS/HOST
//	                  {v,from,until,by,reason}: what people work on, in Unix
//	                  milliseconds; HOST is * for every host. SetMaintenance, which
//	                  replaces it; EndMaintenance deletes it.
//	watch/follow/CLUSTER/PROCESS/HOST/CHANNEL/THREAD
//	                  watch.Follow (field v): a person's watch, until its end was
//	                  told; - for nothing. Keep, which requires the revision that
//	                  it replaces.
//	watch/cluster/NAME
//	                  watch.Cluster (field v): what is remembered of a cluster that
//	                  is watched in the background, and its incidents. Keep.
//	watch/handling/CLUSTER/INCIDENT
//	                  incident.Handling (field v), signed: owner, mute, what is still to
//	                  be posted in the thread.
//	watch/escalation/CLUSTER/SUBJECT/STAGE
//	                  a stage of an escalation, signed: claimed before it is done, deleted
//	                  when its incident or request is over.
//	watch/ended/CLUSTER/INCIDENT
//	                  an incident whose end was posted, signed, for half an hour: its card
//	                  is edited again where an old form was put over it.
//	watch/overtaken/CLUSTER/INCIDENT
//	                  {v}, signed: its card may show an old form. The leader edits it.
//	leader/trail      name of the replica that seals, archives and sweeps, under its
//	                  lease.
//	leader/work       name of the replica that posts and takes up what dead ones
//	                  left, under its lease. Lead; SetPost requires it.
//	heard             decimal Unix milliseconds: when a replica last heard Slack.
//	                  Hear.
//	echo              RoundTrip: the round trip through Slack. SaveRoundTrip, by its revision.
//	post/ID           publish.Post: the message that shows a run. SetPost.
//	thread/ID         {v,channel,ts,linked}: where the run's trail stands in the audit
//	                  channel. SetThread; Archive deletes it with the run.
//	posted            decimal number of the last posted trail entry. SetTrailPosted.
//
// # The order of the trail
//
// A record is written by the transaction of what it tells of, under a key of
// its own, so that writers never wait for one another. The sealer reads the
// pending records, sorts them by the revision that wrote them and by key
// within one revision, chains them onto head, and replaces them by one chunk
// under trail/, all in a transaction that requires head not to have moved.
// Every record is thus sealed exactly once, whichever replica seals.
//
// # What is promised when
//
// Each call has a deadline. Anything that etcd does not answer in time, or
// answers with an error, is engine.ErrStoreDown, and the call may have had
// its effect or not. A Commit is one transaction that requires the run's
// revision, the locks, the claim, and the lease of this replica all at once.
//
// A form of a version that this program does not know was stored by a newer
// one. It stops nothing else: a run is left out of lists (Get says
// engine.ErrNewerForm), a delivery is left alone, a lock is held, and a record
// is left to another replica to seal. Health names what was met.
//
// An external cluster must run etcd 3.4 or newer, be given to the bot alone,
// and compact itself (--auto-compaction-mode=revision
// --auto-compaction-retention=5000).
package etcdstore
