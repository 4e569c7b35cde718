"""A good configuration of a mail exchanger, and mistakes to make in it: one at a time, each for a rule that must find it."""

GOOD = {
    "main.cf": """\
compatibility_level = 3.11
myhostname = mail.good.test
mydomain = good.test
mydestination = $myhostname, localhost, $mydomain
inet_protocols = all
mynetworks = 127.0.0.0/8, [::1]/128, 192.0.2.0/28
smtpd_banner = $myhostname ESMTP
alias_maps = hash:/etc/postfix/aliases
alias_database = $alias_maps
virtual_alias_domains = lists.test
virtual_alias_maps = hash:/etc/postfix/virtual
relay_domains = branch.test
relay_recipient_maps = hash:/etc/postfix/relay_recipients
transport_maps = hash:/etc/postfix/transport
relayhost = [gw.good.test]:587
disable_vrfy_command = yes
message_size_limit = 52428800
mailbox_size_limit = 0
delay_warning_time = 4h
smtpd_helo_required = yes
smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname
smtpd_client_restrictions = permit_mynetworks,
    reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = reject_non_fqdn_recipient,
    check_sender_access hash:/etc/postfix/senders
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_chain_files = /etc/ssl/private/mail.pem
smtpd_sender_login_maps = hash:/etc/postfix/logins
""",
    "master.cf": """\
smtp       inet  n       -       n       -       -       smtpd
submission inet  n       -       n       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=
  -o smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
127.0.0.1:10026 inet n   -       n       -       -       smtpd
  -o smtpd_client_restrictions=
pickup     unix  n       -       n       60      1       pickup
cleanup    unix  n       -       n       -       0       cleanup
qmgr       unix  n       -       n       300     1       qmgr
tlsmgr     unix  -       -       n       1000?   1       tlsmgr
rewrite    unix  -       -       n       -       -       trivial-rewrite
bounce     unix  -       -       n       -       0       bounce
defer      unix  -       -       n       -       0       bounce
trace      unix  -       -       n       -       0       bounce
verify     unix  -       -       n       -       1       verify
flush      unix  n       -       n       1000?   0       flush
proxymap   unix  -       -       n       -       -       proxymap
proxywrite unix  -       -       n       -       1       proxymap
smtp       unix  -       -       n       -       -       smtp
relay      unix  -       -       n       -       -       smtp
showq      unix  n       -       n       -       -       showq
error      unix  -       -       n       -       -       error
retry      unix  -       -       n       -       -       error
discard    unix  -       -       n       -       -       discard
local      unix  -       n       n       -       -       local
virtual    unix  -       n       n       -       -       virtual
lmtp       unix  -       -       n       -       -       lmtp
anvil      unix  -       -       n       -       1       anvil
scache     unix  -       -       n       -       1       scache
postlog    unix-dgram n  -       n       -       1       postlogd
""",
    "aliases": "postmaster: root\nroot: ann\n",
    "virtual": "ann@lists.test ann@good.test\npostmaster@lists.test postmaster@good.test\n",
    "relay_recipients": "info@branch.test OK\n",
    "transport": "branch.test relay:[mail.branch.test]\n",
    "senders": "spam.test REJECT\n",
    "logins": "ann@good.test ann\n",
}

