package mutant

import "slices"

// mutants returns all mutants by subject.
func mutants() []mutant {
	return slices.Concat(identity(), approvals(), gate(), carryingOut(), planning(), seeing(), storing(), edges())
}

// identity has the mutants of identity and permissions.
func identity() []mutant {
	const rules = "auth/rules.go"
	return []mutant{
		one("guests are refused", rules, "case p.Guest:", "case false:", "./auth", "^TestIdentify"),
		one("deactivated accounts are refused", rules, "case p.Deleted:", "case false:", "./auth", "^TestIdentify"),
		one("other organisations are refused", rules, "case p.Stranger || !r.atHome(p):", "case p.Stranger:", "./auth", "^TestIdentify"),
		one("an account of two people is nobody's", rules, "if len(found) != 1 ||", "if len(found) == 0 ||", "./auth", "^Test"),
		one("reads take a role", rules, "		if roles.reads(p.Name, channel) {", "		if true {", "./auth", "^TestMayAsk"),
		one("data takes its role", rules, "if roles.has(Data, p.Name) {", "if roles.reads(p.Name, channel) {", "./auth", "^TestMayAsk"),
		one("changes take an operator", rules, "if roles.has(Operator, p.Name) {", "if roles.reads(p.Name, channel) {", "./auth", "^TestMayAsk"),
		one("approvals take an approver", rules, "case !roles.has(Approver, p.Name):", "case !roles.has(Approver, p.Name) && false:", "./auth", "^TestMayVote"),
		one("who asked never approves", rules, "case samePerson(voter, asker):", "case samePerson(voter, asker) && false:", "./auth", "^TestMayVote"),
		one("two accounts are one person", rules, "return a.Name == b.Name ||", "return a.Name == b.Name && ", "./auth", "^Test"),
		one("only changes are approved", rules, "case !class.Changing():\n", "case false:\n", "./auth", "^TestMayVote"),
		one("an unknown class takes two approvals", "auth/policy.go", "return max(minDestructiveVotes, p.DestructiveVotes, sev1)", "return 0", "./auth", "^TestVotesNeeded"),
		one("no setting goes below the floor", "auth/policy.go", "sev1 := max(minSev1Votes, p.Sev1Votes)", "sev1 := p.Sev1Votes", "./auth", "^TestNoSetting|^TestVotesNeeded"),
		one("an unknown level takes an approval", "runbooks/severity.go", "return s == Moderate || s == Low", "return s != Critical", "./auth", "^TestVotesNeeded"),
		one("a terminal vouches for its own accounts only", "handlers/call/identify.go", "if (m.Via == Terminal) != (m.Account.Team == auth.LocalTeam) {", "if false {", "./handlers", "LocalAccount"),
	}
}

// approvals has the mutants of what counts as an approval, and for how long.
func approvals() []mutant {
	const votes = "internal/engine/votes.go"
	return []mutant{
		one("an approval is for one digest, counting", votes, `v.Digest == r.Plan.Digest && v.Person != ""`, `v.Person != ""`, "./internal/engine", "^TestApprovalsCount"),
		one("the requester's approval does not count", votes, ` && !sameActor(v.Actor, r.Asked)`, "", "./internal/engine", "^TestApprovalsCount"),
		one("one person counts once", votes, "return len(counted)", "return len(r.Votes)", "./internal/engine", "^TestApprovalsCount"),
		one("an approval is for one digest, casting", votes, "case e.Digest != r.Plan.Digest:", "case false:", "./internal/engine", "^TestModel"),
		one("the requester casts no approval", votes, "case sameActor(e.By, r.Asked):\n		return refusal.New(OwnRequest, \"Not allowed: %s can't", "case false:\n		return refusal.New(OwnRequest, \"Not allowed: %s can't", "./internal/engine", "^Test"),
		one("an approval at the deadline is too late", votes, "case !t.now.Before(r.VoteBy):\n", "case t.now.After(r.VoteBy):\n", "./internal/engine", "^TestExactDeadline"),
		one("a request expires at its deadline", votes, "case r.State == Waiting && !t.now.Before(r.VoteBy):", "case r.State == Waiting && t.now.After(r.VoteBy):", "./internal/engine", "^TestExactDeadline"),
		one("a run starts before its deadline", "internal/engine/steps.go", "r.StartBy == nil || !now.Before(*r.StartBy)", "r.StartBy == nil || now.After(*r.StartBy)", "./internal/engine", "^TestExactDeadline"),
		one("the floor counts, whatever is stored", votes, "return max(r.Need, auth.Policy{}", "return max(r.Need, 0*auth.Policy{}", "./internal/engine", "^TestApprovalsCount"),
		one("a Sev 1 run is closed by another", votes, "case sev1 && sameActor(e.By, r.Asked):", "case sev1 && false:", "./internal/engine", "^TestClosing"),
		one("a typed approval names the target", "handlers/votes.go", "if c.Via != call.Button {\n\t\t", "if false {\n", "./handlers", "^TestVotes$"),
		one("a destructive approval names the target", "handlers/votes.go", "if c.Via != call.Button {\n\t\t", "if c.Via != call.Button && r.Plan.Class != runbooks.Destructive {\n", "./handlers", "^TestDestructiveApproval"),
		one("a destructive tap asks for the name", "handlers/votes.go", "if c.Via == call.Button && r.Plan.NameTyped() {", "if false {", "./handlers", "^TestDestructiveApproval"),
		one("a tap approves what its card showed", "handlers/votes.go", "if digest == \"\" && c.Via != call.Button && c.Via != call.Form {", "if digest == \"\" || c.Via == call.Button {", "./handlers", "^TestVotes$"),
	}
}

