package sshconfig

// used are the keywords that say how to reach a host.
var used = []string{
	"hostname", "port", "user", "identityfile", "certificatefile", "identityagent", "proxyjump", "proxycommand",
	"hostkeyalias", "kexalgorithms", "ciphers", "macs", "hostkeyalgorithms",
	"pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes",
}

// trust are the keywords that decide which host keys are trusted.
var trust = []string{
	"stricthostkeychecking", "userknownhostsfile", "globalknownhostsfile", "knownhostscommand", "verifyhostkeydns",
	"nohostauthenticationforlocalhost", "checkhostip", "updatehostkeys", "casignaturealgorithms", "revokedhostkeys",
}

// passedOver are the keywords of ssh_config(5) that are ignored, because they concern interactive
// sessions or features that the bot does not use.
var passedOver = []string{
	"addkeystoagent", "addressfamily", "batchmode", "bindaddress", "bindinterface", "canonicaldomains",
	"canonicalizefallbacklocal", "canonicalizehostname", "canonicalizemaxdots", "canonicalizepermittedcnames",
	"challengeresponseauthentication", "channeltimeout", "clearallforwardings", "compression", "connectionattempts",
	"connecttimeout", "controlmaster", "controlpath", "controlpersist", "dynamicforward", "enableescapecommandline",
	"enablesshkeysign", "escapechar", "exitonforwardfailure", "fingerprinthash", "forkafterauthentication",
	"forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted", "gatewayports",
	"gssapiauthentication", "gssapidelegatecredentials", "gssapiclientidentity", "gssapikeyexchange", "gssapirenewalforcesrekey",
	"gssapiserveridentity", "gssapitrustdns", "gssapikexalgorithms", "hashknownhosts", "hostbasedacceptedalgorithms",
	"hostbasedauthentication", "hostbasedkeytypes", "identitiesonly", "ipqos",
	"kbdinteractiveauthentication", "kbdinteractivedevices", "localcommand", "localforward", "loglevel", "logverbose",
	"numberofpasswordprompts", "obscurekeystroketiming", "passwordauthentication", "permitlocalcommand",
	"permitremoteopen", "pkcs11provider", "preferredauthentications", "protocol", "proxyusefdpass",
	"pubkeyauthentication", "refuseconnection", "rekeylimit", "remotecommand", "remoteforward", "requesttty", "requiredrsasize",
	"securitykeyprovider", "sendenv", "serveralivecountmax", "serveraliveinterval", "sessiontype", "setenv",
	"stdinnull", "streamlocalbindmask", "streamlocalbindunlink", "syslogfacility", "tag", "tcpkeepalive",
	"tunnel", "tunneldevice", "usekeychain", "useprivilegedport", "versionaddendum", "visualhostkey",
	"warnweakcrypto", "xauthlocation",
}
