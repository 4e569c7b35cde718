/// The one evaluated view of a configuration: defaults, main.cf, overrides, and the options of one master.cf
/// service.
///
///     Settings settings(&document, system_host());
///     settings.override_value("mail_name", "Example");
///     Result<std::chrono::seconds> delay = settings.get_duration("queue_run_delay");
///
/// Layers, the later over the earlier: built-in defaults; defaults from the host; main.cf; overrides
/// (`postconf -o`); the `-o` options of a service. Expansion is lazy, and cached. Not thread-safe, not even
/// the const functions: make a copy per thread. The documents must outlive the object.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libconf/expansion.h"
#include "libconf/host.h"
#include "libconf/main_cf_document.h"
#include "libconf/master_cf_document.h"

namespace libconf {

/// What set a value.
enum class OriginKind {
  kDefault,    ///< the built-in default
  kHost,       ///< a default computed from the host
  kDirectory,  ///< config_directory, from -c or MAIL_CONFIG
  kMainCf,
  kOverride,      ///< `postconf -o`
  kServiceEntry,  ///< service_name, from the entry of the service
  kServiceOption,
};

/// Where a value comes from. `file` and `line` are set for kMainCf, kServiceEntry and kServiceOption.
struct Origin {
  OriginKind kind = OriginKind::kDefault;
  std::string_view file = {};
  int line = 0;
};

/// "default", "main.cf:12", "master.cf:30 (-o)" and so on, for people.
std::string to_string(const Origin& origin);

/// A value, not expanded, and its origin.
struct Setting {
  std::string_view value;
  Origin origin;
};

class Settings : public ExpansionScope {
 public:
  /// `document` may be null: defaults only. Malformed lines of the document are passed over.
  Settings(const MainCfDocument* document, Host host);

  /// Sets config_directory, under what main.cf may say itself.
  void set_config_directory(std::string_view directory);

  /// `name = value` over main.cf.
  void override_value(std::string_view name, std::string_view value);

  /// Makes the services known: the parameters that carry the name of one (see libconf/service_parameters.h),
  /// with their defaults, and the entries that of_peer() looks for. `master_cf` must outlive the object.
  void define_service_parameters(const MasterCf& master_cf);

  /// The parameters so defined, with their defaults.
  const std::map<std::string, std::string, std::less<>>& service_parameters() const {
    return *service_defaults_;
  }

  /// The view of a process of one service: service_name, and the options of its entry, over everything else.
  Settings for_service(const PlacedService& service, const MasterCf& master_cf) const;

  /// What postconf(1) takes for that view. Where several entries have the name and type of `service`, their
  /// options count together, the later over the earlier, for all of them but those ahead of the first that
  /// has any. REQUIRES: `service` is one of `master_cf`.
  Settings for_services_like(const PlacedService& service, const MasterCf& master_cf) const;

  /// The view of the local service whose name `parameter` has in this view, such as cleanup_service_name: for
  /// what that one does in the process of another. The options of this view's own entry do not count there.
  /// Where master.cf has no such service, it is a view without options.
  Settings of_peer(std::string_view parameter) const;

  /// Whether the service of this view has queue_directory for its root: see libconf/service_root.h. The
  /// default of the field is "n"; below compatibility level 1, "y" (COMPATIBILITY_README).
  bool is_confined() const;

  /// A value that something set explicitly, or nothing.
  std::optional<Setting> explicit_setting(std::string_view name) const;

  /// The setting of `name`, defaults included. Nothing: unknown, and not set.
  std::optional<Setting> find(std::string_view name) const;

  /// The default of `name` when main.cf and the like do not count.
  std::optional<Setting> default_setting(std::string_view name) const;

  /// Names that main.cf, overrides or options set, sorted.
  std::vector<std::string_view> explicit_names() const;

  /// ExpansionScope: the unexpanded value.
  std::optional<std::string_view> value_of(std::string_view name) const override;

  /// The expanded value; empty when the name is unknown. Errors: kSyntax from the expression, kConfiguration
  /// from a default that could not be computed.
  Result<std::string> get(std::string_view name) const;

  /// Why the default that the last find() or value_of() asked the host for could not be computed; nothing if
  /// it could.
  const std::optional<Error>& host_error() const { return host_error_; }

  /// `text` with this view's values. The sink gets the warnings.
  Result<std::string> expand_text(std::string_view text, DiagnosticSink& sink,
                                  const ExpansionTrace& trace = {}) const;

  /// Typed values, held against the parameter table. Errors: as get(), or kConfiguration for a value of the
  /// wrong kind or out of range.
  Result<bool> get_bool(std::string_view name) const;
  Result<std::int64_t> get_int(std::string_view name) const;
  Result<std::chrono::seconds> get_duration(std::string_view name) const;
  Result<std::vector<std::string>> get_list(std::string_view name) const;

 private:
  struct Layered {
    std::string value;
    Origin origin;
  };
  Settings service_view(const PlacedService& service, const MasterCf& master_cf) const;
  void take_options(const PlacedService& service, const MasterCf& master_cf);
  Result<std::string> checked(std::string_view name) const;
  std::optional<std::string_view> host_default(std::string_view name) const;
  Result<std::string> compute_host_default(std::string_view name) const;

  using MainCfEntries = std::unordered_map<std::string_view, const MainCfEntry*>;
  using ServiceDefaults = std::map<std::string, std::string, std::less<>>;
  using Overrides = std::map<std::string, Layered, std::less<>>;

  // Copies, such as the views of services, share what is large and does not change.
  const MainCfDocument* document_;
  std::shared_ptr<const Host> host_;
  std::shared_ptr<const MainCfEntries> main_cf_;  ///< The last entry of each name.
  std::shared_ptr<const ServiceDefaults> service_defaults_;
  const MasterCf* master_cf_ = nullptr;
  std::string chroot_field_ = "n";
  Overrides overrides_;
  std::shared_ptr<const Overrides> site_overrides_;  ///< In the view of a service: those of all of them.
  std::optional<std::string> config_directory_;

  struct HostDefault {
    std::string value;
    std::optional<Error> error = {};
  };
  mutable std::map<std::string, HostDefault, std::less<>> host_defaults_;
  mutable std::map<std::string, std::string, std::less<>> expanded_;
  mutable std::optional<Error> host_error_;
};

}  // namespace libconf