// gate has the mutants of the checks before every command and every step.
func gate() []mutant {
	const file = "handlers/gate.go"
	return []mutant{
		one("the gate asks for the verb's class", "handlers/gate.go", "if err := s.Rules.MayAsk(p.Person, c.Cluster.Name, class, c.Channel); err != nil {", "if err := s.Rules.MayAsk(p.Person, c.Cluster.Name, runbooks.Read, c.Channel); err != nil {", "./handlers", "^TestGateClass"),
		one("the plan's class decides as well", "handlers/call/discover.go", "if err := s.Rules.MayAsk(c.Who.Person, plan.Cluster, plan.Class, c.Channel); err != nil {", "if err := error(nil); err != nil {", "./handlers", "^TestPlanClass"),
		one("what may not be read does not exist", file, "hidden = !sees(st.Run.Plan.Cluster)", "hidden = false", "./handlers", "^TestReaderOfOneCluster|^TestHiddenRuns"),
		one("only approvers approve, deny and look", file, "case anApprover:\n		return approver()", "case anApprover:\n		return nil", "./handlers", "^TestVotes$|^TestLooking"),
		one("only requester or approver cancels", file, "case theAsker:\n		if asked {", "case theAsker:\n		if true {", "./handlers", "^TestWhoMay"),
		one("only operators complete steps", "handlers/gate.go", "case anOperator:\n\t\treturn s.Rules.MayAsk(c.Who.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel)", "case anOperator:\n\t\treturn nil", "./handlers", "^TestWhoMay"),
		one("another closes a Sev 1 run", file, "if asked && r.Plan.Severity.Minor() {", "if asked {", "./handlers", "^TestWhoMay"),
		one("what was parsed on arrival is for who may read all", "handlers/call/sees.go", "p != nil && p.Grammar == g && p.Request != nil", "p != nil && p.Request != nil", "./handlers", "^TestReaderOfOneCluster"),
		one("lists are filtered", "handlers/call/sees.go", "unseen := func(st engine.Stored) bool { return !sees(st.Run.Plan.Cluster) }", "unseen := func(st engine.Stored) bool { return false }", "./handlers", "^TestReaderOfOneCluster|^TestHome"),
		one("locks are filtered", "handlers/call/sees.go", "return !sees(cluster)\n\t})\n\treturn h, nil", "return !sees(cluster) && false\n\t})\n\treturn h, nil", "./handlers", "^TestReaderOfOneCluster"),
		one("the trail is filtered", "handlers/reads/trail.go", "return sees(r.Cluster)", "return true", "./handlers", "^TestReaderOfOneCluster"),
		one("a stale delivery does not run", "handlers/gate.go", "if age := s.Now().Sub(c.At); age > s.StaleAfter && c.Via != call.Terminal {", "if age := s.Now().Sub(c.At); false && age > 0 {", "./handlers", "^TestWhatMayNotChange"),
		one("an unclaimed delivery does not run", "handlers/gate.go", "if c.Via != call.Terminal && (c.Key == \"\" || c.Unclaimed) {", "if false {", "./handlers", "^TestWhatMayNotChange"),
		one("nothing changes from a shared channel", file, "if c.ChannelShared {", "if false {", "./handlers", "^TestWhatMayNotChange"),
		one("a change asks the platform afresh", "handlers/gate.go", "\tif class.Changing() {\n\t\tage = call.Fresh", "\tif false {\n\t\tage = call.Fresh", "./handlers", "^TestChangesAskAfresh"),
		one("replicas that disagree change nothing", file, "	if why != \"\" {", "	if false {", "./handlers", "^TestReplicasThatDiffer"),
		one("the requester is checked again", file, "if err := s.Rules.MayAsk(asker.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel); err != nil {", "if err := s.Rules.MayAsk(asker.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel); err != nil && false {", "./handlers", "^TestRecheck"),
		one("the requester's class is checked again", file, "if err := s.Rules.MayAsk(asker.Person, r.Plan.Cluster, r.Plan.Class, r.Place.Channel); err != nil {", "if err := s.Rules.MayAsk(asker.Person, r.Plan.Cluster, runbooks.Read, r.Place.Channel); err != nil {", "./handlers", "^TestRecheck"),
		one("the approver is checked again", file, "if err := s.Rules.MayVote(voter.Person, r.Asked.Person, r.Plan.Cluster, r.Plan.Class); err != nil {", "if err := s.Rules.MayVote(voter.Person, r.Asked.Person, r.Plan.Cluster, r.Plan.Class); err != nil && false {", "./handlers", "^TestRecheck"),
		one("the approvals' digest is checked again", file, "if v.Digest == r.Plan.Digest {", "if true {", "./handlers", "^TestRecheck"),
		one("the plan is made again, and compared by content", "internal/engine/workerrun.go", " || !plan.Same(r.Plan):", ":", "./handlers", "^TestDeriveTrusts"),
		one("only the requester runs a proposal", "handlers/propose.go", "if p.By != m.Account.String() {", "if false {", "./handlers", "^TestRunIsForItsRequester"),
		one("a star behind a change is not read over", "internal/command/parser/reason.go", "words.JoinerSigns+\"*\")", "words.JoinerSigns)", "./internal/command/parser", "^TestTexts"),
		one("guards are asked at the request", "handlers/request.go", "unclear, err := s.guards(ctx, plan)\n	if err != nil {", "unclear, err := s.guards(ctx, plan)\n	if false {", "./handlers", "^TestGuardThatCannotTell"),
		one("guards of later targets are asked at the request", "runbooks/guards.go", "!p.AlteredBefore(i)", "i < p.FirstChange()", "./handlers", "^TestEveryGuardRefusesTwice"),
		one("guards of later targets are asked again at the start", "handlers/gate.go", "return s.stillAs(ctx, r)", "return s.ListAgain(ctx, r.Inputs)", "./handlers", "^TestStartAsksLaterTargets"),
		one("dependencies are asked again at the start", "handlers/guards.go", "if err := s.needsStillServe(ctx, r, plan); err != nil {", "if err := s.needsStillServe(ctx, r, plan); false {", "./handlers", "^TestNeedsAreAskedAgain"),
		one("a guard that cannot tell takes one approval more", "handlers/guards.go", "	if len(unclear) > 0 {", "	if false {", "./handlers", "^TestGuardThatCannotTell"),
		one("evidence is kept before a restart is sent", "internal/engine/steps.go", "st.Kept = e.Kept", "st.Kept = nil", "./internal/engine", "^TestEvidence"),
		one("no thread dump without the setting", "internal/evidence/evidence.go", `h.ThreadDump != "" && p.Manager`, "p.Manager", "./internal/evidence", "^TestNoDumpUnlessAllowed"),
		one("a sequence over a host or cluster wants the name typed", "runbooks/plan.go", "p.Class == Destructive || p.Sweeps()", "p.Class == Destructive", "./handlers", "^TestSequenceWantsTheNameTyped"),
		one("a member whose unit runs while none answers is not known to be spare", "internal/observe/etcd.go", "case answering == 0 && v.Unclear() == 0 && old.State == Up:", "case false:", "./internal/observe", "^TestEtcdSpareOfOne"),
		one("signs of doubt ask back", "internal/command/meaning/meaning.go", "\tcase w[0].IsDoubt():\n\t\treturn command.Negation", "\tcase false:\n\t\treturn command.Negation", "./internal/command/parser", "^TestTexts"),
		one("an unknown place is no reason to restart everywhere", "internal/command/parser/place.go", "case len(several) > 1 &&", "case false &&", "./internal/command/parser", "^TestTypos"),
		one("a bare number after in is a time", "internal/command/words/when.go", "time || number.MatchString(next) ||", "time ||", "./internal/command/parser", "^TestTexts"),
		one("an exception offers nothing that hits what is left out", "internal/command/parser/place.go", "return c.askAbout(command.Exception, \"I don't know what that leaves out.\", nil)", "return err", "./internal/command/parser", "^TestExceptionOffersNoExcluded"),
		one("a second change behind a target is not its reason", "internal/command/parser/reason.go", "first := i == 0 &&", "first := false && i == 0 &&", "./internal/command/parser", "^TestTexts"),
		one("etcd that cannot be asked holds back the next member", "internal/engine/workerstep.go", "		if r.changes(j) {\n			return false", "		if r.changes(j) {\n			return true", "./internal/engine", "^TestEtcdCannotBeAsked"),
		one("a guard that cannot tell refuses what was not approved so", "internal/engine/workerstep.go", "case r.accepted(i):", "case true:", "./internal/engine", "^TestGuardThatCouldNotTell"),
		one("what was done already is looked at", "handlers/again.go", " || !s.asLeft(ctx, r)", "", "./handlers", "^TestDoneAlreadyMeansDoneNow"),
		one("what was done already was not undone by another run", "handlers/again.go", "touchedSince(r, slices.Concat(open, ended)) || ", "", "./handlers", "^TestDoneAlreadyMeansDoneNow"),
		one("a proposal is run within a minute", "handlers/propose.go", "if age := s.Now().Sub(time.Unix(p.At, 0)); age > call.ProposalTTL || age < -call.ProposalTTL {", "if age := s.Now().Sub(time.Unix(p.At, 0)); age < -call.ProposalTTL {", "./handlers", "^TestRunIsForItsRequester"),
		one("what nobody could approve is refused at once", "handlers/request.go", "if err := s.Approvable(ctx, c.Cluster.Name, c.Who.Name, need); err != nil {", "if err := error(nil); err != nil {", "./handlers", "^TestNobodyCouldApprove"),
	}
}

