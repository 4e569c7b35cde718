#include "libmaps/unix_table.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;

/// Calls a getXXnam_r() with a buffer that grows until the entry fits.
template <class Record, class Get, class Format>
Result<std::optional<std::string>> get_entry(Get get, std::string_view key, Format format) {
  constexpr std::size_t kLargest = std::size_t{1} << 24;
  const std::string name(key);
  std::vector<char> buffer(4096);
  for (;;) {
    Record record{};
    Record* found = nullptr;
    const int status = get(name.c_str(), &record, buffer.data(), buffer.size(), &found);
    if (status == ERANGE && buffer.size() < kLargest) {
      buffer.resize(buffer.size() * 2);
      continue;
    }
    // POSIX lets "not found" be reported as one of these.
    if (status != 0 && status != ENOENT && status != ESRCH)
      return Error{.kind = ErrorKind::kTemporary, .message = std::generic_category().message(status)};
    if (found == nullptr) return std::optional<std::string>();
    return std::optional(format(*found));
  }
}

std::string format_user(const passwd& user) {
  return concat(user.pw_name, ":", user.pw_passwd, ":", std::to_string(user.pw_uid), ":",
                std::to_string(user.pw_gid), ":", user.pw_gecos, ":", user.pw_dir, ":", user.pw_shell);
}

std::string format_group(const group& entry) {
  std::string text = concat(entry.gr_name, ":", entry.gr_passwd, ":", std::to_string(entry.gr_gid), ":");
  for (char** member = entry.gr_mem; *member != nullptr; ++member) {
    if (member != entry.gr_mem) text += ',';
    text += *member;
  }
  return text;
}

struct System {
  std::string_view name;
  Result<std::optional<std::string>> (*lookup)(std::string_view key);
};
constexpr System kSystems[] = {
    {"passwd.byname", [](std::string_view key) { return get_entry<passwd>(getpwnam_r, key, format_user); }},
    {"group.byname", [](std::string_view key) { return get_entry<group>(getgrnam_r, key, format_group); }},
};

class UnixTable final : public Table {
 public:
  explicit UnixTable(const System& system) : Table(concat("unix:", system.name)), system_(system) {}

  Result<std::optional<std::string>> lookup(std::string_view key) override { return system_.lookup(key); }

 private:
  const System& system_;
};

}  // namespace

Result<std::unique_ptr<Table>> open_unix(std::string_view name, const TableContext&) {
  const auto* system =
      std::find_if(std::begin(kSystems), std::end(kSystems), [&](const System& s) { return s.name == name; });
  if (system == std::end(kSystems)) return libconf::configuration_error(concat("unknown table: unix:", name));
  return std::make_unique<UnixTable>(*system);
}

}  // namespace libmaps
