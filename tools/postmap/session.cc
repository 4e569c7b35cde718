#include "tools/postmap/session.h"

#include <cstdlib>
#include <utility>

#include "libconf/parameter_table.h"
#include "libconf/text.h"

namespace postmap {

using libconf::Error;
using libconf::Result;
using libmaps::NullTermination;

Result<std::unique_ptr<Session>> Session::start(const Program& program, Options options, Streams streams) {
  std::unique_ptr<Session> session(new Session(program, std::move(options), streams));
  if (Result<void> loaded = session->load(); !loaded) return loaded.error();
  return session;
}

Result<void> Session::load() {
  const char* environment = std::getenv("MAIL_CONFIG");  // NOLINT(concurrency-mt-unsafe): once, at the start.
  const bool has_own_directory = options_.config_directory.has_value() || environment != nullptr;
  directory_ = options_.config_directory ? *options_.config_directory
               : environment != nullptr  ? environment
                                         : libconf::find_parameter("config_directory")->default_value;

  Result<libconf::MainCfDocument> document =
      libconf::MainCfDocument::load(directory_ + "/main.cf", warnings(),
                                    has_own_directory ? std::string_view(directory_) : std::string_view());
  if (!document) return document.error();
  main_cf_.emplace(std::move(*document));
  settings_.emplace(&*main_cf_, libconf::system_host());
  if (has_own_directory) settings_->set_config_directory(directory_);

  const Result<std::string> default_type = settings_->get("default_database_type");
  if (!default_type) return default_type.error();
  default_type_ = *default_type;
  const Result<bool> utf8 = settings_->get_bool("smtputf8_enable");
  if (!utf8) return utf8.error();
  messages().show_utf8(*utf8);
  table_options_ = {
      .fold_keys = !options_.no_fold,
      .utf8 = *utf8 && !options_.no_utf8 && (!options_.asks_message() || options_.force_utf8),
      .load_files = options_.files,
      .decode_files = options_.files,
      .null_termination = options_.with_null == options_.no_null ? NullTermination::kEither
                          : options_.with_null                   ? NullTermination::kAlways
                                                                 : NullTermination::kNever,
  };
  return {};
}

Result<std::vector<std::string>> Session::tables_to_build() const {
  if (program_.tables_parameter.empty()) return options_.tables;
  return settings_->get_list(program_.tables_parameter);
}

libmaps::SourceOptions Session::source_options() const {
  return {.format = program_.format,
          .fold_keys = table_options_.fold_keys,
          .utf8 = table_options_.utf8,
          .values_are_files = options_.files};
}

libmaps::Duplicates Session::duplicates() const {
  return options_.ignore_duplicates ? libmaps::Duplicates::kIgnore
         : options_.replace         ? libmaps::Duplicates::kReplace
                                    : libmaps::Duplicates::kWarn;
}

}  // namespace postmap
