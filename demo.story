# A status, and a Sev 1 restart that a second person approves.
# Play it:  go run ./cmd/bot demo --script demo.story

operator: /dh status db_dis
expect Sev 0
expect db_dis

# A command with a name that does not exist runs nothing.
operator: /dh restart db_diss
expect Did you mean

operator: /dh restart db_dis because disk was full, freed 40 GB
expect Approval needed
expect disk was full, freed 40 GB

# The requester cannot approve, and neither can a member of another organisation.
operator: approve
expect Not allowed
outsider@shared-vendor: /dh restart db_dis
expect Not allowed
reader: approve
expect Not allowed

approver: approve
expect 60s →
expect 90s Done

# A name is never a pattern, and never a piece of shell.
operator: /dh restart db_ltds|db_tdcp
expect Nothing was run
operator: /dh restart db_dis; rm -rf /
expect Did you mean

# A process of a lower level restarts at once, and is recorded too.
operator: @dh restart ltds
expect 60s →
expect 90s Done

# A denied run sends no command.
operator: /dh restart iris_controller
expect Approval needed
approver2: deny not during market hours
expect denied
refute 2s Running · restart iris_controller

verify audit
