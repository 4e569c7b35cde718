/// One configuration as all rules look at it: documents, settings of each service, restriction lists, tables.
///
///     auto site = SiteModel::load({.main_cf = "main.cf", .master_cf = "master.cf"});
///     for (const SmtpServer& server : (*site)->smtp_servers()) server.settings.get("mynetworks");
///     findings.add((*site)->place_of(settings, "mynetworks", "0.0.0.0/0"), "...");
///
/// Reading goes on behind malformed lines. Nothing here asks the network, DNS, a running server or the host's
/// name. Not thread-safe, as Settings are not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/main_cf_document.h"
#include "libconf/master_cf_document.h"
#include "libconf/settings.h"
#include "tools/mta/access/restriction_list.h"
#include "tools/postlint/file_map.h"
#include "tools/postlint/finding.h"
#include "tools/postlint/rule.h"
#include "tools/postlint/table_fault.h"
#include "tools/postlint/version.h"

namespace postlint {

/// What is to be audited. A file name of "" is a file that is not there.
struct SiteFiles {
  std::string main_cf = {};
  std::string master_cf = {};
  std::optional<std::string> main_text = {};  ///< The text of main.cf, where it comes from elsewhere.
  std::string config_directory = {};          ///< Where both are, on this machine.
  std::string root = {};                      ///< --root
  std::optional<Profile> profile = {};        ///< Nothing: to be guessed.
  Version target = kNewestVersion;
};

/// An entry of master.cf, and what it sees.
struct Service {
  const libconf::PlacedService* entry;
  libconf::Settings settings;
  bool is_replaced = false;  ///< A later entry of the same name and type counts in its place (master(5)).

  const libconf::MasterService& service() const { return entry->service; }
  /// The program: "smtpd".
  const std::string& program() const { return service().field(libconf::MasterField::kCommand); }
};

/// Who talks to a SMTP server.
enum class SmtpRole : std::uint8_t {
  kMx,           ///< Port 25, or a server behind postscreen: anybody.
  kSubmission,   ///< Port 587: users (RFC 6409).
  kSubmissions,  ///< Port 465: users, with TLS from the start (RFC 8314).
  kOther,        ///< Another port: most often what a content filter returns mail to.
};

/// One of the lists of restrictions, as one server has it.
struct NamedRestrictions {
  std::string_view parameter;  ///< A string literal.
  mta::RestrictionList list = {};
  std::vector<libconf::Diagnostic> warnings = {};  ///< Of reading it.
  std::optional<libconf::Error> error = {};        ///< It cannot be read.
};

/// A smtpd service; where there is no master.cf, the one that main.cf would be for.
struct SmtpServer {
  const Service* service = nullptr;  ///< nullptr: there is no master.cf.
  const libconf::Settings& settings;
  SmtpRole role = SmtpRole::kMx;
  bool is_local_only = false;  ///< Clients of other hosts cannot reach it.
  std::optional<libconf::Error> class_error = {};
  std::vector<libconf::Diagnostic> class_warnings = {};  ///< Of reading smtpd_restriction_classes.
  std::vector<NamedRestrictions> lists = {};

  const NamedRestrictions& list(std::string_view parameter) const;
};

/// A `type:name` somewhere in a value.
struct TableUse {
  std::string type;
  std::string name;
  std::string parameter;
  const libconf::Settings* settings;  ///< Those that the value was found in.
  bool is_proxied = false;            ///< `proxy:` stands before it.
  bool is_set = false;                ///< Not in a default alone.
  Place place = {};
};

class TableStore;

class SiteModel {
 public:
  /// Errors: kInputOutput, for a file that cannot be read.
  static libconf::Result<std::unique_ptr<SiteModel>> load(SiteFiles files);
  SiteModel(const SiteModel&) = delete;
  SiteModel& operator=(const SiteModel&) = delete;
  ~SiteModel();