// carryingOut has the mutants of running runs.
func carryingOut() []mutant {
	const steps, step = "internal/engine/steps.go", "internal/engine/workerstep.go"
	return []mutant{
		one("nothing begins without its approvals", steps, "case !r.approved():\n		return refusal.New(NotApproved, \"%s has %d of %d votes and cannot start", "case false:\n		return refusal.New(NotApproved, \"%s has %d of %d votes and cannot start", "./internal/engine", "^TestStoredWithout"),
		one("no step begins without its approvals", steps, "case !r.approved():\n		return refusal.New(NotApproved, \"%s has %d of %d votes; step", "case false:\n		return refusal.New(NotApproved, \"%s has %d of %d votes; step", "./internal/engine", "^TestStoredWithout"),
		one("a step begins once", steps, " || r.Steps[e.Index].State != StepPending:", ":", "./internal/engine", "^Test"),
		one("a lost worker's change is unknown", steps, "if i >= 0 && r.changes(i) {", "if false {", "./internal/engine", "^Test"),
		one("an unknown run keeps its locks", steps, "	t.run.State = Unknown\n", "	t.run.State = Unknown\n	t.change.Release = true\n", "./internal/engine", "^Test"),
		one("what may have acted is unknown", step, "default: // it may have acted\n		st.State = StepUnknown", "default: // it may have acted\n		st.State = StepFailed", "./internal/engine", "^Test"),
		one("a step is sent once", step, "	result := w.c.Runner.Run(hard, CommandOf(ps))\n", "	result := w.c.Runner.Run(hard, CommandOf(ps))\n	if result.Outcome == remote.FateUnknown {\n		result = w.c.Runner.Run(hard, CommandOf(ps))\n	}\n", "./internal/engine", "^Test"),
		one("each step is checked again", "internal/engine/workerrun.go", "if !checked && !st.Run.verifiesChange(st.Run.Current()) {", "if !checked && false {", "./internal/engine", "^Test"),
		one("a change takes a lock", "internal/engine/submit.go", "case s.Changes() && len(r.Plan.Locks) == 0:", "case false:", "./internal/engine", "^Test"),
		one("a step that is noted is not sent", step, "case errors.Is(err, ErrSentBefore):", "case errors.Is(err, ErrSentBefore) && false:", "./internal/engine", "^TestNotedSteps"),
		one("an approval ends", steps, "case r.invalid(e.Index, t.now):", "case false:", "./internal/engine", "^TestApprovalsAge"),
		one("a repair never ends", "internal/engine/approvalend.go", "return !r.touched(i) && !r.holdsDown()", "return true", "./internal/engine", "^TestRepairsEnd"),
		one("what is continued is the plan of that run", "runbooks/continue.go", "case p.Digest != c.Digest:", "case false:", "./runbooks/planner", "^TestContinueOfAnotherPlan"),
		one("a continuation looks first", "runbooks/continue.go", "|| s.Kind == Wait && !p.changedBefore(i, c.From-1)", "", "./runbooks/planner", "^TestContinueLooksFirst"),
		one("what a restore brought back is not continued", "internal/engine/continue.go", "r.State == Closed && r.EndedBy != nil:", "r.State == Closed:", "./internal/engine", "^TestContinuation"),
		one("a change without its proof is not done", "internal/engine/continue.go", "case r.changes(j):\n			return j", "case r.changes(j):\n			return i", "./internal/engine", "^TestContinuation"),
		one("approvers are called before the end of their approval", "internal/engine/approvalend.go", "!now.Before(end.Add(-validityWarning)) && now.Before(end) && ", "now.After(end) && ", "./internal/publish", "^TestEndReminder"),
		one("a read changes nothing", "internal/engine/submit.go", "case s.Changes() && !r.Plan.Class.Changing():", "case false:", "./internal/engine", "^Test"),
	}
}

// planning has the mutants of plans and digests.
func planning() []mutant {
	const digest = "runbooks/digest.go"
	return []mutant{
		one("the digest covers the address", digest, "Address: s.Address,", "", "./runbooks/planner", "Digest"),
		one("the digest covers the login", digest, "Login:   s.Login,", "", "./runbooks/planner", "Digest"),
		one("the digest covers what is sent", digest, "Sent:    s.Sent,", "", "./runbooks/planner", "Digest"),
		one("the digest covers the check", digest, "Check:   s.Check,", "", "./runbooks/planner", "Digest"),
		one("every word is quoted", "runbooks/quote.go", "words[i] = quoted", "words[i] = word\n		_ = quoted", "./runbooks", "^FuzzQuote"),
		one("a command is no assignment", "runbooks/quote.go", `if strings.Contains(argv[0], "=") {`, "if false {", "./runbooks", "^TestQuote"),
		one("a parameter has its shape", "runbooks/catalogs/params.go", "if !shape.Re.MatchString(value) {", "if false {", "./runbooks/planner", "Param"),
		one("the wrapper matches all the words", "internal/sudoers/wrapper.go", `whole="^($3)\$"`, `whole="($3)"`, "./internal/sudoers", "^TestWrapperEscapes"),
		one("the wrapper allows an account its own", "internal/sudoers/wrapper.go", `  [ "$1" = "$account" ] || return 0`, "  true", "./internal/sudoers", "^TestWrapperEscapes"),
		one("the wrapper tells words apart", "internal/sudoers/wrapper.go", "'' | *'#'* | *[!", "*[!", "./internal/sudoers", "^TestWrapperEscapes"),
		one("an old sudo is sent the wrapper", "internal/fleet/sudo.go", "out = append(out, SudoWrapper)", "", "./internal/fleet", "^TestSudo"),
		one("sudo keeps no variable of the account", "internal/sudoers/write.go", `"!env_keep, env_reset, `, `"env_reset, `, "./internal/sudoers", "^TestRules$"),
		one("no sudo pattern climbs", "internal/sudoers/words.go", "if climbs(b.String()) {", "if false {", "./internal/sudoers", "^TestLeftOut"),
		one("no sudo pattern matches an option", "internal/sudoers/words.go", "if err := noOption(re, p.Pattern); err != nil {", "if err := noOption(re, p.Pattern); err != nil && false {", "./internal/sudoers", "^TestLeftOut"),
		one("sudo is told all the words", "internal/sudoers/invocation.go", `if args = "^" + args + "$"; len`, `if args = "^" + args; len`, "./internal/sudoers", "^TestRules$"),
		one("sudo reads escaped patterns", "internal/sudoers/ere.go", "b.WriteByte('\\\\')", "", "./internal/sudoers", "^Test"),
		one("no sudo pattern matches a blank", "internal/sudoers/ere.go", "case syntax.OpAnyChar, syntax.OpAnyCharNotNL:\n		return \"\", errors.New(\"it can match a blank, and sudo would take what follows for another argument\")", "case syntax.OpAnyChar, syntax.OpAnyCharNotNL:\n		return \".\", nil", "./internal/sudoers", "^Test"),
	}
}

