/// What fuzz targets state about their input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "libconf/host.h"

/// Ends the process, and so fails the run, when a property does not hold.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property does not hold: %s\n", property);
  std::abort();
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes the first line off the front of `text`, without its newline.
inline std::string_view take_first_line(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  const std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  return line;
}

/// A host that has a name and nothing else.
inline libconf::Host host_without_interfaces() {
  return {"host.example.org",
          [] {
            return libconf::Result<std::vector<libconf::InterfaceAddress>>(
                std::vector<libconf::InterfaceAddress>());
          },
          [](const std::string&) { return std::vector<std::vector<std::uint8_t>>(); }};
}
