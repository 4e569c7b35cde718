/// What opening a table needs to know.
#pragma once

#include <functional>
#include <string_view>

#include "libconf/diagnostic.h"
#include "libconf/result.h"
#include "libconf/settings.h"
#include "libmaps/index_format.h"

namespace libmaps {

/// How keys and values are treated, whatever the type.
struct TableOptions {
  bool fold_keys = true;  ///< Fixed-string keys are matched without regard to case (postmap: not -f).
  bool utf8 = false;      ///< Keys and values must be UTF-8; folding is Unicode's (smtputf8_enable, not -u).
  bool load_files = false;  ///< Values in a source name files, and are their contents in base64 (postmap -F).
  bool decode_files = false;  ///< Values are base64, and what comes out is decoded (postmap -F).
  bool bypass_proxy = false;  ///< `proxy:` tables are opened without their service, as security-sensitive
                              ///< uses need (proxymap(8)), and the service itself.
  bool forbid_substitution = false;  ///< Rules of patterns with `$number` in their results do not count: the
                                     ///< client would choose whose rights are used (local(8), virtual(8)).
  NullTermination null_termination = NullTermination::kEither;  ///< postmap -N, -n.
};

/// Whether a domain is in a list of domains and tables. An error means that it could not tell.
using DomainPredicate = std::function<libconf::Result<bool>(std::string_view domain)>;

/// Makes the test that `patterns` describes, such as "example.com, hash:/etc/postfix/domains"; `place` is for
/// messages. Errors: as opening the tables that it names.
using DomainPredicateMaker =
    std::function<libconf::Result<DomainPredicate>(std::string_view patterns, std::string_view place)>;

/// Settings and sink must outlive the tables that were opened with them. Copying is cheap.
struct TableContext {
  const libconf::Settings& settings;
  libconf::DiagnosticSink& warnings;  ///< Gets what is wrong in a table's source, and what a lookup warns of.
  TableOptions options = {};
  DomainPredicateMaker match_domains = {};  ///< For the `domain` setting of tables that query a database.
};

}  // namespace libmaps
