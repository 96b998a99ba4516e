package redact

// toolRules find secrets in the arguments of programs, and in database statements.
var toolRules = []rule{
	{[]string{"pass:"}, []shape{only(`\bpass:(\S+)`)}},
	// Options with user:password, of curl, etcdctl and other programs.
	{[]string{"-u", "-user", " user add "}, []shape{
		only(`(?:^|\s)(?:--(?:proxy-|ftp-|http-)?user[ =]|-[uU][ \t]*)["']?[\w.@\\\-]+:([^\s"'/][^\s"']*|/[^\s"'/][^\s"']*)`),
		only(`(?:^|\s)-U[ \t]*["']?[\w.\\/\-]+%([^\s"']+)`),
		only(`\betcdctl(?:\.sh)?\b[^\n|;&]*\buser[ \t]+add[ \t]+["']?[\w.\-]+:([^\s"']+)`),
	}},
	{[]string{"mysql", "mariadb"}, []shape{
		only(`\b(?:mysql|mariadb|mysqladmin|mysqldump|mysqlcheck|mysqlshow|mysqlimport|mysqlbinlog|mariadb-\w+)\b[^\n|;&]*?\s-p(["'][^"'\n]*["']|[^\s\-"']\S*)`),
	}},
	{[]string{"sshpass"}, []shape{only(`\bsshpass[ \t]+-p[ \t]*(\S+)`)}},
	{[]string{"htpasswd"}, []shape{only(`\bhtpasswd[ \t]+(?:-\S+[ \t]+)*-[A-Za-z]*b[A-Za-z]*(?:[ \t]+[^\s\-]\S*){1,2}?[ \t]+(\S+)(?:\s*$|[\n|;&])`)}},
	{[]string{"ldap"}, []shape{
		only(`\bldap[a-z]+\b[^\n|;&]*?\s-w[ \t]*(["'][^"'\n]*["']|[^\s"'\-]\S*)`),
		only(`\bldappasswd\b[^\n|;&]*?\s-[sa][ \t]*([^\s\-]\S*)`),
	}},
	{[]string{"redis", "auth ", "requirepass", "masterauth"}, []shape{
		only(`\bredis-(?:cli|benchmark)\b[^\n|;&]*?\s-a[ \t]*([^\s\-]\S*)`),
		only(`\b(?:requirepass|masterauth)[ \t]+(\S+)`),
		only(`^\s*(?:\d+>\s*)?AUTH[ \t]+(?:\w+[ \t]+)?(\S+)\s*$`),
	}},
	{[]string{"mongo"}, []shape{only(`\bmongo[a-z]*\b[^\n|;&]*?\s-p[ \t]*([^\s\-]\S*)`)}},
	{[]string{" login"}, []shape{only(`\b(?:docker|podman|buildah|skopeo|nerdctl|helm|az|oc|crane|oras|registry)\b[^\n|;&]*\blogin\b[^\n|;&]*?\s-p[ \t]*([^\s\-]\S*)`)}},
	{[]string{"sqlplus", "rman", "sqlldr", "expdp", "impdp", "jdbc:oracle", "connect "}, []shape{
		only(`\bjdbc:oracle:\w+:[\w.$#\-]+/([^\s@"']+)@`),
		only(`\b(?:sqlplus|rman|sqlldr|expdp|impdp)\b[^\n|;&]*?\s["']?[\w.$#]+/([^\s@"'/][^\s@"']*)(?:@|["'\s]|$)`),
		only(`(?i)\bconn(?:ect)?[ \t]+[\w.$#]+/([^\s@"'/]+)@`),
	}},
	{[]string{"snmp"}, []shape{only(`\bsnmp[a-z]+\b[^\n|;&]*?\s-[cAX][ \t]*([^\s\-]\S*)`)}},
	{[]string{"community"}, []shape{
		only(`(?i)\br[ow]community6?[ \t]+(\S+)`),
		only(`(?i)\bcommunity[ \t]+(\S+)[ \t]+r[ow]\b`),
	}},
	{[]string{"openssl"}, []shape{only(`\bopenssl\b[^\n|;&]*?\s-[kK][ \t]+([^\s\-]\S*)`)}},
	{[]string{"ipmitool", "zip", "7z", "freerdp", "rsync"}, []shape{
		only(`\b(?:ipmitool|zip|unzip)\b[^\n|;&]*?\s-P[ \t]*([^\s\-]\S*)`),
		only(`\b7z[ar]?\b[^\n|;&]*?\s-p(\S+)`),
		only(`\bx?freerdp\b[^\n|;&]*?\s/p:(\S+)`),
	}},
	{[]string{"vault login"}, []shape{only(`\bvault[ \t]+login[ \t]+(?:-\S+[ \t]+)*([^\s\-=]+)(?:\s|$)`)}},
	{[]string{"passwd", "chpasswd", "sudo -s", "stdin"}, []shape{
		only(`\becho[ \t]+(?:-\S+[ \t]+)*["']?([^\s"'|]+)["']?[ \t]*\|[ \t]*(?:sudo[ \t]+(?:-\S+[ \t]+)*)?(?:chpasswd|passwd|\S+[^|\n]*(?:--(?:password-)?stdin|-S)\b|sudo[ \t]+-S)`),
	}},
	// netrc, pgpass, monitrc
	{[]string{"allow "}, []shape{only(`^\s*allow[ \t]+["']?[A-Za-z][\w\-]*["']?:["']?([^\s"'/]+)`)}},
	{[]string{":5432:", ":3306:", ":*:"}, []shape{only(`^[\w.*\-]+:(?:\d{2,5}|\*):[\w*\-]+:[\w*\-]+:(\S+)$`)}},
	// statements
	{[]string{"identified"}, []shape{
		only(`(?i)\bidentified[ \t]+(?:(?:with|via)[ \t]+[\w"'` + "`" + `]+[ \t]+)?(?:by|as|using)[ \t]+(?:random[ \t]+)?(?:password[ \t]*)?\(?[ \t]*'([^'\n]*)`),
		only(`(?i)\bidentified[ \t]+(?:(?:with|via)[ \t]+[\w"'` + "`" + `]+[ \t]+)?(?:by|as|using)[ \t]+(?:password[ \t]*)?\(?[ \t]*"([^"\n]*)`),
		only(`(?i)\bidentified[ \t]+by[ \t]+(?:values[ \t]+)?([^\s"'();]+)`),
	}},
	{[]string{"password"}, []shape{
		only(`(?i)\b(?:old_)?password[ \t]*\([ \t]*(?:'([^'\n]*)|"([^"\n]*))`),
		only(`(?i)\bset[ \t]+password\b[^=\n]*=[ \t]*(?:(?:old_)?password[ \t]*\([ \t]*)?(?:'([^'\n]*)|"([^"\n]*))`),
		only(`(?i)\b(?:encrypted[ \t]+|with[ \t]+)password[ \t]+(?:'([^'\n]*)|"([^"\n]*))`),
	}},
}

