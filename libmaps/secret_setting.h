/// Settings of table clients that are nobody else's business, and messages without them.
///
///     if (is_secret("password", value)) ...
///     const SecretLines secrets(document);
///     error.message = secrets.hide(std::move(error.message), error.line);
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "libconf/main_cf_document.h"

namespace libmaps {

/// Whether `value` of `setting` is to be kept from others: the setting is a password, or the value has a URL
/// with one ("mongodb://user:password@host").
bool is_secret(std::string_view setting, std::string_view value);

/// What a message has in place of a secret.
inline constexpr std::string_view kHidden = "(hidden)";

/// The settings of a file that are secret in one of their lines, malformed lines included.
class SecretLines {
 public:
  /// The document must outlive the object.
  explicit SecretLines(const libconf::MainCfDocument& document);

  /// A message of the document ("FILE, line 3: overriding earlier entry: password=x") about the logical line
  /// that starts at `line`, without what it quotes when that line is secret.
  std::string hide(std::string message, int line) const;

 private:
  const libconf::MainCfDocument& document_;
  std::set<std::string, std::less<>> names_;
};

/// Passes diagnostics on, without the secrets in them. Sink and lines must outlive it.
class HidingSink final : public libconf::DiagnosticSink {
 public:
  HidingSink(const SecretLines& secrets, libconf::DiagnosticSink& sink) : secrets_(secrets), sink_(sink) {}

  void report(libconf::Diagnostic diagnostic) override {
    diagnostic.message = secrets_.hide(std::move(diagnostic.message), diagnostic.line);
    sink_.report(std::move(diagnostic));
  }

 private:
  const SecretLines& secrets_;
  libconf::DiagnosticSink& sink_;
};

}  // namespace libmaps