// seeing has the mutants of observations.
func seeing() []mutant {
	const votes = "internal/observe/etcd/votes.go"
	return []mutant{
		one("a stage is claimed before it is carried out", "internal/escalation/stage.go", "	if errors.Is(err, engine.ErrConflict) {\n		return nil // another leader was first\n	}\n", "	if errors.Is(err, engine.ErrConflict) {\n		err = nil\n	}\n", "./internal/escalation", "^TestStageIsClaimedOnce"),
		one("a page in doubt is not sent again", "internal/escalation/escalation.go", "if done.V == 0 && s.due(", "if (done.V == 0 || done.Outcome == unsure) && s.due(", "./internal/escalation", "^TestPageInDoubt"),
		one("what is owned notifies no one", "internal/escalation/subject.go", "h.Owner == nil && ", "", "./internal/escalation", "^TestWhatIsEscalated"),
		one("what could be grave is escalated", "internal/escalation/subject.go", "	case it.WorstCase != runbooks.Unknown:\n		return it.WorstCase\n	default:\n		return runbooks.Critical", "	default:\n		return runbooks.Low", "./internal/escalation", "^TestWhatIsEscalated"),
		one("a request with an approval notifies no one", "internal/escalation/subject.go", "waits: len(r.Votes) == 0", "waits: true", "./internal/escalation", "^TestRequestThatNoOne"),
		one("a routing key goes to the address of the config alone", "internal/pager/pager.go", "return http.ErrUseLastResponse", "return nil", "./internal/pager", "^TestTries"),
		one("no alert crosses a network unprotected", "internal/config/escalation.go", `case u.Scheme == "http" && !loopback(u.Hostname()):`, "case false:", "./internal/config", "^TestEscalation|^TestPageSecrets"),
		one("nothing is said of who is not known to be away", "internal/presence/presence.go", "if !ok || now.Sub(a.at) > shownFor {", "if !ok {", "./internal/presence", "^TestWhoIsAway"),
		one("by hand is recorded of what was not carried out", "handlers/byhand.go", "if r.State != engine.Expired && r.State != engine.Refused {", "if r.State == engine.Done {", "./handlers", "^TestByHand"),
		one("a leader that lost the lead marks its cards", "internal/monitor/background.go", "		c.markShown(ctx)\n", "", "./internal/monitor", "^TestPausedLeader"),
		one("the next leader looks at what ended", "internal/monitor/lastword.go", "if marked || !c.led {", "if marked {", "./internal/monitor", "^TestNextLeader"),
		one("a sleeper marks what it may have overwritten", "internal/store/etcdstore/posts.go", "		p.Rev = 0\n		b, err", "		b, err", "./internal/store/etcdstore", "Lead"),
		one("an incident has one owner", "internal/incident/handling.go", "	case h.Owner == nil:\n	case", "	case true:\n	case", "./internal/incident", "^TestOwnership"),
		one("a mute ends", "internal/incident/handling.go", "if until.After(at.Add(MostMute)) ||", "if", "./internal/incident", "^TestMute"),
		one("another level ends a mute", "internal/incident/handling.go", "case worst != h.Mute.Worst:", "case false:", "./internal/incident", "^TestMute"),
		one("a leaver owns no incident", "internal/monitor/handling.go", "errors.As(err, &no) && no.Code != auth.LookupFailed", "errors.As(err, &no) && false", "./internal/monitor", "^TestLeaver"),
		one("a failed look-up releases no owner", "internal/monitor/handling.go", " && no.Code != auth.LookupFailed", "", "./internal/monitor", "^TestLeaver"),
		one("incidents are handled by operators", "handlers/incidents/incidents.go", "s.Rules.MayAsk(c.Who.Person, c.Incident.Cluster, class, c.Channel)", "s.Rules.MayAsk(c.Who.Person, c.Incident.Cluster, runbooks.Read, c.Channel)", "./handlers", "^TestIncidentHandling"),
		one("an incident elsewhere does not exist", "handlers/incidents/incidents.go", "if !sees(cl.Name) {", "if !sees(cl.Name) && false {", "./handlers", "^TestHiddenIncident"),
		one("an unsigned handling does not count", "internal/store/etcdstore/watchstate.go", "case !isSigned(name):\n		return kv.Value, nil", "case true:\n		return kv.Value, nil", "./internal/store/etcdstore", "^TestHandlingIsSigned"),
		one("an empty board is unknown", "internal/status/board.go", "	worst := runbooks.None\n	if len(b.Rows) == 0 {", "	worst := runbooks.None\n	if false {", "./internal/card", "^TestWorst"),
		one("what monit does not watch is no dead dependency", "internal/status/upstream.go", "return !r.Pending && r.Finding.Down\n", "return !r.Pending && (r.Finding.Down || r.Observation.Out())\n", "./internal/status", "^TestUnproved"),
		one("who may close a run is said by level", "internal/card/runcard/locks.go", "if !r.Plan.Severity.Minor() {", "if false {", "./internal/card", "^TestLocksName"),
		one("what was not observed is unknown", "internal/observe/assess.go", `f.unknown(e, FoundUnseen, "Could not be observed", o.Why)`, `f.both(runbooks.None, FoundUnseen, "Could not be observed")`, "./internal/observe", "^Test"),
		one("not monitored is unknown", "internal/observe/assess.go", "		f.unknown(e, FoundNotMonitored, \"Not monitored\",", "		f.unknown(e, FoundNotMonitored, \"Not monitored\", \"\")\n		f.both(runbooks.None, FoundNotMonitored,", "./internal/observe", "^Test"),
		one("a command ended by a signal is unknown", "internal/observe/verdict.go", `case r.Signal != "":`, "case false:", "./internal/observe", "^Test"),
		one("a command at its limit is unknown", "internal/observe/verdict.go", "case r.Exit == 124 || r.Exit == 137:", "case false:", "./internal/observe", "^Test"),
		one("a lost connection is unknown", "internal/observe/verdict.go", "case remote.TimedOut, remote.FateUnknown:\n		return Verdict{State: Unknown,", "case remote.TimedOut, remote.FateUnknown:\n		return Verdict{State: Never,", "./internal/observe", "^Test"),
		one("nothing is sent to a shell that changes words", "internal/sshexec/run.go", "case err == nil && c.noise.Load() != nil:", "case err == nil || c.noise.Load() != nil:", "./internal/sshexec", "^TestLoginShells"),
		one("a card shows all that is not as expected", "internal/card/statuscard/board.go", "if !r.Pending && r.Severity() != runbooks.None {\n			bad", "if !r.Pending && r.Severity() == runbooks.Critical {\n			bad", "./internal/card", "^TestNoCardIsGreener"),
		one("a read that was given up answers no one", "internal/status/shared.go", "if current.next == nil || current.next.asking == 0 {", "if current.next == nil {", "./internal/status", "^TestSharedReadsThatWereGivenUp$"),
		one("a look is told of no read from before it asked", "internal/status/shared.go", "		current.next = newSharedRead(ctx, commands)\n		return current.next\n", "		current.asking++\n		return current\n", "./internal/status", "^TestSharedReads$"),
		one("a read has ended when both of its streams have", "internal/remote/together.go", "if !ended || !also || !told || err != nil {", "if !ended || !told || err != nil {", "./internal/remote", "^TestJoined"),
		one("a read among others that ran out of time is no answer", "internal/sshexec/joined.go", "if part.Exit == exitTimeout || part.Exit == exitKilled {", "if false {", "./internal/sshexec", "^TestJoinedRunsOutOfTime$"),
		one("what changes something is sent alone", "internal/sshexec/joined.go", "return c.Changes || c.Timeout", "return c.Timeout", "./internal/sshexec", "^TestJoinedAsAlone$"),
		one("only a login shell's own words are taken off an answer", "internal/sshexec/noise.go", "|| shape(string(rest[:n])) != shape(line)", "|| false", "./internal/sshexec", "^TestWithoutNoise"),
		one("a crash loop is an outage", "internal/status/crashloop.go", "if !quick && !told && !slow || len(list) == 0 {", "if !quick && !told && !slow || len(list) >= 0 {", "./internal/status", "^TestCrashLoop"),
		one("a dead pid is no green", "internal/observe/assess.go", "		case o.Alive == AliveGone:\n			f.ended(o, e)\n", "", "./internal/observe", "^TestOldEvidence"),
		one("what is too old is no green", "internal/observe/assess.go", "o.Age > StaleAfter(cycle))", "false)", "./internal/status", "^Test(Stale|Hidden)"),
		one("a frozen monit may act later", "internal/remote/classify.go", "			r.Outcome = FateUnknown\n			r.Detail += \"; it may", "			r.Detail += \"; it may", "./internal/remote", "^Test"),
		one("a refusal by sudo needs sudo alone", "internal/remote/classify.go", "return found.apply(r, line), alone || !c.Changes", "return found.apply(r, line), alone || true", "./internal/remote", "^Test"),
		one("a member stops only with a quorum of the others", "internal/observe/etcd.go", `Verdict{State: Never, Text: fmt.Sprintf("refused: %s, and`, `Verdict{State: Noted, Text: fmt.Sprintf("refused: %s, and`, "./internal/observe", "^Test(Field)?Etcd"),
		one("an alarm is no silence", votes, "return r != Silent && r != Unclear })", "return r != Silent && r != Unclear && r != Alarmed })", "./internal/observe", "^TestFieldEtcd"),
		one("a learner has no vote", votes, "if row.Reply == Learner {", "if false {", "./internal/observe", "^TestFieldEtcd"),
		one("a line that is not understood is no empty list", "internal/observe/etcd/alarms.go", `return nil, fmt.Errorf("etcdctl's answer could not be parsed: %s", line)`, "continue", "./internal/observe", "^TestFieldEtcd"),
		one("members with other data never agree", "internal/observe/etcd/compare.go", "s.clusters(), s.data(), ", "s.clusters(), ", "./internal/observe", "^TestFieldEtcd"),
	}
}

