#include "libmaps/modules/nis_table.h"

#include <rpcsvc/ypclnt.h>

#include <array>
#include <cstdlib>

#include "libmaps/modules/export_module.h"
#include "libmaps/nis_lookup.h"

namespace libmaps {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
};

/// As Postfix words them, after ypclnt(3); yperr_string() has other words. By YPERR_ code.
constexpr std::array<std::string_view, 17> kReasons = {
    "success",
    "args to function are bad",
    "RPC failure - domain has been unbound",
    "can't bind to server on this domain",
    "no such map in server's domain",
    "no such key in map",
    "internal yp server or client error",
    "resource allocation failure",
    "no more records in map database",
    "can't communicate with portmapper",
    "can't communicate with ypbind",
    "can't communicate with ypserv",
    "local domain name not set",
    "yp database is bad",
    "yp version mismatch",
    "access violation",
    "database busy",
};
static_assert(YPERR_BADARGS == 1 && YPERR_YPERR == 6 && YPERR_NODOM == 12 &&
              YPERR_BUSY + 1 == kReasons.size());

std::string reason_of(int status) {
  const auto index = static_cast<std::size_t>(status);
  return index < kReasons.size() ? std::string(kReasons[index]) : ::yperr_string(status);
}

/// Empty where the host has none.
std::string default_domain() {
  char* domain = nullptr;  // It belongs to the library.
  return ::yp_get_default_domain(&domain) == YPERR_SUCCESS && domain != nullptr ? domain : "";
}

Result<std::optional<std::string>> match(const std::string& domain, const std::string& map,
                                         const std::string& key) {
  char* text = nullptr;
  int size = 0;
  const int status =
      ::yp_match(domain.c_str(), map.c_str(), key.data(), static_cast<int>(key.size()), &text, &size);
  const std::unique_ptr<char, Free> value(text);
  // That the server has no such map does not mean that it has no such key.
  if (status == YPERR_KEY) return std::optional<std::string>();
  if (status != YPERR_SUCCESS) return Error{.kind = ErrorKind::kTemporary, .message = reason_of(status)};
  return std::optional(std::string(text, static_cast<std::size_t>(size)));
}

}  // namespace

Result<std::unique_ptr<Table>> open_nis(std::string_view name, const TableContext& context) {
  return open_nis_map(name, {.domain = default_domain(), .match = match}, context);
}

}  // namespace libmaps

POSTKIT_EXPORT_MODULE("nis", libmaps::open_nis);
