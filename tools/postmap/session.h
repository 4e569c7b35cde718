/// What every mode of postmap needs: the options, the settings of main.cf, where to read and to print.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libconf/main_cf_document.h"
#include "libconf/settings.h"
#include "libconf/text.h"
#include "libmaps/open.h"
#include "tools/cli/console.h"
#include "tools/postmap/options.h"

namespace postmap {

/// What Postfix says where a `proxy:` table is to be listed or built: "sequence", "create".
inline libconf::Error refuse_proxy(std::string_view action) {
  return libconf::configuration_error(libconf::concat("can't ", action, " maps via the proxy service"));
}

/// The streams of a run. `input` is a file descriptor: whoever sends keys through a pipe gets each answer
/// before the next block is waited for.
struct Streams {
  int input;
  cli::Output& output;
  cli::MessagePrinter& messages;
};

/// One run. Not copyable: the settings refer to the document.
class Session {
 public:
  /// Reads main.cf. Errors: it cannot be read or parsed.
  static libconf::Result<std::unique_ptr<Session>> start(const Program& program, Options options,
                                                         Streams streams);

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Program& program() const { return program_; }
  const Options& options() const { return options_; }
  const libconf::Settings& settings() const { return *settings_; }
  const std::string& directory() const { return directory_; }
  int input() const { return streams_.input; }
  cli::Output& output() const { return streams_.output; }
  libconf::DiagnosticSink& warnings() const { return streams_.messages; }

  /// How tables are opened by these options.
  libmaps::TableContext context() const { return {*settings_, streams_.messages, table_options_}; }
  const libmaps::TableOptions& table_options() const { return table_options_; }

  /// `[type:]name`, with default_database_type where there is no type.
  libconf::Result<libmaps::TableSpec> parse_table(std::string_view text) const {
    return libmaps::parse_spec(text, default_type_);
  }

  /// The tables to build or verify: those of the command line, or of the program's parameter. Errors: its
  /// value.
  libconf::Result<std::vector<std::string>> tables_to_build() const;

  /// How lines become entries by these options.
  libmaps::SourceOptions source_options() const;
  libmaps::Duplicates duplicates() const;

 private:
  Session(const Program& program, Options options, Streams streams)
      : program_(program), options_(std::move(options)), streams_(streams) {}
  libconf::Result<void> load();

  cli::MessagePrinter& messages() const { return streams_.messages; }

  const Program& program_;
  Options options_;
  Streams streams_;
  std::string directory_;
  std::optional<libconf::MainCfDocument> main_cf_;
  std::optional<libconf::Settings> settings_;
  std::string default_type_;
  libmaps::TableOptions table_options_;
};

}  // namespace postmap
