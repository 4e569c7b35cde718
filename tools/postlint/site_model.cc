#include "tools/postlint/site_model.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "libconf/file.h"
#include "libconf/parameter_table.h"
#include "libconf/table_reference.h"
#include "libconf/text.h"
#include "libconf/value.h"
#include "libmaps/table_types.h"
#include "tools/postlint/audited_host.h"
#include "tools/postlint/profile_guess.h"
#include "tools/postlint/smtp_endpoint.h"
#include "tools/postlint/table_store.h"

namespace postlint {
namespace {

using libconf::concat;
using libconf::Result;
using libconf::Settings;

constexpr std::array<std::string_view, 8> kListParameters = {
    "smtpd_client_restrictions",      "smtpd_helo_restrictions",      "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",       "smtpd_recipient_restrictions", "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions",
};

/// `document` with every malformed entry made a comment, so that line numbers stay.
libconf::MasterCfDocument without_malformed(const libconf::MasterCfDocument& document) {
  std::string text = document.text();
  const libconf::Lines& lines = document.lines();
  libconf::DiagnosticDiscard discard;
  for (const libconf::LogicalLine& line : lines.logical()) {
    if (line.is_orphan || document.read(line, libconf::MasterCfDocument::Newlines::kDrop, discard)) continue;
    for (std::size_t i = line.first; i <= line.last; ++i) text[lines.physical()[i].offset] = '#';
  }
  return libconf::MasterCfDocument::parse(std::move(text), document.file());
}

bool is_word_end(std::string_view text, std::size_t position) {
  constexpr std::string_view kEnds = ", \t\r\n{}=";
  return position >= text.size() || kEnds.find(text[position]) != std::string_view::npos;
}

/// Where `word` stands in `text`, preferably on its own.
std::size_t find_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    if ((at == 0 || is_word_end(text, at - 1)) && is_word_end(text, at + word.size())) return at;
  return text.find(word);
}

const libconf::LogicalLine* logical_line_at(const libconf::Lines& lines, int line) {
  const auto index = static_cast<std::size_t>(line - 1);
  const auto found = std::lower_bound(
      lines.logical().begin(), lines.logical().end(), index,
      [](const libconf::LogicalLine& each, std::size_t wanted) { return each.last < wanted; });
  return found == lines.logical().end() || found->first > index ? nullptr : &*found;
}

}  // namespace

const NamedRestrictions& SmtpServer::list(std::string_view parameter) const {
  return *std::find_if(lists.begin(), lists.end(),
                       [&](const NamedRestrictions& list) { return list.parameter == parameter; });
}

SiteModel::SiteModel(SiteFiles files)
    : files_(std::move(files)),
      file_map_({.root = files_.root, .config_directory = files_.config_directory}) {}

SiteModel::~SiteModel() = default;

Result<std::unique_ptr<SiteModel>> SiteModel::load(SiteFiles files) {
  std::unique_ptr<SiteModel> site(new SiteModel(std::move(files)));
  if (site->files_.main_text) {
    site->main_cf_ = libconf::MainCfDocument::parse(*site->files_.main_text, site->files_.main_cf);
  } else if (site->files_.main_cf.empty()) {
    site->main_cf_ = libconf::MainCfDocument::parse("", "main.cf");
  } else {
    Result<libconf::MainCfDocument> document = libconf::MainCfDocument::load(site->files_.main_cf);
    if (!document) return document.error();
    site->main_cf_ = std::move(*document);
  }
  if (!site->files_.master_cf.empty()) {
    Result<libconf::MasterCfDocument> document = libconf::MasterCfDocument::load(site->files_.master_cf);
    if (!document) return document.error();
    site->read_master(std::move(*document));
  }
  site->settings_.emplace(&*site->main_cf_, audited_host());
  if (site->master_cf_) site->settings_->define_service_parameters(*site->master_cf_);
  const std::string& root = site->files_.root;
  std::string directory = site->files_.config_directory;
  if (!root.empty() && directory.starts_with(root)) directory.erase(0, root.size());
  site->settings_->set_config_directory(directory);
  site->tables_ = std::make_unique<TableStore>(site->file_map_, *site->settings_);
  site->add_servers();
  site->profile_ = site->files_.profile.value_or(guess_profile(*site));
  site->find_table_uses();
  return site;
}

void SiteModel::read_master(libconf::MasterCfDocument document) {
  master_document_ = std::move(document);
  libconf::DiagnosticDiscard discard;
  Result<libconf::MasterCf> master_cf =
      libconf::MasterCf::read(without_malformed(*master_document_), discard);
  if (master_cf) master_cf_ = std::move(*master_cf);
}

