/// The check of every rule: for the rule table, which says what each is about.
#pragma once

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint::rules {

// syntax.cc
void malformed_line(const SiteModel& site, Findings& findings);
void dup_param(const SiteModel& site, Findings& findings);
void dup_service(const SiteModel& site, Findings& findings);
void quoted_value(const SiteModel& site, Findings& findings);
void template_residue(const SiteModel& site, Findings& findings);
void suspicious_layout(const SiteModel& site, Findings& findings);
void bad_ignore(const SiteModel& site, Findings& findings);

// parameters.cc
void bad_value(const SiteModel& site, Findings& findings);
void unused_param(const SiteModel& site, Findings& findings);
void undef_ref(const SiteModel& site, Findings& findings);
void ref_cycle(const SiteModel& site, Findings& findings);
void bad_expression(const SiteModel& site, Findings& findings);
void deprecated_param(const SiteModel& site, Findings& findings);
void version_mismatch(const SiteModel& site, Findings& findings);
void compat_level(const SiteModel& site, Findings& findings);

// restriction_syntax.cc
void unknown_restriction(const SiteModel& site, Findings& findings);
void restriction_arg(const SiteModel& site, Findings& findings);
void removed_restriction(const SiteModel& site, Findings& findings);

// relay.cc
void open_relay(const SiteModel& site, Findings& findings);
void no_relay_guard(const SiteModel& site, Findings& findings);
void relay_restr_empty(const SiteModel& site, Findings& findings);
void permit_before_guard(const SiteModel& site, Findings& findings);
void relay_order(const SiteModel& site, Findings& findings);
void unreachable_rule(const SiteModel& site, Findings& findings);
void test_knob_left(const SiteModel& site, Findings& findings);
void helo_not_required(const SiteModel& site, Findings& findings);
void submission_inherits(const SiteModel& site, Findings& findings);
void sender_spoof(const SiteModel& site, Findings& findings);

// networks.cc
void mynetworks_wide(const SiteModel& site, Findings& findings);
void mynetworks_style(const SiteModel& site, Findings& findings);
void v6_nat_gap(const SiteModel& site, Findings& findings);
void cidr_host_bits(const SiteModel& site, Findings& findings);
void xclient_wide(const SiteModel& site, Findings& findings);

// domains.cc
void domain_overlap(const SiteModel& site, Findings& findings);
void alias_loop(const SiteModel& site, Findings& findings);
void local_rcpt_empty(const SiteModel& site, Findings& findings);
void relay_rcpt_missing(const SiteModel& site, Findings& findings);
void late_reject(const SiteModel& site, Findings& findings);
void catchall_remote(const SiteModel& site, Findings& findings);
void myhostname_fqdn(const SiteModel& site, Findings& findings);
void no_postmaster(const SiteModel& site, Findings& findings);

// routes.cc
void transport_undefined(const SiteModel& site, Findings& findings);
void filter_loop(const SiteModel& site, Findings& findings);
void relayhost_loop(const SiteModel& site, Findings& findings);
void relayhost_mx(const SiteModel& site, Findings& findings);

// protocol.cc
void bare_newline(const SiteModel& site, Findings& findings);
void unauth_pipelining(const SiteModel& site, Findings& findings);
void banner_leak(const SiteModel& site, Findings& findings);
void banner_name(const SiteModel& site, Findings& findings);
void vrfy_on(const SiteModel& site, Findings& findings);

// dnsbl.cc
void rbl_dead(const SiteModel& site, Findings& findings);
void rbl_before_trust(const SiteModel& site, Findings& findings);
void rbl_no_filter(const SiteModel& site, Findings& findings);

// delivery.cc
void mailbox_limit(const SiteModel& site, Findings& findings);
void virtual_incomplete(const SiteModel& site, Findings& findings);
void queue_lifetime(const SiteModel& site, Findings& findings);
void alias_database(const SiteModel& site, Findings& findings);

}  // namespace postlint::rules