  const libconf::MainCfDocument& main_cf() const { return *main_cf_; }
  /// All of master.cf, with the entries that are malformed; nullptr: there is none.
  const libconf::MasterCfDocument* master_document() const {
    return master_document_ ? &*master_document_ : nullptr;
  }
  /// The entries that are well-formed; nullptr: there is no master.cf.
  const libconf::MasterCf* master_cf() const { return master_cf_ ? &*master_cf_ : nullptr; }

  /// What main.cf says, and the defaults.
  const libconf::Settings& settings() const { return *settings_; }
  std::span<const Service> services() const { return services_; }
  std::span<const SmtpServer> smtp_servers() const { return smtp_servers_; }
  Profile profile() const { return profile_; }
  const Version& target() const { return files_.target; }
  const FileMap& files() const { return file_map_; }
  const TableStore& tables() const { return *tables_; }

  /// All tables that main.cf and the options of services name, and those of defaults that count.
  const std::vector<TableUse>& table_uses() const { return table_uses_; }

  /// What is wrong inside of the tables; found when it is first asked for.
  const std::vector<TableFault>& table_faults() const;

  /// The view of the service that `name`/`type` counts for; nullptr: none.
  const Service* find_service(std::string_view name, std::string_view type) const;

  /// Where `settings` have their value of `name`; in it, where `word` stands, be it in a parameter that the
  /// value refers to. A default has no place: then that of the top of main.cf.
  Place place_of(const libconf::Settings& settings, std::string_view name, std::string_view word = {}) const;
  /// A name in main.cf, as an entry has it.
  Place place_of(const libconf::MainCfEntry& entry) const;
  /// An entry of master.cf; with a field, that one.
  Place place_of(const Service& service, libconf::MasterField field = libconf::MasterField::kService) const;
  /// `length` bytes at `offset` of a logical line.
  static Place place_in(const std::string& file, const libconf::Lines& lines,
                        const libconf::LogicalLine& line, std::size_t offset, std::size_t length);

  /// Where `word` stands in the logical line of main.cf or master.cf that line `line` is part of; the whole
  /// line, if it does not.
  Place place_in_line(std::string_view file, int line, std::string_view word) const;

  /// A file beside main.cf as the user would call it, who has named main.cf; others as they are.
  std::string shown_name(const std::string& file) const;

  /// The text of a file that findings are in; empty when it cannot be read. The views stay valid.
  std::string_view source(const std::string& file) const;

 private:
  explicit SiteModel(SiteFiles files);
  void read_master(libconf::MasterCfDocument document);
  void add_servers();
  void read_lists(SmtpServer& server);
  void find_table_uses();
  void add_table_uses(const libconf::Settings& settings, std::string_view parameter);
  std::optional<Place> place_of_word(const libconf::Settings& settings, std::string_view name,
                                     std::string_view word, int depth) const;

  SiteFiles files_;
  FileMap file_map_;
  std::optional<libconf::MainCfDocument> main_cf_;
  std::optional<libconf::MasterCfDocument> master_document_;
  std::optional<libconf::MasterCf> master_cf_;
  std::optional<libconf::Settings> settings_;
  std::vector<Service> services_;
  std::vector<SmtpServer> smtp_servers_;
  std::vector<TableUse> table_uses_;
  std::unique_ptr<TableStore> tables_;
  Profile profile_ = Profile::kMx;
  mutable std::optional<std::vector<TableFault>> table_faults_;
  mutable std::map<std::string, std::string, std::less<>> sources_;
};

/// Visits what main.cf and the options of services set, each with the view that it counts in. Names live as
/// long as the site.
void for_each_setting(
    const SiteModel& site,
    const std::function<void(const libconf::Settings& settings, std::string_view name)>& visit);

/// What the name of a setting evaluates to; empty when it cannot be expanded.
std::string value_of(const libconf::Settings& settings, std::string_view name);
/// The same, as a list of words.
std::vector<std::string> words_of(const libconf::Settings& settings, std::string_view name);
/// True when it is yes; a bad value is the default's.
bool is_yes(const libconf::Settings& settings, std::string_view name);

}  // namespace postlint