// formRules find tokens and hashes that have a recognizable format. Many also match a token that a
// log has cut. The rules of gitleaks need a complete token.
var formRules = []rule{
	{[]string{"xox", "xapp", "xwfp"}, []shape{only(`\bx(?:ox[a-z]|app|wfp)(?:\.[a-z]+)?-[A-Za-z0-9\-]{6,}`)}},
	{[]string{"akia", "asia", "abia", "acca"}, []shape{only(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`)}},
	{[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}, []shape{only(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})`)}},
	{[]string{"glpat-", "glrt-", "gldt-", "glcbt-", "glptt-", "gloas-", "glsoat-"}, []shape{only(`\bgl(?:pat|rt|dt|cbt|ptt|oas|soat)-[A-Za-z0-9_\-.]{16,}`)}},
	{[]string{"sk-"}, []shape{only(`\bsk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_\-]*[0-9][A-Za-z0-9_\-]{15,}`)}},
	{[]string{"sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"}, []shape{only(`\b(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}`)}},
	{[]string{"aiza", "ya29."}, []shape{only(`\b(?:AIza[\w\-]{16,}|ya29\.[\w\-]{16,})`)}},
	{[]string{"npm_", "pypi-", "rubygems_", "hf_", "dckr_pat_", "dop_v1_", "shpat_", "shpss_", "lin_api_", "figd_", "nfp_", "tskey-", "gsk_", "xai-", "sntrys_", "sntryu_", "pul-", "nrak-", "pmak-", "glsa_"}, []shape{
		only(`\b(?:npm|rubygems|hf|dckr_pat|dop_v1|shpat|shpss|lin_api|figd|nfp|gsk|sntrys|sntryu|glsa)_[A-Za-z0-9_=\-]{16,}`),
		only(`\b(?:pypi|tskey|xai|pul|NRAK|PMAK)-[A-Za-z0-9_=\-]*[0-9][A-Za-z0-9_=\-]{15,}`),
	}},
	{[]string{"hvs.", "hvb.", "hvr."}, []shape{only(`\bhv[sbr]\.[\w\-]{12,}`)}},
	{[]string{"key-"}, []shape{only(`\bkey-[0-9a-f]{32}\b`)}},
	{[]string{"sg."}, []shape{only(`\bSG\.[\w\-]{10,}\.[\w\-]{10,}`)}},
	{[]string{"atatt3"}, []shape{only(`\bATATT3[\w\-=]{16,}`)}},
	{[]string{"age-secret-key-"}, []shape{only(`(?i)\bage-secret-key-[a-z0-9]{10,}`)}},
	{[]string{"eyj"}, []shape{only(`\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?`)}},
	{[]string{"hooks.slack.com", "discord", "webhook.office.com", "api.telegram.org"}, []shape{
		only(`\bhooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_\-]+)`),
		only(`\bdiscord(?:app)?\.com/api/webhooks/[0-9]+/([\w\-]+)`),
		only(`\bwebhook\.office\.com/webhookb2/([\w\-@/]+)`),
		only(`\bapi\.telegram\.org/bot([0-9]+:[\w\-]+)`),
	}},
	{[]string{"$"}, []shape{only(`\$(?:apr1|1|5|6|7|y|gy|A|2[abxy]?|argon2(?:id?|d)|scrypt|pbkdf2[\w\-]*)\$[./A-Za-z0-9$=,+\-]{8,}`)}},
	{[]string{"pbkdf2_", "scram-sha"}, []shape{only(`(?:\bpbkdf2_sha\w+\$|\bSCRAM-SHA-\d+\$)[./A-Za-z0-9$:=+]{8,}`)}},
	{[]string{"{"}, []shape{only(`\{(?:S?SHA(?:256|384|512)?|S?MD5|CRYPT|PBKDF2[\w\-]*|BCRYPT|ARGON2)\}[A-Za-z0-9+/=.$]{8,}`)}},
	{[]string{"*"}, []shape{only(`\*[0-9A-F]{40}\b`)}},
	{[]string{"md5"}, []shape{only(`\bmd5[0-9a-f]{32}\b`)}},
}