void SiteModel::add_servers() {
  if (!master_cf_) {
    smtp_servers_.push_back({.settings = *settings_});
    read_lists(smtp_servers_.back());
    return;
  }
  for (const libconf::PlacedService& entry : master_cf_->services())
    services_.push_back({&entry, settings_->for_service(entry, *master_cf_)});
  for (Service& service : services_)
    service.is_replaced = find_service(service.service().service(), service.service().type()) != &service;
  for (const Service& service : services_) {
    if (service.is_replaced || service.program() != "smtpd") continue;
    const SmtpEndpoint endpoint = smtp_endpoint(service);
    smtp_servers_.push_back({.service = &service,
                             .settings = service.settings,
                             .role = endpoint.role,
                             .is_local_only = endpoint.is_local_only});
    read_lists(smtp_servers_.back());
  }
}

void SiteModel::read_lists(SmtpServer& server) {
  libconf::DiagnosticList class_warnings;
  Result<mta::RestrictionClasses> classes = mta::RestrictionClasses::create(server.settings, class_warnings);
  if (!classes) server.class_error = classes.error();
  server.class_warnings = class_warnings.items();
  for (const std::string_view parameter : kListParameters) {
    NamedRestrictions& named = server.lists.emplace_back(NamedRestrictions{.parameter = parameter});
    const Result<std::string> value = server.settings.get(parameter);
    if (!value || !classes) continue;
    libconf::DiagnosticList warnings;
    Result<mta::RestrictionList> list = classes->parse(*value, warnings);
    named.warnings = warnings.items();
    if (list)
      named.list = std::move(*list);
    else
      named.error = list.error();
  }
}

void SiteModel::find_table_uses() {
  for (const std::string_view name : settings_->explicit_names()) add_table_uses(*settings_, name);
  for (const libconf::Parameter& parameter : libconf::all_parameters())
    if (libconf::is_listed(parameter) && parameter.default_value.find(':') != std::string_view::npos &&
        !settings_->explicit_setting(parameter.name))
      add_table_uses(*settings_, parameter.name);
  for (const Service& service : services_) {
    if (service.is_replaced) continue;
    for (const libconf::MasterOption& option : service.service().options())
      add_table_uses(service.settings, option.name);
  }
}

void SiteModel::add_table_uses(const Settings& settings, std::string_view parameter) {
  if (libconf::is_raw(parameter)) return;
  const Result<std::string> value = settings.get(parameter);
  if (!value) return;
  const std::string& text = *value;
  const bool is_set = settings.explicit_setting(parameter).has_value();
  libconf::DiagnosticDiscard discard;
  libconf::for_each_table(text, "main.cf", discard, [&](std::string_view type, std::string_view name) {
    constexpr std::string_view kProxy = "proxy:";
    const std::string_view before(text.data(), static_cast<std::size_t>(type.data() - text.data()));
    // Host:port, transport:nexthop and text with a colon are no tables; a misspelt type with a path is.
    if (libmaps::find_table_type(type) == nullptr && !name.starts_with('/')) return;
    table_uses_.push_back({.type = std::string(type),
                           .name = std::string(name),
                           .parameter = std::string(parameter),
                           .settings = &settings,
                           .is_proxied = before.ends_with(kProxy),
                           .is_set = is_set,
                           .place = place_of(settings, parameter, concat(type, ":", name))});
  });
}

const std::vector<TableFault>& SiteModel::table_faults() const {
  if (!table_faults_) table_faults_ = find_table_faults(*this);
  return *table_faults_;
}

const Service* SiteModel::find_service(std::string_view name, std::string_view type) const {
  const auto found = std::find_if(services_.rbegin(), services_.rend(), [&](const Service& service) {
    return service.service().service() == name && service.service().type() == type;
  });
  return found == services_.rend() ? nullptr : &*found;
}

Place SiteModel::place_in(const std::string& file, const libconf::Lines& lines,
                          const libconf::LogicalLine& line, std::size_t offset, std::size_t length) {
  const libconf::Position at = lines.position(line, std::min(offset, line.text.size()));
  const std::string_view content = lines.content(static_cast<std::size_t>(at.line - 1));
  const int last = static_cast<int>(content.size()) + 1;
  return {.file = file,
          .line = at.line,
          .column = at.column,
          .end_column = std::max(at.column, std::min(last, at.column + static_cast<int>(length)))};
}

Place SiteModel::place_of(const libconf::MainCfEntry& entry) const {
  return {.file = main_cf_->file(),
          .line = entry.line,
          .column = 1,
          .end_column = 1 + static_cast<int>(entry.name.size())};
}

Place SiteModel::place_of(const Service& service, libconf::MasterField field) const {
  const libconf::Lines& lines = master_cf_->document().lines();
  return place_in(master_cf_->file(), lines, lines.logical()[service.entry->logical_line],
                  service.service().offset(field), service.service().field(field).size());
}

