/// The difference between two texts, as `diff -u` prints it.
#pragma once

#include <string>
#include <string_view>

namespace postconf {

/// A unified diff with three lines of context; empty when the texts are equal. The labels stand in the
/// heading.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_label,
                         std::string_view after_label);

}  // namespace postconf