# (rule, file, what is there, what it becomes)
MISTAKES = [
    ("bad-value", "main.cf", "message_size_limit = 52428800", "message_size_limit = 50M"),
    ("bad-value", "main.cf", "delay_warning_time = 4h", "delay_warning_time = 4 hours"),
    ("bad-value", "main.cf", "smtpd_helo_required = yes", "smtpd_helo_required = true"),
    ("dup-param", "main.cf", "mydomain = good.test\n", "mydomain = good.test\nmydomain = better.test\n"),
    ("unused-param", "main.cf", "disable_vrfy_command", "disable_vrfy_comand"),
    ("unused-param", "master.cf", "-o smtpd_sasl_auth_enable", "-o smtpd_sasl_auth_enabled"),
    ("undef-ref", "main.cf", "localhost, $mydomain", "localhost, $mydomian"),
    ("ref-cycle", "main.cf", "mydomain = good.test", "mydomain = $mydomain"),
    ("bad-expression", "main.cf", "$myhostname ESMTP", "${myhostname ESMTP"),
    ("malformed-line", "main.cf", "inet_protocols = all", "inet_protocols all"),
    ("unknown-restriction", "main.cf", "reject_invalid_helo_hostname", "reject_invalid_helo_hostnam"),
    ("unknown-restriction", "master.cf", "permit_sasl_authenticated,reject", "permit_sasl_auth,reject"),
    ("restriction-arg", "main.cf", "check_sender_access hash:/etc/postfix/senders", "check_sender_access /etc/postfix/senders"),
    ("removed-restriction", "main.cf", "reject_non_fqdn_recipient,", "permit_naked_ip_address,"),
    ("quoted-value", "main.cf", "mydomain = good.test", "mydomain = \"good.test\""),
    ("template-residue", "main.cf", "myhostname = mail.good.test", "myhostname = {{ ansible_fqdn }}"),
    ("template-residue", "main.cf", "mydomain = good.test", "mydomain = example.com"),
    ("suspicious-layout", "main.cf", "\ndelay_warning_time", "\n delay_warning_time"),
    ("suspicious-layout", "main.cf", "delay_warning_time = 4h", "delay_warning_time = 4h # was 1h"),
    ("deprecated-param", "main.cf", "smtpd_tls_security_level = may", "smtpd_use_tls = yes"),
    ("compat-level", "main.cf", "compatibility_level = 3.11", "compatibility_level = 2"),
    ("dup-service", "master.cf", "pickup     unix", "smtp inet n - n - - smtpd\npickup     unix"),
    ("open-relay", "main.cf", "192.0.2.0/28", "192.0.2.0/28, 0.0.0.0/0"),
    ("open-relay", "main.cf", "permit_sasl_authenticated, reject_unauth_destination",
     "permit_sasl_authenticated, check_helo_access static:OK, reject_unauth_destination"),
    ("mynetworks-wide", "main.cf", "192.0.2.0/28", "192.0.0.0/8"),
    ("no-relay-guard", "main.cf", "permit_sasl_authenticated, reject_unauth_destination", "permit_sasl_authenticated"),
    ("relay-restr-empty", "main.cf", "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination\n"
     "smtpd_recipient_restrictions = ", "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = reject_unauth_destination, "),
    ("relay-order", "main.cf", "relayhost =", "smtpd_relay_before_recipient_restrictions = no\nrelayhost ="),
    ("unreachable-rule", "main.cf", "permit_mynetworks,\n    reject_rbl_client", "permit_mynetworks, permit,\n    reject_rbl_client"),
    ("cidr-host-bits", "main.cf", "192.0.2.0/28", "192.0.2.1/28"),
    ("v6-nat-gap", "main.cf", "192.0.2.0/28", "172.17.0.0/16"),
    ("test-knob-left", "main.cf", "relayhost =", "soft_bounce = yes\nrelayhost ="),
    ("helo-not-required", "main.cf", "smtpd_helo_required = yes", "smtpd_helo_required = no"),
    ("submission-inherits", "master.cf", "  -o smtpd_client_restrictions=\n  -o smtpd_sender", "  -o smtpd_sender"),
    ("sender-spoof", "master.cf", "reject_authenticated_sender_login_mismatch", "reject_unknown_sender_domain"),
    ("xclient-wide", "main.cf", "relayhost =", "smtpd_authorized_xclient_hosts = 0.0.0.0/0\nrelayhost ="),
    ("domain-overlap", "main.cf", "relay_domains = branch.test", "relay_domains = branch.test, good.test"),
    ("alias-loop", "virtual", "ann@lists.test ann@good.test", "ann@lists.test bob@lists.test\nbob@lists.test ann@lists.test"),
    ("local-rcpt-empty", "main.cf", "relayhost =", "local_recipient_maps =\nrelayhost ="),
    ("relay-rcpt-missing", "main.cf", "relay_recipient_maps = hash:/etc/postfix/relay_recipients\n", ""),
    ("late-reject", "main.cf", "relayhost =", "smtpd_reject_unlisted_recipient = no\nrelayhost ="),
    ("catchall-remote", "virtual", "ann@lists.test ann@good.test", "@lists.test ann@elsewhere.test"),
    ("transport-undefined", "transport", "relay:[mail", "realy:[mail"),
    ("filter-loop", "main.cf", "relayhost =", "content_filter = smtp:[127.0.0.1]:10025\nrelayhost ="),
    ("relayhost-loop", "main.cf", "[gw.good.test]:587", "[mail.good.test]"),
    ("relayhost-mx", "main.cf", "[gw.good.test]:587", "gw.good.test:587"),
    ("myhostname-fqdn", "main.cf", "myhostname = mail.good.test", "myhostname = mail"),
    ("no-postmaster", "aliases", "postmaster: root\n", ""),
    ("bare-newline", "main.cf", "relayhost =", "smtpd_forbid_bare_newline = no\nrelayhost ="),
    ("unauth-pipelining", "main.cf", "smtpd_data_restrictions = reject_unauth_pipelining", "smtpd_forbid_unauth_pipelining = no"),
    ("banner-leak", "main.cf", "$myhostname ESMTP", "$myhostname ESMTP $mail_version"),
    ("banner-name", "main.cf", "$myhostname ESMTP", "ESMTP ready"),
    ("vrfy-on", "main.cf", "disable_vrfy_command = yes\n", ""),
    ("rbl-dead", "main.cf", "zen.spamhaus.org=127.0.0.[2..11]", "dnsbl.sorbs.net"),
    ("rbl-no-filter", "main.cf", "zen.spamhaus.org=127.0.0.[2..11]", "zen.spamhaus.org"),
    ("alias-database", "main.cf", "alias_database = $alias_maps", "alias_database = hash:/etc/aliases"),
    ("mailbox-limit", "main.cf", "mailbox_size_limit = 0\n", ""),
    ("queue-lifetime", "main.cf", "relayhost =", "maximal_queue_lifetime = 5m\nrelayhost ="),
    ("virtual-incomplete", "main.cf", "relayhost =", "virtual_mailbox_domains = boxes.test\nrelayhost ="),
    ("rbl-before-trust", "main.cf", "permit_mynetworks,\n    reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]",
     "reject_rbl_client zen.spamhaus.org=127.0.0.[2..11],\n    permit_mynetworks"),
]