Place SiteModel::place_of(const Settings& settings, std::string_view name, std::string_view word) const {
  constexpr int kMaxDepth = 10;
  if (!word.empty())
    if (std::optional<Place> place = place_of_word(settings, name, word, kMaxDepth)) return *place;
  if (std::optional<Place> place = place_of_word(settings, name, {}, 0)) return *place;
  return {.file = main_cf_->file()};
}

std::optional<Place> SiteModel::place_of_word(const Settings& settings, std::string_view name,
                                              std::string_view word, int depth) const {
  const std::optional<libconf::Setting> setting = settings.find(name);
  if (!setting) return std::nullopt;
  const libconf::Origin& origin = setting->origin;
  const bool is_option = origin.kind == libconf::OriginKind::kServiceOption;
  if (is_option || origin.kind == libconf::OriginKind::kMainCf) {
    const libconf::Lines& lines = is_option ? master_cf_->document().lines() : main_cf_->lines();
    const std::string& file = is_option ? master_cf_->file() : main_cf_->file();
    const libconf::LogicalLine* line = logical_line_at(lines, origin.line);
    if (line == nullptr) return std::nullopt;
    // An option is looked for behind its own "-o name"; its line may be a later one of the entry.
    std::size_t start = 0;
    if (is_option)
      while ((start = line->text.find(name, start)) != std::string_view::npos &&
             lines.position(*line, start).line < origin.line)
        ++start;
    if (start == std::string_view::npos) start = 0;
    const std::string_view text = line->text.substr(start);
    const std::size_t equals = text.find('=');
    if (word.empty()) {
      const std::size_t length =
          equals == std::string_view::npos ? name.size() : equals + setting->value.size() + 1;
      return place_in(file, lines, *line, start, is_option ? length : name.size());
    }
    const std::size_t value = equals == std::string_view::npos ? 0 : equals + 1;
    const std::size_t at = find_word(text.substr(value), word);
    if (at != std::string_view::npos) return place_in(file, lines, *line, start + value + at, word.size());
  }
  if (word.empty() || depth == 0) return std::nullopt;
  std::optional<Place> place;
  libconf::DiagnosticDiscard discard;
  libconf::scan_references(
      setting->value,
      [&](std::string_view used) {
        if (!place) place = place_of_word(settings, used, word, depth - 1);
      },
      discard);
  return place;
}

Place SiteModel::place_in_line(std::string_view file, int line, std::string_view word) const {
  const bool is_master = master_document_ && file == master_document_->file();
  const libconf::Lines& lines = is_master ? master_document_->lines() : main_cf_->lines();
  const libconf::LogicalLine* logical = logical_line_at(lines, line);
  if (logical == nullptr) return {.file = std::string(file), .line = line};
  const std::size_t at = word.empty() ? std::string_view::npos : find_word(logical->text, word);
  if (at == std::string_view::npos) return {.file = std::string(file), .line = line};
  return place_in(std::string(file), lines, *logical, at, word.size());
}

std::string SiteModel::shown_name(const std::string& file) const {
  const std::string directory = concat(files_.config_directory, "/");
  const std::string& named = files_.main_cf.empty() ? files_.master_cf : files_.main_cf;
  if (!file.starts_with(directory)) return file;
  return concat(std::string_view(named).substr(0, named.rfind('/') + 1),
                std::string_view(file).substr(directory.size()));
}

std::string_view SiteModel::source(const std::string& file) const {
  if (file == main_cf_->file()) return main_cf_->text();
  if (master_document_ && file == master_document_->file()) return master_document_->text();
  auto found = sources_.find(file);
  if (found == sources_.end()) {
    Result<std::string> text = libconf::read_file(file);
    found = sources_.emplace(file, text ? std::move(*text) : std::string()).first;
  }
  return found->second;
}

void for_each_setting(const SiteModel& site,
                      const std::function<void(const Settings& settings, std::string_view name)>& visit) {
  for (const std::string_view name : site.settings().explicit_names())
    if (site.settings().explicit_setting(name)->origin.kind == libconf::OriginKind::kMainCf)
      visit(site.settings(), name);
  for (const Service& service : site.services()) {
    if (service.is_replaced) continue;
    std::set<std::string_view> seen;
    for (const libconf::MasterOption& option : service.service().options())
      if (seen.insert(option.name).second) visit(service.settings, option.name);
  }
}

std::string value_of(const Settings& settings, std::string_view name) {
  Result<std::string> value = settings.get(name);
  return value ? std::string(libconf::trim(*value)) : std::string();
}

std::vector<std::string> words_of(const Settings& settings, std::string_view name) {
  return libconf::parse_list(value_of(settings, name));
}

bool is_yes(const Settings& settings, std::string_view name) {
  const Result<bool> value = settings.get_bool(name);
  if (value) return *value;
  const libconf::Parameter* parameter = libconf::find_parameter(name);
  return parameter != nullptr && parameter->default_value == "yes";
}

}  // namespace postlint