// storing has the mutants of the state store and the trail.
func storing() []mutant {
	const commit, verify = "internal/store/etcdstore/commit.go", "internal/audit/verify.go"
	const heads, meaning = "internal/audit/heads.go", "internal/audit/meaning.go"
	return []mutant{
		one("a stopped handler leaves the message", "handlers/service.go", "case errors.Is(ctx.Err(), context.Canceled):", "case false:", "./handlers", "^TestStoppedInTheMiddle"),
		one("what a replica handles is not left", "internal/app/resume.go", "l.replica != b.Replica && ", "", "./internal/app", "^TestWhatIsLeft"),
		one("a replica without lease commits nothing", commit, "list := append(s.Current(), s.Lives())", "list := s.Current()", "./internal/store/etcdstore", "^TestLeaseLost|^TestReplicaNames"),
		one("an epoch that another replica began ends a change", commit, "if s.Epoch() != epoch {", "if s.Epoch() != epoch && false {", "./internal/store/etcdstore", "^TestCommitBesideInstallation"),
		one("a change goes on beside a replica that joins", commit, "if s.Epoch() != epoch {", "if s.Epoch() != epoch || true {", "./internal/store/etcdstore", "^TestCommitBesideInstallation"),
		one("a forged installation ends a change", commit, "		if err := s.MayChange(); err != nil {\n			return nil, err\n		}\n", "", "./internal/store/etcdstore", "^TestCommitBesideInstallation"),
		one("a run changes from what was read", commit, `list = append(list, clientv3.Compare(clientv3.ModRevision(run), "=", c.Rev))`, "", "./internal/store/etcdstore", "^TestEmbeddedConformance"),
		one("an id is used once", commit, `clientv3.Compare(clientv3.CreateRevision(s.keys.UsedID(c.Run.ID)), "=", 0))`, ")", "./internal/store/etcdstore", "^TestEmbeddedConformance|^TestArchiveRuns"),
		one("a delivery settles once", commit, "	if c.Claim != \"\" {\n		list = append(list, s.unsettled(c.Claim))\n	}\n", "", "./internal/store/etcdstore", "^TestEmbeddedConformance"),
		one("an entry has its own hash", verify, "case s.Hash != hash:", "case false:", "./internal/audit", "^Test"),
		one("an entry continues the one before", verify, "case s.Prev != prev.Hash:", "case false:", "./internal/audit", "^Test"),
		one("a head kept elsewhere finds a cut", heads, "case left > last:", "case false:", "./internal/audit", "^Test"),
		one("a trail needs a head", verify, "if o.Anchored && v.report.Vouched == 0 && v.report.Entries > 0 {", "if false {", "./internal/audit", "^TestForgedExports"),
		one("a trail that begins in the middle needs the head before it", heads, "case o.Anchored && !continued:", "case false:", "./internal/audit", "^TestForgedExports"),
		one("a head that cannot be continued is refused", heads, "if k.N < o.After.N {", "if false {", "./internal/audit", "^TestForgedExports"),
		one("a signed head has the trail's tree", heads, "if whole && (", "if false && (", "./internal/audit", "^TestHeadsOfTwoTrees"),
		one("a start has its approvals", meaning, "if need := rules.Approvals(st.asked); len(st.votes) < need {", "if need := rules.Approvals(st.asked); false {", "./internal/audit", "^TestMeaning"),
		one("approvals are by others", meaning, "r.Person == st.asked.Person || r.Account == st.asked.Account", "false", "./internal/audit", "^TestMeaning"),
		one("approvals are in time", meaning, "case r.At.After(st.asked.At.Add(rules.VoteWithin + slack)):", "case false:", "./internal/audit", "^TestMeaning"),
		one("approvals are over one digest", meaning, "case r.Digest != st.asked.Digest:", "case false:", "./internal/audit", "^TestMeaning"),
		one("nothing is sent before the start", meaning, "if !st.started {\n			return", "if false {\n			return", "./internal/audit", "^TestMeaning"),
		one("nothing comes after the end", meaning, `case st.ended != "":`, "case false:", "./internal/audit", "^TestMeaning"),
		one("a pretended replica vouches for nothing", "internal/store/replicas/lease.go", "err == nil && genuine && string", "err == nil && (genuine || true) && string", "./internal/store/etcdstore", "^TestPretendedReplica"),
		one("an old entry of a replica vouches for nothing", "internal/store/replicas/lease.go", " && age <= s.conf.LeaseTTL {", " && age >= 0 {", "./internal/store/etcdstore", "^TestPretendedReplica"),
		one("an etcd needs a user", "internal/config/state.go", `if etcd.User == "" && etcd.CertFile == "" {`, "if false {", "./internal/config", "^TestInvalid"),
		one("a run counts only as it was signed", "internal/store/etcdstore/signed.go", "	v, err := s.Key().Open(string(kv.Key), kv.Value)\n	if errors.Is(err, sign.ErrNewerForm) {", "	v, _ := sign.Content(kv.Value)\n	var err error\n	if errors.Is(err, sign.ErrNewerForm) {", "./internal/store/etcdstore", "^TestRewrittenRun"),
		one("an older form of a run does not count", "internal/store/notes/notes.go", "case known && count < r.count && rev > r.rev:", "case known && count < r.count && rev > r.rev && false:", "./internal/store/etcdstore", "^TestRewrittenRun"),
		one("a delivery that nothing signed is not taken up", "internal/store/etcdstore/claims.go", "			current = false // from an unsigned version: its handled claims stay handled\n", "", "./internal/store/etcdstore", "^TestForgedDelivery"),
		one("a run that is not listed is named", "internal/store/etcdstore/signed.go", "	if err == nil && !st.Run.State.Ended() && etcdconn", "	if err == nil && !st.Run.State.Ended() && false && etcdconn", "./internal/store/etcdstore", "^TestRewrittenRun"),
		one("a head that is gone stops changes", "internal/store/trail/heads.go", "	case had:\n", "	case had && false:\n", "./internal/store/etcdstore", "^TestRewrittenTrail"),
		one("a process remembers what it sealed", "internal/store/trail/heads.go", "if s.trust.sealed.Size > 0 && ", "if false && ", "./internal/store/etcdstore", "^TestRewrittenTrail"),
		one("what is unsigned beside a key in use does not count", "internal/store/trail/epoch.go", "if used && c.text == unsignedUntilNow {", "if used {", "./internal/store/etcdstore", "^TestReplacedInstallation"),
		one("a replaced installation begins an epoch", "internal/store/trail/epoch.go", "epoch: max(top.Epoch, epochOf(s.trust.notes.Highest())) + 1,", "epoch: 1,", "./internal/store/etcdstore", "^TestReplacedInstallation"),
		one("the requester is told of a restore", "internal/publish/restored.go", "if post.Told || !r.BroughtBack() {", "if post.Told || r.BroughtBack() {", "./internal/publish", "^TestRestoredRunIsTold"),
		one("the requester is told of a restore once", "internal/publish/restored.go", "	post.Told = true\n", "", "./internal/publish", "^TestRestoredRunIsTold"),
		one("a rotation keeps deliveries", "internal/store/etcdstore/rotate.go", "	return s.returnClaims(ctx)\n}\n\n// returnClaims", "	return nil\n}\n\n// returnClaims", "./internal/store/etcdstore", "^TestRotationKeeps"),
		one("numbers of a forgotten time are not used again", "internal/store/trail/epoch.go", "	if c.guess {\n", "	if c.guess && last > 0 {\n", "./internal/store/etcdstore", "^TestRestoredEmptyStore"),
		one("a run's records are all there", verify, "case r.Seq != before.seq+1:", "case false:", "./internal/audit", "^Test"),
	}
}

