/// What went wrong in a session, as far as the postmaster may want to know (notify_classes in postconf(5)).
///
///     const Result<ErrorClasses> wanted = read_notify_classes(settings);
///     ErrorClasses seen = ErrorClass::kProtocol;
///     if (seen.has_any_of(*wanted)) tell();
#pragma once

#include <cstdint>

#include "libconf/result.h"
#include "libconf/settings.h"

namespace mta {

enum class ErrorClass : std::uint8_t {
  kBounce,        ///< "bounce": mail was, or will be, returned.
  kDoubleBounce,  ///< "2bounce"
  kData,          ///< "data": a table could not be asked.
  kDelay,         ///< "delay"
  kPolicy,        ///< "policy": a restriction, a check of content or a filter refused something.
  kProtocol,      ///< "protocol"
  kResource,      ///< "resource": no room in the queue, or it could not be written.
  kSoftware,      ///< "software": something that this host needs does not work.
};

/// A set of them. A value; one class converts to it.
class ErrorClasses {
 public:
  constexpr ErrorClasses() = default;
  constexpr ErrorClasses(ErrorClass one) : bits_(std::uint8_t{1} << static_cast<unsigned>(one)) {}

  constexpr bool is_empty() const { return bits_ == 0; }
  constexpr bool has(ErrorClass one) const { return has_any_of(one); }
  constexpr bool has_any_of(ErrorClasses others) const { return (bits_ & others.bits_) != 0; }
  constexpr ErrorClasses& operator|=(ErrorClasses others) {
    bits_ |= others.bits_;
    return *this;
  }
  friend constexpr ErrorClasses operator|(ErrorClasses a, ErrorClasses b) { return a |= b; }
  friend constexpr ErrorClasses operator&(ErrorClasses a, ErrorClasses b) {
    a.bits_ &= b.bits_;
    return a;
  }
  friend constexpr bool operator==(ErrorClasses, ErrorClasses) = default;

 private:
  std::uint8_t bits_ = 0;
};

constexpr ErrorClasses operator|(ErrorClass a, ErrorClass b) { return ErrorClasses(a) | ErrorClasses(b); }

/// The classes of notify_classes, "2bounce" with "bounce". Error: kConfiguration, a word that is none; as
/// Postfix has it, capital letters matter. Thread-safe.
libconf::Result<ErrorClasses> read_notify_classes(const libconf::Settings& settings);

}  // namespace mta
