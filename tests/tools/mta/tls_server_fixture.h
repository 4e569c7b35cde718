/// A TlsServerContext from the text of a main.cf, with files in a directory that lives as long as the test.
#pragma once

#include <memory>
#include <string>

#include "tests/libconf/temp_directory.h"
#include "tests/libmaps/table_fixture.h"
#include "tests/tools/mta/tls_handshake.h"

namespace postkit_test {

/// In `main_cf`, "@" is the directory with the files rsa.pem, ec.pem (keys and certificates) and ca.pem.
class TlsServer {
 public:
  explicit TlsServer(std::string_view main_cf = "") {
    const Identities& made = Identities::get();
    write("rsa.pem", chain_pem(made.rsa));
    write("ec.pem", chain_pem(made.ec));
    write("other.pem", chain_pem(made.other_rsa));
    write("ca.pem", certificate_pem(made.authority.certificate.get()));
    set(main_cf);
  }

  void write(std::string_view name, std::string_view text) { directory_.write(name, text); }

  std::string with_directory(std::string_view text) const {
    std::string out;
    for (const char c : text) {
      if (c == '@') {
        out += directory_.path() + "/";
      } else {
        out += c;
      }
    }
    return out;
  }

  /// What `text` says counts over TLS on offer, level 0 of logging, and the chain rsa.pem.
  void set(std::string_view text) {
    fixture_ = std::make_unique<TableFixture>(
        with_directory("compatibility_level = 3.6\nsmtpd_tls_security_level = may\n"
                       "smtpd_tls_chain_files = @rsa.pem\n") +
        with_directory(text));
  }

  /// The messages that were reported, or the error behind them.
  libconf::Result<std::shared_ptr<mta::TlsServerContext>> load(mta::Clock clock = [] {
    return std::time_t{1'000'000'000};
  }) {
    libconf::Result<mta::TlsPolicy> policy = mta::TlsPolicy::read(fixture_->settings, fixture_->warnings);
    if (!policy) return policy.error();
    return mta::TlsServerContext::load(*policy, fixture_->settings, fixture_->warnings, std::move(clock));
  }

  /// As text: what loading reports, and "error: MESSAGE". "@" is the directory again.
  std::vector<std::string> load_messages() {
    const auto loaded = load();
    std::vector<std::string> messages = fixture_->warned();
    if (!loaded) messages.push_back("error: " + loaded.error().message);
    for (std::string& message : messages) {
      for (std::size_t at; (at = message.find(directory_.path() + "/")) != std::string::npos;)
        message.replace(at, directory_.path().size() + 1, "@");
    }
    return messages;
  }

  std::string path(std::string_view name) const { return directory_.path(name); }

 private:
  TempDirectory directory_;
  std::unique_ptr<TableFixture> fixture_;
};

}  // namespace postkit_test
