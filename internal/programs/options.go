package programs

import (
	"slices"
	"strings"
)

// options are the options with which the effect of a program is known. With any other option the
// effect is unknown, even if the option is only an abbreviated form.
type options struct {
	flags  string // letters without a value
	valued string // letters with a value, joined or in the next word
	// long are the long options, separated by blanks. An option that ends with "=" has a value,
	// joined or in the next word.
	long string
}

// parse removes the options and returns the other arguments. ok is false if an option is
// unknown, or lacks its value.
func (o options) parse(args []string) (operands []string, ok bool) {
	long := strings.Fields(o.long)
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			return append(operands, args[i+1:]...), true
		case strings.HasPrefix(a, "--"):
			name, _, joined := strings.Cut(a[2:], "=")
			switch {
			case slices.Contains(long, name+"="):
				if !joined {
					i++
				}
			case joined || !slices.Contains(long, name):
				return nil, false
			}
		case len(a) > 1 && a[0] == '-':
			next, known := o.letters(a[1:])
			if !known {
				return nil, false
			}
			if next {
				i++
			}
		default:
			operands = append(operands, a)
		}
		if i >= len(args) {
			return nil, false // a value is missing
		}
	}
	return operands, true
}

// letters parses the letters of one word. The result next is true if the next word is the value
// of the last letter.
func (o options) letters(word string) (next, known bool) {
	for i, r := range word {
		switch {
		case strings.ContainsRune(o.flags, r):
		case strings.ContainsRune(o.valued, r):
			return i == len(word)-1, true
		default:
			return false, false
		}
	}
	return false, true
}

// reads returns the effect of a program that only reads if it has no other options than these.
// The operands do not matter.
func (o options) reads(args []string) Effect {
	_, ok := o.parse(args)
	return when(ok)
}

// has reports whether one of the options is among the arguments, in exactly this form.
func has(args []string, options ...string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(options, a) })
}

// systemPrograms are the directories of the known programs.
var systemPrograms = []string{"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/illumon/latest/bin"}

// systemFiles are directories in which a new file may be executed, or read as a setting. So a
// command must not treat a file there as its own.
var systemFiles = strings.Fields("/bin /boot /dev /etc /home /lib /lib32 /lib64 /opt /proc /root /run /sbin /sys /usr /var")

// ownFiles are directories below systemFiles for a command's own files.
var ownFiles = []string{"/var/backups", "/var/tmp"}

// FreshFile reports whether writing a file at a path changes nothing else. The path must be
// absolute, contain no "..", and be outside the system directories.
func FreshFile(path string) bool {
	inside := func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "..") || strings.Contains(path, "//") {
		return false
	}
	return slices.ContainsFunc(ownFiles, inside) || !slices.ContainsFunc(systemFiles, inside)
}
