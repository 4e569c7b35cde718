/// What qshape(1) prints.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/qshape/queue_shape.h"

namespace qshape {

/// A line for all, and one for each domain, in columns that are `width` wide in all, or more where numbers
/// need it. Pure; thread-safe.
std::string shape_table(const AgeClasses& ages, const Counts& total, const std::vector<DomainShape>& domains,
                        std::size_t width);

/// A bar for each age class, as long as it has messages; the longest fills `width`. Pure; thread-safe.
std::string shape_plot(const AgeClasses& ages, const Counts& total, std::size_t width);

}  // namespace qshape
