#include "tools/mta/content/staged_message.h"

#include <algorithm>
#include <iterator>

#include "libconf/text.h"
#include "tools/mta/content/header_line.h"

namespace mta {
namespace {

using libconf::Result;

constexpr std::size_t kPortion = 32768;  ///< Bytes of the body that are written at a time.

std::string_view name_of_header(std::string_view header) {
  return header.substr(0, header_start(header).name);
}

}  // namespace

std::string header_from_filter(std::string_view name, std::string_view value) {
  std::string text = libconf::concat(name, ":");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char next = i + 1 < value.size() ? value[i + 1] : '\0';
    if (value[i] == '\r' && next == '\n') continue;
    text += value[i];
    if (value[i] == '\n' && next != ' ' && next != '\t') text += '\t';
  }
  return text;
}

void StagedMessage::body(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!has_body() && bytes.front() == '\n') {
    has_separator_ = true;
    bytes.remove_prefix(1);
  }
  body_.append(bytes);
}

/// The first Received: header is ours.
std::size_t StagedMessage::own_received() const {
  const auto found = std::find_if(headers_.begin(), headers_.end(), [](const std::string& header) {
    return libconf::equals_ignoring_case(name_of_header(header), "Received");
  });
  return static_cast<std::size_t>(found - headers_.begin());
}

std::vector<std::string> StagedMessage::visible_headers() const {
  std::vector<std::string> visible;
  const std::size_t hidden = own_received();
  for (std::size_t i = 0; i < headers_.size(); ++i)
    if (i != hidden && header_start(headers_[i]).name > 0) visible.push_back(headers_[i]);
  return visible;
}

std::vector<std::string>::iterator StagedMessage::find(std::uint32_t index, std::string_view name) {
  const std::size_t hidden = own_received();
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    if (i == hidden || !libconf::equals_ignoring_case(name_of_header(headers_[i]), name)) continue;
    if (index <= 1) return headers_.begin() + static_cast<std::ptrdiff_t>(i);
    --index;
  }
  return headers_.end();
}

void StagedMessage::insert_header(std::uint32_t index, std::string text) {
  const std::size_t place = std::min<std::size_t>(index, headers_.size());
  headers_.insert(headers_.begin() + static_cast<std::ptrdiff_t>(place), std::move(text));
}

void StagedMessage::change_header(std::uint32_t index, std::string_view name, std::string text) {
  const auto found = find(index, name);
  if (found == headers_.end()) {
    add_header(std::move(text));
  } else {
    *found = std::move(text);
  }
}

void StagedMessage::delete_header(std::uint32_t index, std::string_view name) {
  const auto found = find(index, name);
  if (found != headers_.end()) headers_.erase(found);
}

void StagedMessage::clear_body() {
  body_.clear();
  has_separator_ = true;
}

Result<void> StagedMessage::write(QueueFileWriter& writer) const {
  for (const std::string& header : headers_) writer.header(header);
  if (has_separator_) writer.body("\n");
  for (std::uint64_t offset = 0;;) {
    const Result<std::string> portion = body_.read(offset, kPortion);
    if (!portion) return portion.error();
    if (portion->empty()) return {};
    writer.body(*portion);
    offset += portion->size();
  }
}

}  // namespace mta
