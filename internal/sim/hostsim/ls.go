package hostsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// lsFlags are the supported options of ls: -l -t -r -1 -a -d.
type lsFlags struct{ long, byTime, reverse, directory bool }

// ls lists the given files, or the content of a single given directory.
func (c *call) ls(args []string) answer {
	var flags lsFlags
	var names []string
	for _, a := range args {
		if !strings.HasPrefix(a, "-") || a == "-" {
			names = append(names, a)
			continue
		}
		for _, r := range a[1:] {
			switch r {
			case 'l':
				flags.long = true
			case 't':
				flags.byTime = true
			case 'r':
				flags.reverse = true
			case 'd':
				flags.directory = true
			case '1', 'a', '-':
			default:
				return answer{err: fmt.Sprintf("ls: invalid option -- '%c'\nTry 'ls --help' for more information.\n", r), exit: 2}
			}
		}
	}
	var a answer
	var found []file
	heading := ""
	for _, name := range names {
		dir := strings.TrimSuffix(name, "/")
		if inside := c.host.files(dir, c.world.now); len(inside) > 0 && !flags.directory {
			for _, f := range inside {
				f.path = strings.TrimPrefix(f.path, dir+"/")
				found = append(found, f)
			}
			if flags.long {
				heading = fmt.Sprintf("total %d\n", 4*len(inside))
			}
			continue
		}
		f, wrong := c.read(name)
		if wrong == "No such file or directory" {
			a.err += "ls: cannot access '" + name + "': " + wrong + "\n"
			a.exit = 2
			continue
		}
		f.path = name // a file may be listed without read permission
		found = append(found, f)
	}
	flags.sort(found)
	a.out = heading + flags.print(found, c.world.now)
	return a
}

// sort sorts files by name, or with the option -t by time, the newest first.
func (l lsFlags) sort(found []file) {
	slices.SortStableFunc(found, func(a, b file) int {
		if l.byTime {
			if n := b.changed.Compare(a.changed); n != 0 {
				return n
			}
		}
		return strings.Compare(a.path, b.path)
	})
	if l.reverse {
		slices.Reverse(found)
	}
}

func (l lsFlags) print(found []file, now time.Time) string {
	var b strings.Builder
	owner, group, size := 0, 0, 0
	for i := range found {
		f := &found[i]
		if f.group == "" {
			f.group = f.owner
		}
		owner, group, size = max(owner, len(f.owner)), max(group, len(f.group)), max(size, len(fmt.Sprint(len(f.text))))
	}
	for _, f := range found {
		if !l.long {
			b.WriteString(f.path + "\n")
			continue
		}
		mode := "-rw-r--r--"
		if f.private {
			mode = "-rw-r-----"
		}
		when := "Jan _2 15:04"
		if now.Sub(f.changed) > 183*24*time.Hour {
			when = "Jan _2  2006"
		}
		fmt.Fprintf(&b, "%s %d %-*s %-*s %*d %s %s\n", mode, f.links, owner, f.owner, group, f.group, size, len(f.text), f.changed.UTC().Format(when), f.path)
	}
	return b.String()
}