// edges has the mutants of the bot's inputs and outputs.
func edges() []mutant {
	const shell = "internal/local/localshell/"
	return []mutant{
		one("an option that is not known changes something", "internal/programs/options.go", "		default:\n			return false, false\n", "", "./internal/programs", "^TestDisguised"),
		one("an abbreviated option changes something", "internal/programs/options.go", "case joined || !slices.Contains(long, name):", "case false:", "./internal/programs", "^TestDisguised"),
		one("a program is known in the system's directories alone", "internal/programs/programs.go", "known && trusted(argv[0])", "known", "./internal/programs", "^TestDisguised"),
		one("a file of its own is outside of the system's", "internal/programs/options.go", "|| !slices.ContainsFunc(systemFiles, inside)", "|| true", "./internal/programs", "^TestDisguised"),
		one("a variable may change what is run", "internal/programs/programs.go", "bent = bent || !slices.Contains(harmlessVariables, variable)", "_ = variable", "./internal/programs", "^Test"),
		one("a lowered class takes a line of the config", "runbooks/catalogs/lowered.go", "if rank(a.Class) < rank(floor) {", "if false {", "./internal/config", "^TestOwnRunbooksKeep"),
		one("a lowered level takes a line of the config", "runbooks/catalogs/lowered.go", "if !known || p.Level <= was.Level {", "if !known || true {", "./internal/config", "^TestOwnRunbooksKeep"),
		one("files are not written into the system", "runbooks/catalogs/lowered.go", "programs.FreshFile(was) && !programs.FreshFile(dir)", "false && programs.FreshFile(was) && !programs.FreshFile(dir)", "./internal/config", "^TestOwnRunbooksKeep"),
		one("a relative program is refused", "runbooks/catalogs/lowered.go", "if argv := c.shown(t); programs.Relative(argv) {", "if argv := c.shown(t); false {", "./internal/config", "^TestOwnRunbooksKeep"),
		one("a host lists what was asked for", "runbooks/planner/listed.go", "		if !inside {", "		if !inside && false {", "./runbooks/planner", "^TestListedIs"),
		one("a find lists what it searched", "runbooks/planner/listed.go", "if !inside || path.IsAbs(v) && path.Clean(v) != v {", "if !inside && false {", "./runbooks/planner", "^TestListedElsewhere"),
		one("a text that is too long is not read", "internal/slackio/intake.go", "> maxCommand", "> maxCommand<<20", "./internal/slackio", "^TestTooLong"),
		one("a refused config is in health", "internal/app/refused.go", "if r.OK || r.Refused.IsZero() {", "if true {", "./internal/app", "^TestRefusedConfig"),
		one("a refused config is posted", "internal/app/refused.go", `if text == "" || !at.After(told) {`, `if text != "" || !at.After(told) {`, "./cmd/bot", "^TestKubernetesMounts"),
		one("a credential of systemd may be its group's", "internal/trusted/trusted.go", "(isCredential(path) || readOnly(path))", "readOnly(path)", "./cmd/bot", "^TestSystemdCredentials"),
		one("a read-only mount is trusted", "internal/trusted/trusted.go", "if err != nil || readOnly(path) {", "if err != nil {", "./cmd/bot", "^TestKubernetesMounts"),
		one("others who can write are not trusted", "internal/trusted/trusted.go", "mode&0o022 != 0 && !sticky {", "mode&0o022 != 0 && !sticky && false {", "./internal/trusted", "^Test"),
		one("a token file is its owner's", "internal/config/load.go", " || trusted.Secret(path, info) != nil {\n			return problem(fmt.Sprintf(\"%s_FILE: others", " || trusted.Secret(path, info) != nil && false {\n			return problem(fmt.Sprintf(\"%s_FILE: others", "./internal/config", "^TestTokenFile"),
		one("maintenance beyond 4 h takes two", "handlers/incidents/maintenance.go", "\tif !m.Until.After(most) {", "\tif true {", "./handlers", "^TestLongMaintenance"),
		one("the second person for maintenance is another", "handlers/incidents/maintenance.go", "if old.By != m.By && eligible {", "if eligible || old.By == m.By {", "./handlers", "^TestLongMaintenance"),
		one("a requester is told the end once", "internal/publish/mention.go", "	return true, p.changePost(note", "	if true {\n		return false, nil\n	}\n	return true, p.changePost(note", "./internal/publish", "^TestRequesterIsMentionedOncePerPurpose"),
		one("a message that is posted anew calls nobody", "internal/publish/track.go", "false, p.Card(s.Run))", "false, p.First(ctx, s.Run))", "./internal/publish", "^TestPostedAnewCallsNobody"),
		one("a window over a Sev 1 process waits for an approval", "handlers/incidents/window.go", "!ok || !p.Level.Minor() {", "(!ok || !p.Level.Minor()) && false {", "./handlers", "^TestWindowNotApproved"),
		one("who asked for a window does not approve it", "handlers/incidents/window.go", "\t\tif vote != nil {\n\t\t\treturn vote\n\t\t}\n\t\t", "", "./handlers", "^TestMaintenanceWindow"),
		one("a window that waits is no maintenance", "internal/fleet/maintenance.go", "about && !m.Waits && ", "about && ", "./internal/fleet", "^TestMaintenanceCovers"),
		one("a window that was changed is not approved", "internal/store/etcdstore/maintenance.go", "	if m.IsWindow() {\n		cmps", "	if false {\n		cmps", "./internal/store/etcdstore", "Conformance"),
		one("what was shown and has changed is shown anew", "handlers/request.go", "case c.Proposed != nil && c.Proposed.Digest != plan.Digest:", "case false:", "./handlers", "^TestTerminalRunsWhatItShowed"),
		one("maintenance that was ended counts", "handlers/incidents/maintenance.go", "over && (old.By != m.By || ", "over && (true || ", "./handlers", "^TestLongMaintenance"),
		one("in silence nothing destructive is decided", "auth/rules.go", "case class == runbooks.Destructive:\n		return Refuse(SlackSilent", "case false:\n		return refuse(SlackSilent", "./internal/local/membership", "^TestMayInSilence"),
		one("in silence an approval comes from another user", "auth/rules.go", `case origin != "" && origin == askedFrom:`, "case false:", "./internal/local/membership", "^TestMayInSilence"),
		one("who was asked about in silence is checked again", "handlers/gate.go", "if err := auth.MayInSilence(voter.SilentSince, r.Plan.Class, v.Origin, r.Asked.Origin); err != nil {", "if err := auth.MayInSilence(voter.SilentSince, r.Plan.Class, \"\", \"\"); err != nil {", "./handlers", "^TestRecheckInSilence"),
		one("a decision in silence is recorded as such", "internal/engine/next.go", "if a.SilentSince == nil {", "if true {", "./cmd/bot", "^TestTerminalWhileSlackIsDown"),
		one("a key that is revoked ends its connection", "internal/sshexec/trust.go", "	if !newer || shown == nil {", "	if !newer || shown == nil || true {", "./internal/sshexec", "^TestTrustWhileConnected"),
		one("a key that others can read is not used", "internal/sshexec/credential/keyfile.go", "case path != k.certificate() && trusted.Secret(path, info) != nil:", "case path != k.certificate() && trusted.Secret(path, info) != nil && false:", "./internal/sshexec", "^TestTrustWhileConnected"),
		one("known_hosts that others can write is not read", "internal/sshexec/hostkey/known.go", "if err := trusted.Source(k.path); err != nil {", "if err := trusted.Source(k.path); err != nil && false {", "./internal/sshexec", "^TestTrustWhileConnected"),
		one("a socket leaves files to the store", "internal/local/adminsock/limit.go", "return int(min((files-fileReserve)/2, maxCapacity))", "return maxCapacity", "./internal/local/adminsock", "^TestCapacity"),
		one("the local Slack answers to loopback names", "internal/sim/slacklocal/server.go", "if !loopbackHost(r.Host) {", "if false {", "./internal/sim/slacklocal", "^TestOtherOrigins"),
		one("the simulated hosts answer to loopback names", "internal/sim/hostsim/http.go", "if !loopback", "if false && !loopback", "./internal/sim/hostsim", "^TestHostHeader"),
		one("secrets of gitleaks' set are known", "internal/redact/secrets.go", "formRules, maintained())", "formRules)", "./internal/redact", "^TestRealistic"),
		one("secrets among the words of a command are known", "internal/redact/secrets.go", "fieldRules, toolRules,", "fieldRules,", "./internal/redact", "^Test"),
		one("a diagnosis is no secret", "internal/redact/secrets.go", "s.prose && sentence(line, from) ||", "", "./internal/redact", "^TestCorpus"),
		one("half-open requests make way", "internal/local/adminsock/limit.go", "if full && !g.dropHalfOpen(c.uid) {", "if full {", "./internal/local/adminsock", "^TestHalfOpen|^TestShares"),
		one("one user has a share of a socket", "internal/local/adminsock/limit.go", "mine >= g.share(c.uid) || ", "", "./internal/local/adminsock", "^TestShares"),
		one("others have half of a socket", "internal/local/adminsock/limit.go", " || !g.trusts(c.uid) && others >= g.capacity/2", "", "./internal/local/adminsock", "^TestShares"),
		one("a lost read is sent again", "internal/local/adminsock/replay.go", "if !lost(err) || n == replays ||", "if true ||", "./internal/local/adminsock", "^TestReplay"),
		one("a lost change is not sent again", "internal/local/adminsock/replay.go", " || req.Method != http.MethodGet && !marked", " || req.Method != http.MethodGet && !marked && false", "./internal/local/adminsock", "^TestReplay"),
		one("Slack is asked while it answers", "internal/local/membership/membership.go", "	case silent.IsZero():\n", "	case false:\n", "./internal/local/membership", "^TestLookup"),
		one("a moment without Slack is no silence", "internal/local/membership/membership.go", "if d.Now().Sub(last) < silence {", "if false {", "./internal/local/membership", "^TestLookup"),
		one("in silence a person was seen within a day", "internal/local/membership/membership.go", " || d.Now().Sub(seen.Active) > memory)", ")", "./internal/local/membership", "^TestLookup"),
		one("who was seen gone stays gone", "internal/local/membership/membership.go", "	case !seen.Gone.IsZero():", "	case false:", "./internal/local/membership", "^TestLookup"),
		one("a delivery is claimed before its ack", "internal/slackio/intake.go", "	first, claimErr := e.claim(ctx, d)\n", "	e.ack(ctx, l, ack{id: id})\n	first, claimErr := e.claim(ctx, d)\n", "./internal/slackio", "^TestSlash|^TestStoreDown|^TestRedelivery"),
		one("a redelivery is dropped", "internal/slackio/intake.go", "if claimErr == nil && !first {", "if claimErr == nil && !first && false {", "./internal/slackio", "^TestRedelivery"),
		one("a channel of unknown readers is shared", "internal/slackio/intake.go", "return channelFacts{shared: true, member:", "return channelFacts{shared: false, member:", "./internal/slackio", "^TestChannelWithoutTheBot"),
		{"a challenge is answered once", []Edit{
			{shell + "challenges.go", "	case again:\n", "	case again && false:\n"},
			{shell + "challenges.go", "if _, again := c.spent[g.id]; again {\n		return errAnswered", "if _, again := c.spent[g.id]; again && false {\n		return errAnswered"},
		}, "./internal/local/localshell", "^TestReplay"},
		one("a challenge is for one command", shell+"server.go", "if sha256.Sum256([]byte(p.Command)) != c.command {", "if sha256.Sum256([]byte(p.Command)) != c.command && false {", "./internal/local/localshell", "^TestProofs"),
		one("a signature is of the person's key", shell+"server.go", "if sha256.Sum256(key.Wire()) != c.key {", "if sha256.Sum256(key.Wire()) != c.key && false {", "./internal/local/localshell", "^TestProofs"),
		one("a host key is known beforehand", "internal/sshexec/hostkey/known.go", "		if err != nil {\n			return k.explain(err, address, shown, lines{", "		if err != nil && false {\n			return k.explain(err, address, shown, lines{", "./internal/sshexec", "^TestHostKey"),
		one("the digest covers the jump hosts", "runbooks/digest.go", "			Via:     s.Via,\n", "", "./runbooks/planner", "^TestDigest"),
		one("a step goes by its jump hosts", "internal/engine/workerstep.go", "		Via:     st.Via,\n", "", "./internal/engine", "^TestCommandOf"),
		one("a jump host is still trusted", "internal/sshexec/trust.go", "	if c.via != nil {", "	if c.via != nil && false {", "./internal/sshexec", "^TestCertificateByAgent"),
		one("an expired certificate is not offered", "internal/sshexec/credential/offer.go", "case !end.IsZero() && !now.Before(end):", "case false:", "./internal/sshexec", "^TestCertificate"),
		one("what a renewal prints is not logged", "internal/sshexec/renew.go", "	cmd.Env = withoutSlack(os.Environ())", "	cmd.Stderr = os.Stderr\n	cmd.Env = os.Environ()", "./internal/sshexec", "^TestRenew"),
		one("few hosts are logged in to at a time", "internal/sshexec/dial.go", "		if err := p.handshakes.Acquire(ctx, 1); err != nil {\n			return err\n		}\n		close(admitted)\n", "", "./internal/sshexec", "^TestDialStorm"),
		one("a full host is waited for", "internal/sshexec/dial.go", "own.busy {", "own.busy && false {", "./internal/sshexec", "^TestBusy"),
		one("a penalty is not provoked", "internal/sshexec/failure.go", "busy: !strings.Contains(l.greeting(), penalty),", "busy: true,", "./internal/sshexec", "^TestPenalty"),
		one("a host that moved behind a jump host is dialled anew", "internal/sshexec/maintain.go", ", idle && outdated(c, now):", ", idle && outdated(c, now) && false:", "./internal/sshexec", "^TestHostThatMovedBehind"),
		one("a host that moved is dialled anew", "internal/sshexec/maintain.go", "		err = p.moved(p.ctx, c)", "		err = nil", "./internal/sshexec", "^TestHostThatMoved"),
		one("an ssh_config runs no program", "internal/sshconfig/file.go", "		case \"exec\":", "		case \"never\":", "./internal/sshconfig", "^TestRefused"),
		one("an ssh_config stays in its directory", "internal/sshconfig/file.go", "			if !f.inside(path) {", "			if false {", "./internal/sshconfig", "^TestRefused"),
		one("a negated pattern excludes", "internal/sshconfig/host.go", "			if negated {\n				return false\n			}\n			found", "			if negated {\n				continue\n			}\n			found", "./internal/sshconfig", "AsOpenSSH"),
		one("an authority signs keys of every type", "internal/sshexec/hostkey/known.go", "		out = ssh.SupportedAlgorithms().HostKeys\n", "		for _, algorithm := range db.HostKeyAlgorithms(name) {\n			out = append(out, algorithm)\n		}\n", "./internal/sshexec", "^TestSignedHostKey"),
		one("a revoked authority signs nothing", "internal/sshexec/hostkey/known.go", "		err := known(names[0], from, shown)\n", "		err := known(names[0], from, shown)\n		if isCertificate(shown) {\n			return nil\n		}\n", "./internal/sshexec", "^TestSignedHostKey"),
		one("looking at host keys trusts none", "internal/sshexec/hostkey/scan.go", "		compared.Known, compared.Verdict = false, err.Error()", "		compared.Verdict = err.Error()", "./internal/sshexec", "^TestHostKeysCompared"),
		one("a file that is being written closes nothing", "internal/sshexec/hostkey/known.go", "case used == 0 && k.db != nil:", "case false:", "./internal/sshexec", "^TestKnownHosts"),
	}
}
