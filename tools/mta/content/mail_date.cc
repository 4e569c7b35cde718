#include "tools/mta/content/mail_date.h"

#include <array>
#include <string_view>

#include "libconf/text.h"

namespace mta {
namespace {

// The names are English in any locale (RFC 5322, section 3.3).
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// strftime(), for formats that are the same in every locale.
std::string formatted(const char* format, const std::tm& time) {
  std::array<char, 100> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

}  // namespace

std::string mail_date(std::time_t time) {
  std::tm local{};
  localtime_r(&time, &local);
  return libconf::concat(kDays[static_cast<std::size_t>(local.tm_wday)], ", ", std::to_string(local.tm_mday),
                         " ", kMonths[static_cast<std::size_t>(local.tm_mon)],
                         formatted(" %Y %H:%M:%S %z (%Z)", local));
}

std::string compact_date(std::time_t time) {
  std::tm universal{};
  gmtime_r(&time, &universal);
  return formatted("%Y%m%d%H%M%S", universal);
}

}  // namespace mta
