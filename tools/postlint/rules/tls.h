/// The checks of the group "tls".
#pragma once

#include "tools/postlint/finding.h"
#include "tools/postlint/site_model.h"

namespace postlint::rules {

// tls.cc
void tls_level_value(const SiteModel& site, Findings& findings);
void tls_protocol_value(const SiteModel& site, Findings& findings);
void tls_legacy(const SiteModel& site, Findings& findings);
void tls_weak_cipher(const SiteModel& site, Findings& findings);
void tls_overtight_mx(const SiteModel& site, Findings& findings);
void smtp_tls_off(const SiteModel& site, Findings& findings);
void tls_no_trust(const SiteModel& site, Findings& findings);
void wrappermode(const SiteModel& site, Findings& findings);
void dane_no_dnssec(const SiteModel& site, Findings& findings);
void fp_digest(const SiteModel& site, Findings& findings);
void tls_loglevel(const SiteModel& site, Findings& findings);

// tls_auth.cc
void auth_plaintext(const SiteModel& site, Findings& findings);
void auth_port25(const SiteModel& site, Findings& findings);
void auth_never(const SiteModel& site, Findings& findings);
void submission_no_auth(const SiteModel& site, Findings& findings);
void client_auth_clear(const SiteModel& site, Findings& findings);
void sasl_anonymous(const SiteModel& site, Findings& findings);
void sasl_no_passwords(const SiteModel& site, Findings& findings);

// tls_files.cc
void cert_file(const SiteModel& site, Findings& findings);
void cert_expires_soon(const SiteModel& site, Findings& findings);
void cert_key_mismatch(const SiteModel& site, Findings& findings);
void cert_weak(const SiteModel& site, Findings& findings);
void cert_name(const SiteModel& site, Findings& findings);
void tls_no_cert(const SiteModel& site, Findings& findings);
void dh_params(const SiteModel& site, Findings& findings);
void sni_build(const SiteModel& site, Findings& findings);

}  // namespace postlint::rules
