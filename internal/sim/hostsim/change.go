package hostsim

import (
	"fmt"
	"path"
	"strings"
)

// options splits args into the leading options, which begin with "-", and the rest. A "--" ends the
// options, and is in neither result.
func options(args []string) (opts, rest []string) {
	for i, a := range args {
		if a == "--" {
			return args[:i], args[i+1:]
		}
		if !strings.HasPrefix(a, "-") {
			return args[:i], args[i:]
		}
	}
	return args, nil
}

// rm removes files. With the option -r, it also removes directories and their content.
func (c *call) rm(args []string) answer {
	opts, names := options(args)
	recursive := false
	for _, o := range opts {
		if o != "-r" {
			return notSimulated("rm " + o)
		}
		recursive = true
	}
	a := answer{changes: true}
	for _, name := range names {
		n, wrong := c.lookUp(name)
		switch {
		case wrong != "":
		case n.dir && !recursive:
			wrong = "Is a directory"
		case !c.mayWrite(path.Dir(name)):
			wrong = "Permission denied"
		}
		if wrong != "" {
			a.err += fmt.Sprintf("rm: cannot remove '%s': %s\n", name, wrong)
			a.exit = 1
			continue
		}
		for _, at := range c.host.disk.under(path.Clean(name)) {
			delete(c.host.disk.nodes, at)
		}
	}
	return a
}

// mkdir implements `mkdir [-p] DIR…`.
func (c *call) mkdir(args []string) answer {
	opts, names := options(args)
	parents := len(opts) == 1 && opts[0] == "-p"
	if len(opts) > 0 && !parents {
		return notSimulated("mkdir " + strings.Join(opts, " "))
	}
	a := answer{changes: true}
	for _, name := range names {
		above := path.Dir(name)
		for parents && above != "/" {
			if _, there := c.host.disk.nodes[above]; there {
				break
			}
			above = path.Dir(above)
		}
		_, there := c.host.disk.nodes[name]
		switch {
		case there && parents:
		case there:
			a.err, a.exit = a.err+fmt.Sprintf("mkdir: cannot create directory '%s': File exists\n", name), 1
		case !c.mayWrite(above):
			a.err, a.exit = a.err+fmt.Sprintf("mkdir: cannot create directory '%s': Permission denied\n", name), 1
		default:
			c.host.disk.makeAll(name, c.user, c.world.now)
		}
	}
	return a
}

// install implements `install -d -m MODE -o OWNER -g GROUP DIR`, as root.
func (c *call) install(args []string) answer {
	if len(args) != 8 || args[0] != "-d" || args[1] != "-m" || args[3] != "-o" || args[5] != "-g" {
		return notSimulated("install " + strings.Join(args, " "))
	}
	if c.user != "root" {
		return answer{err: fmt.Sprintf("install: cannot change owner and permissions of '%s': Operation not permitted\n", args[7]), exit: 1}
	}
	d := c.host.disk
	d.makeAll(path.Dir(args[7]), "root", c.world.now)
	d.put(args[7], node{dir: true, owner: args[4], mode: args[2], changed: c.world.now})
	return answer{changes: true}
}

// move implements cp and mv of one file. tool is "cp" or "mv".
func (c *call) move(tool string, args []string) answer {
	opts, names := options(args)
	keep := len(opts) == 1 && opts[0] == "--no-clobber"
	if len(names) != 2 || len(opts) > 0 && !keep {
		return notSimulated(tool + " " + strings.Join(args, " "))
	}
	from, wrong := c.lookUp(names[0])
	if wrong != "" || from.dir {
		return answer{err: fmt.Sprintf("%s: cannot stat '%s': %s\n", tool, names[0], wrong), exit: 1}
	}
	if _, there := c.host.disk.nodes[names[1]]; there && keep {
		return answer{}
	}
	if tool == "mv" && !c.mayWrite(path.Dir(names[0])) {
		return answer{err: fmt.Sprintf("mv: cannot move '%s' to '%s': Permission denied\n", names[0], names[1]), exit: 1}
	}
	if wrong := c.create(names[1], from.text); wrong != "" {
		return answer{err: fmt.Sprintf("%s: cannot create regular file '%s': %s\n", tool, names[1], wrong), exit: 1}
	}
	if tool == "mv" {
		delete(c.host.disk.nodes, names[0])
	}
	return answer{changes: true}
}
